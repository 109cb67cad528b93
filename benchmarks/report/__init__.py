"""Tables in the documentation from the results of measurements, and where those come from."""
