"""The command centre 119: where alerts are handed over to."""

from firetower.alerts.duty.section import Section


class CommandCentre(Section):
    """The command centre 119: where alerts are handed over to."""
