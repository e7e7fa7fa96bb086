"""A hall in which people are told: alerts, contacts and the letters written about them, in memory or on PostgreSQL."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
from alert_making import commit

from firetower.alerts.acts import Act, decide
from firetower.alerts.contacts import Contact, ContactScope, Hours, Role
from firetower.alerts.duty.policies import Policy
from firetower.alerts.escalation.people import Ways
from firetower.alerts.escalation.ports import Case, CaseStore, Decide, Progress, Told
from firetower.alerts.judge import judge
from firetower.alerts.lifecycle import holds_key
from firetower.alerts.model import Alert, State, Transition
from firetower.alerts.notify.letters import NewLetter
from firetower.core.clock import ManualClock, Micros
from firetower.rules.verdicts import Verdict
from firetower.storage.alert_moves import Fence
from firetower.storage.alert_rows import read_history
from firetower.storage.alerts import AlertStore
from firetower.storage.cases import Cases
from firetower.storage.telling import Telling

UNIT = "u1"
KINDS = {"sms": "sms", "voice": "phone", "mail": "email"}


def contact(number: int, role: Role, name: str, hours: tuple[Hours, ...] = (), **addresses: str) -> Contact:
    """Somebody of unit u1, its grid, or the centre, as the role has it."""
    of_centre = role in {Role.DUTY_LEAD, Role.ON_CALL}
    scope, of = (ContactScope.CENTRE, "") if of_centre else (ContactScope.UNIT, UNIT)
    return Contact(number, scope, of, role, name, addresses or {"sms": f"1{number}", "phone": f"2{number}"}, hours)


def policy(**fields: Any) -> Policy:
    """A policy as a plan says it; of unacknowledged fires where it says nothing."""
    return Policy.model_validate({"name": "fire", "of": "unacknowledged", "for": {"classes": ["fire"]}} | fields)


def step(after: str, *to: str, channels: Sequence[str] = ("sms",), **repeat: Any) -> dict[str, Any]:
    """A step as a plan says it."""
    return {"after": after, "to": list(to), "channels": list(channels)} | ({"repeat": repeat} if repeat else {})


def telling(
    store: CaseStore,
    *policies: Policy,
    is_dead: Callable[[str], bool] = lambda _: False,
    zone: str = "Asia/Shanghai",
) -> Telling:
    """The desk's step over a store."""
    return Telling(store, policies, Ways(KINDS, ZoneInfo(zone), is_dead))


@dataclass(slots=True)
class MemoryHall:
    """The store of escalation in memory. ``written``: letters, each with its alert as it stood; ``puts``: every key."""

    people: Sequence[Contact]
    alerts: dict[int, Alert] = field(default_factory=dict)
    entries: dict[int, list[Transition]] = field(default_factory=dict)
    written: dict[str, tuple[NewLetter, Alert]] = field(default_factory=dict)
    puts: list[str] = field(default_factory=list)
    progress: dict[int, dict[tuple[str, int], Progress]] = field(default_factory=dict)
    failed: set[tuple[str, str]] = field(default_factory=set)

    @property
    def store(self) -> CaseStore:
        return self

    async def raised(self, verdict: Verdict, at: Micros) -> int:
        held = [each for each in self.alerts.values() if (each.rule, each.subject) == (verdict.rule, verdict.subject)]
        outcome = judge(next((each for each in held if holds_key(each)), None), verdict, at)
        assert outcome.alert is not None
        assert outcome.transition is not None
        alert = outcome.alert
        if outcome.began:
            alert = Alert(**asdict(alert) | {"id": len(self.alerts) + 1})
        self.alerts[alert.id] = alert
        self.entries.setdefault(alert.id, []).append(outcome.transition)
        return alert.id

    async def act(self, alert_id: int, act: Act, at: Micros) -> None:
        self.alerts[alert_id], entries = decide(self.alerts[alert_id], act, actor="wang", at=at)
        self.entries[alert_id] += entries

    async def letters(self) -> list[NewLetter]:
        return [letter for letter, _ in self.written.values()]

    async def fails(self, channel: str) -> None:
        """Have ``channel`` refuse all that was written for it, for good."""
        self.failed |= {
            (letter.channel, letter.address) for letter in await self.letters() if letter.channel == channel
        }

    async def history(self, alert_id: int) -> list[Transition]:
        return self.entries[alert_id]

    async def open_cases(self) -> Sequence[int]:
        return [each.id for each in self.alerts.values() if each.state is not State.CLOSED]

    async def cases(self, alert_ids: Sequence[int]) -> Sequence[Case]:
        return [self._case(each) for each in alert_ids if self.alerts[each].state is not State.CLOSED]

    async def tell(self, alert_ids: Sequence[int], decide: Decide, now: Micros) -> None:
        told: list[tuple[int, Told]] = [(each, decide(self._case(each), self.people)) for each in alert_ids]
        for alert_id, each in told:
            for letter in each.letters:
                self.puts.append(letter.key)
                self.written.setdefault(letter.key, (letter, self.alerts[alert_id]))
            self.entries[alert_id] += each.entries
            for come in each.progress:
                self.progress.setdefault(alert_id, {})[come.policy, come.step] = come

    def _case(self, alert_id: int) -> Case:
        return Case(
            self.alerts[alert_id], "g1", "mall", tuple(self.progress.get(alert_id, {}).values()), frozenset(self.failed)
        )


class SqlHall:
    """The same on PostgreSQL."""

    def __init__(self, pool: asyncpg.Pool, lease: Fence) -> None:
        self.pool = pool
        self.store = Cases(pool, lease)

    @classmethod
    async def of(cls, pool: asyncpg.Pool, lease: Fence, people: Sequence[Contact]) -> "SqlHall":
        """Write the people down."""
        await pool.execute("INSERT INTO grid (code) VALUES ('g1')")
        await pool.execute("INSERT INTO unit (code, category, grid_id) SELECT $1, 'mall', id FROM grid", UNIT)
        for each in people:
            hours = json.dumps([[list(hours.days), hours.since, hours.until] for hours in each.hours])
            await pool.execute(
                "INSERT INTO contact (id, scope, owner, role, name, addresses, hours, changed_by, changed_at)"
                " OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, $4, $5, $6::text::jsonb, $7::text::jsonb, 'li', now())",
                each.id, each.scope, each.of, each.role, each.name, json.dumps(each.addresses), hours,
            )  # fmt: skip
        return cls(pool, lease)

    async def raised(self, verdict: Verdict, at: Micros) -> int:
        return (await commit(self.pool, [verdict], at)).alert_ids[0]

    async def act(self, alert_id: int, act: Act, at: Micros) -> None:
        await AlertStore(self.pool, ManualClock(at)).act(alert_id, act, actor="wang")

    async def letters(self) -> list[NewLetter]:
        rows = await self.pool.fetch("SELECT *, extract(epoch from due_at) * 1000000 AS due FROM letter ORDER BY id")
        return [
            NewLetter(
                **{name: row[name] for name in NewLetter.__slots__ if name != "due_at"}, due_at=int(row["due"])
            )
            for row in rows
        ]  # fmt: skip

    async def fails(self, channel: str) -> None:
        await self.pool.execute("UPDATE letter SET state = 'failed' WHERE channel = $1", channel)

    async def history(self, alert_id: int) -> list[Transition]:
        return [each.transition for each in await read_history(self.pool, alert_id)]


Hall = MemoryHall | SqlHall
