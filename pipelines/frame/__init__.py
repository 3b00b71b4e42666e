"""What all stages share: storage, partitions, ledger, fingerprints, table I/O, records, the engine, the run."""
