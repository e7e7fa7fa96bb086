"""The watch 值班: who is on duty, the handover, the shift log, presence, and whether anybody is there; decisions only."""
