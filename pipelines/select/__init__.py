"""select: rules applied to everything that was measured; a verdict for every document, text and image."""
