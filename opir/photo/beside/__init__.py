"""What stands in photo files beside the pixels: metadata, and what the colours mean."""
