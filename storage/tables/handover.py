"""The hand-over to 119 转警: what was sent, to whom, and its receipt."""
