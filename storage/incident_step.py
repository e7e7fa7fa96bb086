"""The desk's step that brings alerts together: each gets the incident of its scene, each incident its members."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from firetower.alerts.incidents import (
    JOINS_WITHIN,
    Group,
    Incident,
    Newcomer,
    Tally,
    gathered,
    joins,
    retold,
    tallied,
)  # fmt: skip
from firetower.core.clock import Micros, from_datetime, to_datetime
from firetower.devices.events import AlertClass
from firetower.rules.verdicts import HISTORICAL
from firetower.storage import changes, incidents
from firetower.storage.alert_moves import fenced, in_turns
from firetower.storage.alert_rows import KEY_ORDER, chunks
from firetower.storage.lease import Lease
from firetower.storage.pool import store_errors

_LOOK = """
SELECT id, scene, incident_id, subject_kind, alert_class, priority, state <> 'closed' AS is_open, raised_at,
       unit, unit_name, zone, device, place, lon, lat, $2::text = ANY(flags) AS historical
FROM alert WHERE id = ANY($1::bigint[])
"""

# Open alerts of devices are read once, whatever is asked of them: many groups may be told of at the same time.
_SCENES_OF_MEMBERS = """
WITH about AS MATERIALIZED (
    SELECT a.id, a.unit, a.zone, a.subject_kind, a.subject, a.raised_at, string_to_array(g.classes, ' ') AS classes
    FROM unnest($1::bigint[], $2::text[]) AS g (id, classes) JOIN alert a ON a.id = g.id
),
member AS MATERIALIZED (
    SELECT unit, zone, gateway, alert_class, priority, raised_at, incident_id FROM alert
    WHERE state <> 'closed' AND incident_id IS NOT NULL AND subject_kind = 'device'
    AND unit IN (SELECT unit FROM about)
)
SELECT DISTINCT ON (about.id) about.id, incident.scene FROM about
JOIN member ON member.unit = about.unit AND member.alert_class = ANY(about.classes) AND CASE about.subject_kind
    WHEN 'unit' THEN true
    WHEN 'gateway' THEN about.subject = member.unit || '/' || member.gateway
    ELSE member.zone = about.zone OR starts_with(member.zone, about.zone || '/') END
JOIN incident ON incident.id = member.incident_id AND incident.closed_at IS NULL
    AND incident.last_raised_at >= about.raised_at - $3::bigint * interval '1 microsecond'
ORDER BY about.id, member.priority, member.raised_at DESC
"""

# Closed ones too while they may still join: raised and closed while nobody looked.
_UNGATHERED = """
SELECT array_agg(id ORDER BY id) FROM (
    SELECT id FROM alert WHERE scene <> '' AND incident_id IS NULL AND state <> 'closed'
    UNION SELECT id FROM alert WHERE scene <> '' AND incident_id IS NULL AND raised_at >= $1) found
"""

_TO_RETELL = """
SELECT array_agg(id ORDER BY id) FROM (
    SELECT id FROM incident WHERE closed_at IS NULL
    UNION SELECT incident_id FROM alert WHERE state <> 'closed' AND incident_id IS NOT NULL) found
"""

_A_CALL = 2000
"""Most alerts, and incidents, gone through in a call where everything is looked at: the desk gives a long call up."""

_GIVE = f"""
WITH given AS (SELECT * FROM unnest($1::bigint[], $2::bigint[]) AS g (id, incident_id)),
mine AS (
    SELECT a.id FROM alert a WHERE a.id = ANY($1::bigint[]) ORDER BY {KEY_ORDER} FOR NO KEY UPDATE OF a
)
UPDATE alert SET incident_id = given.incident_id FROM given JOIN mine USING (id)
WHERE alert.id = given.id AND alert.id = ANY($1::bigint[])
"""

_TALLY = """
SELECT incident_id, alert_class, count(*) AS count, count(*) FILTER (WHERE state <> 'closed') AS open,
       coalesce(min(priority) FILTER (WHERE state <> 'closed'), min(priority)) AS priority,
       max(raised_at) AS last_raised_at
