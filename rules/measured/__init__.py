"""Rules on values, as measured or derived: tables of limits, by scope and schedule."""
