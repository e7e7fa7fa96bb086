"""The score: what the service alarmed, held against the truth of a run."""
