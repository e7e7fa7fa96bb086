"""From the broker to the store: lanes, sessions, batches, rejects; acknowledged only after the commit."""
