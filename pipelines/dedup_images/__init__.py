"""dedup_images: which pictures are copies of one another, and how many documents of the whole job show them."""
