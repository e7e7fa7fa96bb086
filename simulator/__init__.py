"""A city with a seed: signals, devices, faults and load; it knows devices, not the service."""
