"""Pixels as arrays: of every mode, in sRGB, as samples, and what is hidden among them."""
