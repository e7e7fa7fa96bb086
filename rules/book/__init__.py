"""The rulebook: its models, how it is read and validated, and what it may never do to fire."""
