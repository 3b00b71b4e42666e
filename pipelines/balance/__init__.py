"""balance: caps on concepts, so that a few frequent ones do not make up the data."""
