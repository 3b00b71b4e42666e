"""The bundled sample crawl that `curate demo` reads without a network, and the code that builds it."""
