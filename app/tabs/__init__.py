"""One file for each tab of the page: its layout and its wiring."""
