"""The truth log: what should be alarmed, where, from when and within how long, how often at most, and what should not.

One JSON object a line. ``kind`` says what it is: the ``run`` itself, first; each ``alert`` that is due or may be there;
what must ``never`` be there; and the ``end`` with what was sent.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from firetower.core.clock import SECOND, Micros, from_datetime, rfc3339
from firetower.core.errors import InvalidInput

FORMAT = "firetower-truth/2"


@dataclass(frozen=True, slots=True)
class About:
    """What an alert is about: a device of a unit, or a group by kind (``zone``, ``unit``, ``main``) and code.

    ``zone``: ``unit/building/floor/zone``; of a building ``unit/building``.
    """

    kind: str
    unit: str | None
    device: str | None
    code: str

    @property
    def words(self) -> str:
        """Say it as a person would."""
        return f"{self.unit}/{self.device}" if self.kind == "device" else f"{self.kind} {self.code}"


@dataclass(frozen=True, slots=True)
class Expected:
    """An alert that is due from ``at`` to ``by`` (µs, device time), or, with ``least`` 0, explains one that is there.

    ``step``: what causes it. ``least``, ``most``: how many there may be. ``priority``: from the most to the least
    urgent. ``component``, ``rule``: None for any. ``flags``, ``occurrences``: what it has to say, too.
    """

    scenario: str
    step: str
    about: About
    alert_class: str
    priority: tuple[int, int]
    at: Micros
    by: Micros
    component: str | None = None
    rule: str | None = None
    least: int = 1
    most: int = 1
    flags: tuple[str, ...] = ()
    occurrences: int = 1

    @property
    def words(self) -> str:
        """Say what is expected, in a line."""
        urgency = "–".join(str(each) for each in sorted(set(self.priority)))
        point = f" {self.component!r}" if self.component else ""
        return f"{self.scenario}: {self.step}: {self.alert_class} {urgency} of {self.about.words}{point}"

    def line(self) -> str:
        """Return it as one line of JSON."""
        body: dict[str, Any] = {"kind": "alert", "scenario": self.scenario, "step": self.step, **_about(self.about)}
        body |= {"class": self.alert_class, "priority": list(self.priority)}
        body |= {"component": self.component, "rule": self.rule, "least": self.least, "most": self.most}
        body |= {"flags": list(self.flags), "occurrences": self.occurrences}
        body |= {"from": rfc3339(self.at), "by": rfc3339(self.by)}
        return json.dumps(body, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Forbidden:
    """What must not be alarmed: anything about these, or anything of one class."""

    scenario: str
    name: str
    about: About
    alert_class: str | None

    def line(self) -> str:
        """Return it as one line of JSON."""
        body = {"kind": "never", "scenario": self.scenario, "name": self.name, **_about(self.about)}
        return json.dumps({**body, "class": self.alert_class}, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Run:
    """What was played: from ``start`` in device time, at the instant ``wall`` (both µs), ``speed`` times as fast as
    time until it has caught up with it."""

    start: Micros
    wall: Micros
    speed: float = 1.0
    seed: int = 0
    devices: int = 0
    scenarios: tuple[str, ...] = ()

    def real(self, at: Micros) -> Micros:
        """Return when the instant ``at`` of device time is played."""
        return max(at, self.wall + round((at - self.start) / self.speed))

    def at(self, now: Micros) -> Micros:
        """Return the device time of the instant ``now``; never later than that."""
        return min(now, self.start + round((now - self.wall) * self.speed))

    def line(self) -> str:
        """Return it as one line of JSON."""
        body = asdict(self) | {"start": rfc3339(self.start), "wall": rfc3339(self.wall)}
        return json.dumps({"kind": "run", "format": FORMAT, **body}, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Sent:
    """What a run sent until ``at`` (µs, device time): messages by lane, PUBACKs, lost; ``readings``: values in usable
    telemetry; ``unusable``: messages nobody can use, sent on purpose; ``strangers``: of devices in no registry.
    ``failed``: acts that could not be done."""

    at: Micros
    published: dict[str, int] = field(default_factory=dict)
    acked: int = 0
    lost: int = 0
    readings: int = 0
    unusable: int = 0
    strangers: int = 0
    failed: tuple[str, ...] = ()

    def line(self) -> str:
        """Return it as one line of JSON."""
        return json.dumps({"kind": "end", **asdict(self), "at": rfc3339(self.at)}, ensure_ascii=False)


TruthLine = Run | Expected | Forbidden | Sent


@dataclass(slots=True)
class TruthLog:
    """A truth log as it was read or is being written."""

    run: Run
    expected: list[Expected] = field(default_factory=list)
    forbidden: list[Forbidden] = field(default_factory=list)
    sent: Sent | None = None

    def lines(self) -> Iterable[str]:
        """Yield its lines."""
        yield self.run.line()
        yield from (each.line() for each in self.forbidden)
        yield from (each.line() for each in self.expected)
        if self.sent is not None:
            yield self.sent.line()


def read_truth(text: str, name: str) -> TruthLog:
    """Return the truth log in ``text``; InvalidInput says which line of the file ``name`` is none, and why."""
    log: TruthLog | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            body = json.loads(line)
            kind = body["kind"]
            if kind == "run":
                if body["format"] != FORMAT:
                    raise InvalidInput(f"{name}:{number}: format is {body['format']!r}; this version reads {FORMAT!r}")
                log = TruthLog(_run(body))
            elif log is None:
                raise InvalidInput(f"{name}:{number}: a truth log begins with the line of its run; give the whole file")
            elif kind == "alert":
                log.expected.append(_expected(body))
            elif kind == "never":
                log.forbidden.append(Forbidden(body["scenario"], body["name"], _read_about(body), body["class"]))
            elif kind == "end":
                log.sent = Sent(**{**_without_kind(body), "at": _micros(body["at"]), "failed": tuple(body["failed"])})
            else:
                raise ValueError(f"kind {kind!r} is none of run, alert, never, end")
        except (ValueError, KeyError, TypeError, AttributeError) as err:
            said = f"{err} is missing" if isinstance(err, KeyError) else str(err)
            raise InvalidInput(f"{name}:{number}: is no line of a truth log: {said}") from err
    if log is None:
        raise InvalidInput(f"{name}: is empty; give the file that --truth wrote")
    return log


def _run(body: dict[str, Any]) -> Run:
    start, wall = _micros(body["start"]), _micros(body["wall"])
    speed = float(body["speed"])
    if speed < 1:
        raise ValueError(f"speed is {speed}; 1 or more")
    return Run(start, wall, speed, int(body["seed"]), int(body["devices"]), tuple(body["scenarios"]))


def _expected(body: dict[str, Any]) -> Expected:
    most_urgent, least_urgent = body["priority"]
    return Expected(
        scenario=body["scenario"], step=body["step"], about=_read_about(body), alert_class=body["class"],
        priority=(most_urgent, least_urgent), at=_micros(body["from"]), by=_micros(body["by"]),
        component=body["component"], rule=body["rule"], least=body["least"], most=body["most"],
        flags=tuple(body["flags"]), occurrences=body["occurrences"],
    )  # fmt: skip


def _about(about: About) -> dict[str, str | None]:
    return {"about": about.kind, "unit": about.unit, "device": about.device, "subject": about.code}


def _read_about(body: dict[str, Any]) -> About:
    return About(body["about"], body["unit"], body["device"], body["subject"])


def _without_kind(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "kind"}


def _micros(text: str) -> Micros:
    return from_datetime(datetime.fromisoformat(text))


FOREVER: Micros = 253_402_300_799 * SECOND
"""The end of the year 9999: what may be there at any time is due by then."""
