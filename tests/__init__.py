"""Tests of curate: each name is a claim."""
