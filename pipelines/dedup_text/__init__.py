"""dedup_text: copies of documents and paragraphs, and image URLs that too many documents show, over the whole job."""
