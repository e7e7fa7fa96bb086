"""What a centre has decided about its duty 值班, in one file: deadlines, channels, policies, 119, the watch."""
