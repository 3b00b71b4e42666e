"""Signals and rules: pure functions, values or Arrow batches in, Arrow columns out. No Beam, no workspace I/O."""
