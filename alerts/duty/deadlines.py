"""How long each step of a fire may take."""

from firetower.alerts.duty.section import Section


class Deadlines(Section):
    """How long each step of a fire may take."""
