"""The hand-over to 119 转警: what is said to the command centre, its receipts, and what stands on record of it."""
