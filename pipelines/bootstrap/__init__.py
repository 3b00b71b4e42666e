"""The bootstrap stage: fits the scorer to the corpus, where that is a gain."""
