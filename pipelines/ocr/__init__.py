"""ocr: how much of each picture's best text is written in it."""
