"""digest: what duplicates, benchmarks and concepts are found by, as numbers for every document."""
