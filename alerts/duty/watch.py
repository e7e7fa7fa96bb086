"""The watch: presence checks, what counts as unattended."""

from firetower.alerts.duty.section import Section


class Watch(Section):
    """The watch: presence checks, what counts as unattended."""
