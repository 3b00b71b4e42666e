"""dedup_semantic: how near each picture's embedding is to that of a better picture of the job."""
