"""Scenes of the sample crawl, each a function that paints on a `Canvas`."""
