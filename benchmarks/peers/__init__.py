"""OPIR beside other methods, on the same photos."""
