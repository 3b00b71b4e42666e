"""fetch: the images of documents that pass the screen, politely and safely, into img2dataset's shard layout."""
