"""Who is told of what, over which channel, after how long."""

from firetower.alerts.duty.section import Section


class Policy(Section):
    """Who is told of what, over which channel, after how long."""
