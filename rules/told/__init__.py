"""What the rules are asked: why they did or did not raise, what single values would, how history would have gone."""
