"""Every unit with its address and whom it can be reached by, read at once: for the time when the store is away."""

from dataclasses import dataclass

from firetower.alerts.contacts import Contact, ContactScope
from firetower.storage.contacts import to_contact
from firetower.storage.pool import Pool, store_errors

_UNITS = "SELECT code, name, address FROM unit"
_CONTACTS = """
SELECT c.id, c.scope, c.owner, c.role, c.name, c.addresses, c.hours, c.rank, c.language FROM contact c
WHERE c.scope = 'unit' AND c.addresses->>'phone' IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class UnitCard:
    """What is said of a unit to whoever must be sent there, and its own people who have a telephone."""

    name: str = ""
    address: str = ""
    contacts: tuple[Contact, ...] = ()


async def unit_cards(pool: Pool) -> dict[str, UnitCard]:
    """Return the card of each unit, by its code. Raises StoreUnavailable."""
    with store_errors():
        async with pool.acquire() as conn:
            units = await conn.fetch(_UNITS)
            rows = await conn.fetch(_CONTACTS)
    people: dict[str, list[Contact]] = {}
    for row in rows:
        contact = to_contact(row)
        if contact.scope is ContactScope.UNIT:
            people.setdefault(contact.of, []).append(contact)
    return {
        row["code"]: UnitCard(row["name"] or "", row["address"] or "", tuple(people.get(row["code"], ())))
        for row in units
    }
