"""The watch 值班: duty, handover, shift log, presence, and whether anybody is there; decisions only."""
