"""score: how well the images of a page agree with its texts, by a CLIP model; and the embeddings that say so."""
