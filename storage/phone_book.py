"""Every unit with its address and whom it can be reached by, read at once: for the time when the store is away."""

import json
from dataclasses import dataclass

from firetower.alerts.contacts import Contact
from firetower.storage.contacts import to_contact
from firetower.storage.pool import Pool, store_errors

_PIECE = 500
"""Units read before the event loop gets its turn: a millisecond."""
_CARDS = """
SELECT u.code, u.name, u.address, p.people FROM unit u LEFT JOIN (
    SELECT c.owner, json_agg(c)::text AS people FROM (
        SELECT id, scope, owner, role, name, addresses, hours, rank, language FROM contact
        WHERE scope = 'unit' AND addresses->>'phone' IS NOT NULL
    ) c GROUP BY c.owner
) p ON p.owner = u.code
"""


@dataclass(frozen=True, slots=True)
class UnitCard:
    """What is said of a unit to whoever must be sent there. ``people``: its contacts as JSON, "" for none: of a
    hundred thousand units nearly all are read and never asked for.
    """

    name: str = ""
    address: str = ""
    people: str = ""

    @property
    def contacts(self) -> tuple[Contact, ...]:
        """The unit's own people who have a telephone."""
        return tuple(to_contact(row) for row in json.loads(self.people)) if self.people else ()


async def unit_cards(pool: Pool) -> dict[str, UnitCard]:
    """Return the card of each unit, by its code. Raises StoreUnavailable."""
    with store_errors():
        async with pool.acquire() as conn, conn.transaction(readonly=True):
            return {
                row["code"]: UnitCard(row["name"] or "", row["address"] or "", row["people"] or "")
                async for row in conn.cursor(_CARDS, prefetch=_PIECE)
            }
