"""What an account answers for: units, grids, districts; nothing named means everything."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """Codes of units and grids, names of districts."""

    units: frozenset[str] = frozenset()
    grids: frozenset[str] = frozenset()
    districts: frozenset[str] = frozenset()

    @property
    def is_everything(self) -> bool:
        """Whether nothing lies outside."""
        return not (self.units or self.grids or self.districts)

    def covers(self, unit: str | None, grid: str | None, district: str | None) -> bool:
        """Say whether what belongs to ``unit`` lies in it; what belongs to none is everybody's."""
        if self.is_everything or unit is None:
            return True
        return unit in self.units or grid in self.grids or district in self.districts


EVERYTHING = Scope()


def union(scopes: Iterable[Scope]) -> Scope | None:
    """Return what several people answer for together; None for nobody."""
    given = list(scopes)
    if not given:
        return None
    if any(scope.is_everything for scope in given):
        return EVERYTHING
    return Scope(
        frozenset().union(*(scope.units for scope in given)),
        frozenset().union(*(scope.grids for scope in given)),
        frozenset().union(*(scope.districts for scope in given)),
    )
