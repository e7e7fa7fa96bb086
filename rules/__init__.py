"""The rulebook and the engine: columns of readings in, verdicts out; awaits nothing."""
