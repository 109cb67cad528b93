"""The page and its server under load, at start and in the browser."""
