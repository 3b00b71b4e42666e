"""measure: what the pixels of fetched images say, so that a signal can be added without fetching again."""
