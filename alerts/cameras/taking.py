"""When pictures are taken: of which alarms, at which moments, shared by whom, tried how often."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from firetower.alerts.cameras.sight import Seen
from firetower.alerts.model import Alert, Hold, State
from firetower.core.clock import MINUTE, SECOND, Micros
from firetower.core.errors import ConfigError
from firetower.devices.events import AlertClass

AFTER: Micros = 30 * SECOND
"""The second picture comes so long after the first."""
SHARED: Micros = 5 * SECOND
"""One picture of a camera serves every alert that wants one within this."""
MOST_CAMERAS = 8
"""Cameras that are asked by themselves for one alert: the nearest."""
MOST_ROUNDS = 20
"""Alarms of one alert that are pictured; and not more often than ROUND_APART."""
ROUND_APART: Micros = MINUTE
TOO_OLD: Micros = 10 * MINUTE
"""An alarm of longer ago, after an outage, is not pictured any more: it would not show how it began."""
TOO_LATE: Micros = 5 * MINUTE
"""A picture that is not there so long after it was due is given up: it would not show what it is kept for."""
TRIES = 3
_WAITS: tuple[Micros, ...] = (SECOND, 3 * SECOND)


class Moment(StrEnum):
    """Why a picture was taken."""

    RAISED = "raised"  # 报警时
    AFTER = "after"  # 30 秒后
    BY_HAND = "by_hand"  # 手动抓拍


@dataclass(frozen=True, slots=True)
class Rounds:
    """What was pictured of an alert by itself: how many of its alarms, and since when the newest stands."""

    count: int
    newest: Micros


@dataclass(frozen=True, slots=True)
class Wish:
    """A picture of a camera that an alert wants at ``due``; ``since``: of which alarm of it."""

    alert_id: int
    camera_id: int
    moment: Moment
    due: Micros
    since: Micros


@dataclass(frozen=True, slots=True)
class Asked:
    """A picture that was asked for: its id, None of one that is yet to be written."""

    id: int | None
    camera_id: int
    due: Micros


def classes_named(setting: str) -> frozenset[AlertClass]:
    """Return the classes that a setting names, with commas between; none for "". Raises ConfigError."""
    names = [part.strip() for part in setting.split(",") if part.strip()]
    unknown = [name for name in names if name not in set(AlertClass)]
    if unknown:
        raise ConfigError(
            f"snapshot_classes names {unknown[0]!r}; write some of {', '.join(AlertClass)}, with commas between"
        )
    return frozenset(map(AlertClass, names))


def is_pictured(alert: Alert, classes: Iterable[AlertClass], rounds: Rounds | None, now: Micros) -> bool:
    """Say whether pictures are to be taken of an alert's newest alarm.

    ``alarmed_at`` says which alarm that is: raised, risen, said again. Not of what is held or closed.
    """
    if alert.alert_class not in classes or alert.state is State.CLOSED or alert.hold is not Hold.NONE:
        return False
    if now - alert.alarmed_at > TOO_OLD:
        return False
    if rounds is None:
        return True
    return rounds.count < MOST_ROUNDS and alert.alarmed_at - rounds.newest >= ROUND_APART


def wishes(alert: Alert, seen: Sequence[Seen], now: Micros) -> list[Wish]:
    """Return the pictures wanted of an alarm: of each camera that sees it one at once, and one AFTER."""
    asked = [each.camera for each in seen if each.sees_it and each.camera.snapshot is not None][:MOST_CAMERAS]
    return [
        Wish(alert.id, camera.id, moment, due, alert.alarmed_at)
        for moment, due in ((Moment.RAISED, now), (Moment.AFTER, now + AFTER))
        for camera in asked
    ]


def shared(wanted: Iterable[Wish], asked: Iterable[Asked]) -> list[tuple[Wish, Asked]]:
    """Return each wish with the picture that fulfils it: one already asked for within SHARED, else a new one."""
    by_camera: dict[int, list[Asked]] = {}
    for each in asked:
        by_camera.setdefault(each.camera_id, []).append(each)
    found = []
    for wish in wanted:
        near = by_camera.setdefault(wish.camera_id, [])
        picture = next((each for each in near if abs(each.due - wish.due) < SHARED), None)
        if picture is None:
            picture = Asked(None, wish.camera_id, wish.due)
            near.append(picture)
        found.append((wish, picture))
    return found


def next_try(tries: int, now: Micros, *, permanent: bool) -> Micros | None:
    """Return when a picture that failed ``tries`` times is asked for again, None when it is given up."""
    return None if permanent or tries >= TRIES else now + _WAITS[tries - 1]


def is_too_late(due: Micros, now: Micros) -> bool:
    """Say whether a picture is given up."""
    return now - due > TOO_LATE


def begun(waiting: Iterable[tuple[int, str]], in_hand: Mapping[int, str], *, at_once: int, of_one: int) -> list[int]:
    """Return which of the ``waiting`` (id, host), in order, are asked for now, beside those ``in_hand`` by id.

    At most ``at_once`` in all and ``of_one`` of a host: a recorder that hangs keeps no other waiting.
    """
    hosts = list(in_hand.values())
    taken: list[int] = []
    for number, host in waiting:
        if len(hosts) >= at_once:
            break
        if number not in in_hand and hosts.count(host) < of_one:
            hosts.append(host)
            taken.append(number)
    return taken
