"""extract: WARC records to documents, PDFs and an index of the images that the WARC itself holds."""
