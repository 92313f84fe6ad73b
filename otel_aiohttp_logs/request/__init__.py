"""The request: its span and id from the first byte in to the last byte out."""
