"""Where files are: local disk, an object store, a web server. `pipelines.frame.storage` is what the rest uses."""
