"""Pixels as arrays: of every mode, in sRGB, as levels, and what is hidden among them."""