FROM alert WHERE incident_id = ANY($1::bigint[]) GROUP BY 1, 2
"""

_ZONE_NAMES = """
SELECT u.code AS unit, concat_ws('/', b.code, f.code, z.code) AS zone,
       concat_ws('/', coalesce(nullif(b.name, ''), b.code), coalesce(nullif(f.name, ''), f.code),
                      coalesce(nullif(z.name, ''), z.code)) AS words
FROM unit u JOIN building b ON b.unit_id = u.id JOIN floor f ON f.building_id = b.id JOIN zone z ON z.floor_id = f.id
WHERE u.code = ANY($1::text[]) AND concat_ws('/', b.code, f.code, z.code) = ANY($2::text[])
"""

_MAIN_NAMES = "SELECT code, name FROM water_main WHERE code = ANY($1::text[]) AND name <> ''"


@dataclass(frozen=True, slots=True)
class _Opening:
    """What a new incident takes over from its first alert's ``row``, and the registry's ``words`` for its place."""

    row: Any
    words: str | None


class IncidentStep:
    """Step ``incidents``. Alerts raised before there were scenes are left alone.

    Where everything is to be looked at, what is left of it is kept between calls.
    """

    name = "incidents"

    def __init__(self, pool: asyncpg.Pool, lease: Lease) -> None:
        self._pool = pool
        self._lease = lease
        self._ungathered: Sequence[int] = ()
        self._to_retell: Sequence[int] = ()

    async def take(self, changed: Sequence[int] | None, now: Micros) -> None:
        """Give new alerts their incident, and tell anew of the incidents whose members changed."""
        with store_errors():
            if changed is None:
                self._ungathered = await self._pool.fetchval(_UNGATHERED, to_datetime(now - JOINS_WITHIN)) or []
                self._to_retell = await self._pool.fetchval(_TO_RETELL) or []
            for chunk in chunks(self._ungathered[:_A_CALL]):
                await self._gather(chunk, now)
                self._ungathered = self._ungathered[len(chunk) :]
            await self._gather(changed or [], now)
            for chunk in chunks(self._to_retell[:_A_CALL]):
                await self._commit([], [], {}, set(chunk), now)
                self._to_retell = self._to_retell[len(chunk) :]

    async def _gather(self, alert_ids: Sequence[int], now: Micros) -> None:
        of_groups: list[tuple[Any, Sequence[str]]] = []
        for chunk in chunks(alert_ids):
            rows = await self._pool.fetch(_LOOK, chunk, HISTORICAL)
            known = {row["incident_id"] for row in rows if row["incident_id"] is not None}
            alone = []
            for row in rows:
                if row["scene"] and row["incident_id"] is None:
                    classes = joins(row["subject_kind"], AlertClass(row["alert_class"]))
                    if classes:
                        of_groups.append((row, classes))
                    else:
                        alone.append(row)
            await self._join(alone, {}, known, now)
        for pairs in chunks(of_groups):  # their members have an incident by now
            told = await self._pool.fetch(
                _SCENES_OF_MEMBERS,
                [row["id"] for row, _ in pairs],
                [" ".join(classes) for _, classes in pairs],
                JOINS_WITHIN,
            )
            await self._join([row for row, _ in pairs], {row["id"]: row["scene"] for row in told}, set(), now)

    async def _join(self, rows: Sequence[Any], scenes: Mapping[int, str], known: set[int], now: Micros) -> None:
        """Give alerts their incidents; ``scenes``: of those that join another than their own."""
        newcomers = [_newcomer(row, scenes.get(row["id"], row["scene"])) for row in rows]
        standing = await incidents.newest_open(self._pool, list({each.scene for each in newcomers}))
        groups = gathered(newcomers, standing)
        of = {row["id"]: row for row in rows}
        opening = await self._openings([of[each.newcomers[0].alert_id] for each in groups])
        if groups or known:
            await self._commit(groups, opening, standing, known, now)

    async def _commit(
        self,
        groups: Sequence[Group],
        openings: Sequence[_Opening],
        standing: dict[str, Incident],
        known: set[int],
        now: Micros,
    ) -> None:
        """Write what was decided; ids are only given by the desk, so nobody has given any meanwhile."""
        async with fenced(self._pool, self._lease) as conn:
            opened = [(group, at) for group, at in zip(groups, openings, strict=True) if group.incident_id is None]
            new = []
            for (group, at), incident_id in zip(opened, await incidents.draw_ids(conn, len(opened)), strict=True):
                group.incident_id = incident_id
                new.append(retold(_begun(incident_id, at), tallied(group.newcomers), now))
            await incidents.write(conn, new)
            given = [(each.alert_id, group.incident_id) for group in groups for each in group.newcomers]
            if given:
                await conn.execute(_GIVE, [alert_id for alert_id, _ in given], [of for _, of in given])
            joined = {each.id for each in standing.values()} & {group.incident_id for group in groups}
            told = await self._retell(conn, known | joined, now)
            ids = [each.id for each in (*new, *told)]
            await changes.announce(conn, [alert_id for alert_id, _ in given], now, incidents=ids)

    async def _retell(self, conn: Any, incident_ids: set[int], now: Micros) -> list[Incident]:
        """Count the members of incidents again, and return those that changed."""
        tallies: dict[int, list[Tally]] = {}
        for row in await conn.fetch(_TALLY, list(incident_ids)):
            tallies.setdefault(row["incident_id"], []).append(
                Tally(
                    AlertClass(row["alert_class"]),
                    row["count"],
                    row["open"],
                    row["priority"],
                    from_datetime(row["last_raised_at"]),
                )
            )
        before = await incidents.by_ids(conn, sorted(incident_ids))
        told = [(each, retold(each, tallies.get(each.id, ()), now)) async for each in in_turns(before)]
        changed = [after for each, after in told if after is not each]
        await incidents.write(conn, changed)
        return changed

    async def _openings(self, rows: Sequence[Any]) -> list[_Opening]:
        """Return what each incident would begin with, were it new."""
        zones = {(row["unit"], row["zone"]) for row in rows if row["scene"].startswith("zone:")}
        mains = {row["scene"].partition(":")[2] for row in rows if row["scene"].startswith("main:")}
        words: dict[str, str] = {}
        if zones:
            for row in await self._pool.fetch(_ZONE_NAMES, [unit for unit, _ in zones], [zone for _, zone in zones]):
                words[f"zone:{row['unit']}/{row['zone']}"] = row["words"]
        if mains:
            for row in await self._pool.fetch(_MAIN_NAMES, list(mains)):
                words[f"main:{row['code']}"] = row["name"]
        return [_Opening(row, words.get(row["scene"]) or _own_words(row)) for row in rows]


def _newcomer(row: Any, scene: str) -> Newcomer:
    return Newcomer(
        alert_id=row["id"],
        scene=scene,
        alert_class=AlertClass(row["alert_class"]),
        priority=row["priority"],
        is_open=row["is_open"],
        raised_at=from_datetime(row["raised_at"]),
        begins=row["is_open"] or not row["historical"],
    )


def _own_words(row: Any) -> str | None:
    kind, _, subject = row["scene"].partition(":")
    if kind == "main":
        return subject or None
    in_a_zone = kind == "zone" and "/" in row["zone"]  # else a building, which its own place names
    words: str | None = row["zone"] if in_a_zone else row["place"] or row["device"] or row["zone"]
    return words


def _begun(incident_id: int, opening: _Opening) -> Incident:
    row = opening.row
    on_main = row["scene"].startswith("main:")  # which crosses units
    return Incident(
        id=incident_id,
        scene=row["scene"],
        headline_zh="",
        headline_en="",
        alert_class=AlertClass(row["alert_class"]),
        priority=row["priority"],
        unit=None if on_main else row["unit"],
        unit_name=None if on_main else row["unit_name"],
        place=opening.words,
        lon=row["lon"],
        lat=row["lat"],
        members=(),
        opened_at=from_datetime(row["raised_at"]),
        last_raised_at=from_datetime(row["raised_at"]),
        closed_at=None,
        version=0,
    )
