"""Rules on what is no value: silence, data quality, events, groups of devices, suppression by design."""
