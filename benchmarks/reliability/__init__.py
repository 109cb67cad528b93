"""What the software must stand: bad input (`make fuzz`) and faults of the machine (`make faults`)."""
