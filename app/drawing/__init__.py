"""What a result looks like on the page: HTML and drawings."""
