"""Whom to call: contacts, micro fire stations, calls, and self-tests."""
