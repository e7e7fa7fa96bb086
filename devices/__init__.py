"""What exists and what it says: units, devices, metrics, readings, topics, the wire codec, the registry."""
