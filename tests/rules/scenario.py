"""A small world for tests of the rules: devices are added, readings reported, ticks passed, verdicts returned."""

from firetower.core.clock import SECOND
from firetower.devices.kinds import DeviceKind
from firetower.devices.metrics import catalogue
from firetower.devices.readings import Readings
from firetower.devices.registry import DeviceEntry, Registry
from firetower.rules.book.rulebook import Rulebook, load
from firetower.rules.engine import Engine
from firetower.rules.steps import Batch, Tick
from firetower.rules.verdicts import Verdict

START = 1_763_800_000 * SECOND
SHIPPED = load()


class World:
    """One registry and one engine on the shipped rulebook; times are seconds after START."""

    def __init__(self, rulebook: Rulebook = SHIPPED, **engine: int) -> None:
        self.registry = Registry()
        self.engine = Engine(rulebook, self.registry, **engine)
        self.count = 0

    def device(
        self,
        kind: DeviceKind = DeviceKind.HYDRANT,
        interval: float = 60,
        registered: float = 0,
        retired: bool = False,
        **attributes: float,
    ) -> int:
        self.count += 1
        self.registry.add(
            DeviceEntry(
                self.count, "unit", f"d{self.count}", kind, interval=round(interval * SECOND),
                registered_at=at(registered), retired=retired, attributes=attributes,
            )
        )  # fmt: skip
        return self.count

    def readings(
        self, *rows: tuple[int, str, float, float], quality: int = 0, delay: float = 0, channel: int = 0
    ) -> Readings:
        """Rows of (device, metric, seconds, value)."""
        numbers = [catalogue().by_name[metric].number for _, metric, _, _ in rows]
        return Readings.of(
            [self.registry.series(row[0], number, channel) for row, number in zip(rows, numbers, strict=True)],
            [row[0] for row in rows],
            numbers,
            [channel] * len(rows),
            [at(row[2]) for row in rows],
            [at(row[2] + delay) for row in rows],
            [row[3] for row in rows],
            [quality] * len(rows),
        )

    def report(self, *rows: tuple[int, str, float, float], **options: float) -> list[Verdict]:
        return self.engine.evaluate(Batch(self.readings(*rows, **options), START))

    def tick(self, seconds: float, listening_since: float | None = None, *, lag: float = 0) -> list[Verdict]:
        since = None if listening_since is None else at(listening_since)
        return self.engine.evaluate(Tick(at(seconds), since, round(lag * SECOND)))

    def heard(self, device: int, seconds: float) -> None:
        self.registry.last_seen[device] = at(seconds)


def at(seconds: float) -> int:
    return START + round(seconds * SECOND)


def brief(verdicts: list[Verdict]) -> list[tuple[str, str, int, float]]:
    """(kind, rule, priority, seconds after START) of each."""
    return [(each.kind.value, each.rule, each.priority, (each.at - START) / SECOND) for each in verdicts]
