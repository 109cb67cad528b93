"""Tests of reliability: bad input (`make fuzz`) and faults of the machine (`make faults`)."""
