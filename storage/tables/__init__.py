"""Every table of the store, as SQLAlchemy Core; the migrations create them, ``api.*`` views show them."""

from firetower.storage.tables import (
    alerts,
    cameras,
    contacts,
    escalation,
    handover,
    live,
    notify,
    people,
    plans,
    rates,
    registered,
    risk,
    rulebook,
    said,
    watch,
)
from firetower.storage.tables.base import metadata

__all__ = [
    "alerts",
    "cameras",
    "contacts",
    "escalation",
    "handover",
    "live",
    "metadata",
    "notify",
    "people",
    "plans",
    "rates",
    "registered",
    "risk",
    "rulebook",
    "said",
    "watch",
]
