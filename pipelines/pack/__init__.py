"""pack: what select has kept, as WebDataset shards with a manifest and a dataset card."""
