"""Whose an alarm is: what many rules ask of one device, looked up once."""

from firetower.devices.registry import Registry


class Whose:
    """A device whose alarm is looked at: what all rules ask of it, looked up once."""

    __slots__ = ("_groups", "_registry", "kind", "number", "retired")

    def __init__(self, number: int, registry: Registry) -> None:
        self.number, self._registry = number, registry
        self.kind: int = registry.kind.item(number)
        self.retired: bool = registry.retired.item(number)
        self._groups: dict[str, str | None] = {}

    def group(self, name: str) -> str | None:
        """Return the subject of the device's group of that name."""
        if name not in self._groups:
            self._groups[name] = self._registry.group_of(name, self.number)
        return self._groups[name]
