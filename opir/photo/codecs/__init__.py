"""One file a format: bytes to pixels with what rides along, and back."""
