"""What the tests of the desk's steps share: alerts in a state, windows, histories, and what a step wrote."""

from typing import Any

import asyncpg
from alert_making import T0, commit, hazard

from firetower.alerts.model import Alert
from firetower.core.clock import HOUR, SECOND, Micros, from_datetime, to_datetime
from firetower.devices.events import AlertClass
from firetower.rules.verdicts import SubjectKind, Verdict
from firetower.storage import changes
from firetower.storage.alert_rows import COLUMNS, read_history, to_alert

NOW = T0 + HOUR


def silent(device: str, *, gateway: bool = False, **more: Any) -> Verdict:
    """The silence of a device of unit u1, or of a gateway."""
    kind = SubjectKind.GATEWAY if gateway else SubjectKind.DEVICE
    return hazard(
        device, **({"rule": "silence", "subject_kind": kind, "component": "", "alert_class": AlertClass.OFFLINE} | more)
    )


def fault(device: str, event: str = "fault", component: str = "loop-1", **more: Any) -> Verdict:
    """A fault a panel of unit u1 told of."""
    return hazard(device, rule=f"event:{event}", component=component, alert_class=AlertClass.FAULT, **more)


class City:
    """The database of one test."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.pool = pool

    async def raised(self, *verdicts: Verdict, at: Micros = T0 + 5 * SECOND, **columns: Any) -> list[int]:
        """Commit verdicts and set columns of the alerts they raised; return their ids, in the order given."""
        ids = (await commit(self.pool, verdicts, at)).alert_ids
        for name, value in columns.items():
            await self.pool.execute(f"UPDATE alert SET {name} = $2 WHERE id = ANY($1::bigint[])", ids, value)
        alerts = {(alert.rule, alert.subject): alert.id for alert in [await self.alert(each) for each in ids]}
        return [alerts[verdict.rule, verdict.subject] for verdict in verdicts]

    async def shown(self, *ids: int, at: Micros = T0 + 6 * SECOND) -> None:
        """Have a live, sound-armed seat show alerts."""
        await self.pool.execute(
            "UPDATE alert SET shown_at = $2 WHERE id = ANY($1::bigint[])", list(ids), to_datetime(at)
        )

    async def shelved(self, *ids: int, until: Micros) -> None:
        """Put alerts on the shelf, as an operator does."""
        await self.pool.execute(
            "UPDATE alert SET hold = 'shelved', held_until = $2, held_by = 'wang', hold_reason = 'known',"
            " state = 'acknowledged', acknowledged_by = 'wang', acknowledged_at = $3 WHERE id = ANY($1::bigint[])",
            list(ids), to_datetime(until), to_datetime(T0 + 10 * SECOND),
        )  # fmt: skip

    async def window(self, kind: str, starts_at: Micros, ends_at: Micros, **columns: Any) -> int:
        """Announce a window of unit u1, approved when it was asked for, and return its id."""
        values: dict[str, Any] = {
            "kind": kind, "unit": "u1", "starts_at": to_datetime(starts_at), "ends_at": to_datetime(ends_at),
            "reason": "pipe work", "requested_by": "li", "requested_at": to_datetime(T0), "approved_by": "wang",
            "approved_at": to_datetime(T0),
        } | columns  # fmt: skip
        places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
        return await self.pool.fetchval(
            f"INSERT INTO announced_window ({', '.join(values)}) VALUES ({places}) RETURNING id", *values.values()
        )

    async def alert(self, alert_id: int) -> Alert:
        """Return an alert as it stands."""
        return to_alert(await self.pool.fetchrow(f"SELECT {COLUMNS} FROM alert a WHERE a.id = $1", alert_id))

    async def seen(self, *ids: int) -> list[tuple[str, str]]:
        """Return (state, hold) of alerts."""
        alerts = [await self.alert(each) for each in ids]
        return [(alert.state.value, alert.hold.value) for alert in alerts]

    async def told(self, alert_id: int) -> list[tuple[str, str]]:
        """Return (actor, reason) of an alert's history, oldest first."""
        return [(each.transition.actor, each.transition.reason) for each in await read_history(self.pool, alert_id)]

    async def seq(self) -> int:
        """Return the newest number of the live changes."""
        return await changes.latest(self.pool)

    async def since(self, seq: int) -> changes.Changed:
        """Return what was announced after a number."""
        changed = await changes.since(self.pool, seq)
        assert changed is not None
        return changed

    async def position(self, name: str) -> Micros | None:
        """Return what a follower noted."""
        return await self.pool.fetchval("SELECT seq FROM follower WHERE name = $1", name)

    async def at(self, alert_id: int, column: str) -> Micros | None:
        """Return an instant of an alert."""
        value = await self.pool.fetchval(f"SELECT {column} FROM alert WHERE id = $1", alert_id)
        return None if value is None else from_datetime(value)
