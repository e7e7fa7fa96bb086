"""Telling people outside the console: one module a channel."""
