"""A channel over which people are told."""

from firetower.alerts.duty.section import Section


class Channel(Section):
    """A channel over which people are told."""
