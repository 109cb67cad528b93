"""The server around the page: what it lets in, can be set to, keeps and logs."""
