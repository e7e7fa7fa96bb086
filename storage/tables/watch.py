"""The watch: duty, handovers, the shift log, presence checks, scopes."""
