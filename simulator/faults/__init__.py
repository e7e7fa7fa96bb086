"""Faults of the field, plain and vectorised: in the device (``Reports``), on the way (``Stream``), and what it says."""
