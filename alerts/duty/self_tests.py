"""The self-tests and how often each is due."""

from firetower.alerts.duty.section import Section


class SelfTests(Section):
    """The self-tests and how often each is due."""
