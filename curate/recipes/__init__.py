"""Recipes: those that ship with curate, and reading any of them with errors that say where and what to do."""
