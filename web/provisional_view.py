"""What consoles are told of provisional alarms (未落库): none leaves before its stored alert can be there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pydantic import Field

from firetower.alerts.provisional import MOST, ProvisionalAlarm, ProvisionalBoard
from firetower.devices.events import AlertClass
from firetower.web.alert_json import Title
from firetower.web.api_models import Answered, Instant, instant
from firetower.web.phone_book import Known

FEW = 100
"""So many are told of as they change; of more, only fires are."""


class ToCall(Answered):
    """Somebody of the unit with a telephone, as last read."""

    name: str
    role: str
    phone: str
    reachable: bool = Field(description="whether their hours held when the alarm came in")


class ProvisionalOut(Answered):
    """An alarm that the store could not take yet; it becomes the alert of the same `key`."""

    key: str = Field(description="opaque; that of the alert it becomes")
    alert_class: AlertClass = Field(serialization_alias="class")
    priority: int = Field(ge=1, le=4)
    title: Title
    unit: str | None
    device: str | None
    component: str
    text: str = Field(description="the panel's own words")
    place: str | None = Field(description="zone or main, as the registry's codes")
    device_at: Instant = Field(description="of its newest event")
    received_at: Instant = Field(description="since when it waits here")
    flags: list[str]
    unit_name: str | None = Field(description="this and what follows is what the server remembers without the store")
    address: str | None
    device_kind: str | None
    lon: float | None
    lat: float | None
    contacts: list[ToCall] = Field(description="in the order to call them")


@dataclass(frozen=True, slots=True)
class Listing:
    """What frames say of provisional alarms: as JSON, by the key of the alert each becomes; ``more``: beyond them."""

    alarms: Mapping[str, bytes]
    more: int

    def keeping(self, before: "Listing") -> "Listing":
        """Return it with what ``before`` had and it has not, as far as there is room."""
        kept = dict(self.alarms)
        for key, written in before.alarms.items():
            if len(kept) < MOST:
                kept.setdefault(key, written)
        return Listing(kept, self.more)

    def written(self) -> bytes:
        """Return the members ``provisional`` and ``provisional_more`` of a frame, with a comma before."""
        return b',"provisional":[%b],"provisional_more":%d' % (b",".join(self.alarms.values()), self.more)


class ProvisionalView:
    """The board as consoles see it: at most 2,000 alarms, written as JSON once each. ``revision`` rises with changes.

    ``known``: what is known of an alarm's place without the store.

    ``urgent`` rises when an alarm of priority 1 comes, goes or changes.

    An alarm that has left the board stays until the store was read after that, so that its stored alert comes in the
    same frame that takes it away.
    """

    def __init__(self, board: ProvisionalBoard, known: Callable[[ProvisionalAlarm], Known]) -> None:
        self._board = board
        self._known = known
        self._shown: dict[str, tuple[ProvisionalAlarm, bytes]] = {}
        self._looked_at = -1
        self._more = 0
        self._gone = 0
        self._since_read: set[str] = set()
        self.revision = 0
        self.urgent = 0

    @property
    def is_long(self) -> bool:
        """Whether there are so many that telling of them takes time itself."""
        return len(self._shown) > FEW

    def look(self) -> None:
        """Take in what came to the board since the last look."""
        board = self._board
        if board.revision == self._looked_at:
            return
        self._looked_at = board.revision
        alarms = board.alarms()
        now = {alarm.key: alarm for alarm in alarms}
        self._since_read |= now.keys()
        shown = {}
        for key, alarm in now.items():
            known = self._shown.get(key)
            shown[key] = (
                known if known is not None and known[0] == alarm else (alarm, _written(alarm, self._known(alarm)))
            )
        for key, known in self._shown.items():
            if key not in shown and len(shown) < MOST:
                shown[key] = known
        self._gone = len(shown) - len(now)
        if shown != self._shown or board.more != self._more:
            self._take(shown)
            self._more = board.more

    def reading(self) -> None:
        """Be told that the store is about to be read; what is on the board from now on is not settled by that."""
        self._since_read = {alarm.key for alarm in self._board.alarms()}

    def settle(self) -> None:
        """Let go of what had left the board before the read of the store that has now succeeded began.

        What came to the board meanwhile stays though it has left again: the read may have been before its commit.
        """
        self.look()
        if not self._gone:
            return
        left = {key: known for key, known in self._shown.items() if key in self._since_read}
        if len(left) < len(self._shown):
            self._gone -= len(self._shown) - len(left)
            self._take(left)

    def _take(self, shown: dict[str, tuple[ProvisionalAlarm, bytes]]) -> None:
        before, self._shown = self._shown, shown
        self.revision += 1
        if _urgent(before) != _urgent(shown):
            self.urgent += 1

    def listing(self) -> Listing:
        """Return what frames are to say of it now."""
        return Listing({key: written for key, (_, written) in self._shown.items()}, self._more)


def _urgent(shown: Mapping[str, tuple[ProvisionalAlarm, bytes]]) -> dict[str, bytes]:
    return {key: written for key, (alarm, written) in shown.items() if alarm.priority == 1}


def _written(alarm: ProvisionalAlarm, known: Known) -> bytes:
    out = ProvisionalOut(
        key=alarm.key,
        alert_class=alarm.alert_class,
        priority=alarm.priority,
        title=Title(zh=alarm.title_zh, en=alarm.title_en),
        unit=alarm.unit,
        device=alarm.device,
        component=alarm.component,
        text=alarm.text,
        place=alarm.place,
        device_at=instant(alarm.device_at),
        received_at=instant(alarm.received_at),
        flags=list(alarm.flags),
        unit_name=known.unit_name or None,
        address=known.address or None,
        device_kind=known.kind,
        lon=known.lon,
        lat=known.lat,
        contacts=[
            ToCall(name=each.name, role=each.role, phone=each.phone, reachable=each.reachable) for each in known.people
        ],
    )
    return out.model_dump_json(by_alias=True).encode()
