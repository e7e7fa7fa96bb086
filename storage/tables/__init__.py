"""Every table of the store, as SQLAlchemy Core; the migrations create them, ``api.*`` views show them."""

from firetower.storage.tables import (
    alerts,
    contacts,
    escalation,
    handover,
    live,
    notify,
    people,
    registered,
    risk,
    rulebook,
    said,
    watch,
)
from firetower.storage.tables.base import metadata

__all__ = [
    "alerts",
    "contacts",
    "escalation",
    "handover",
    "live",
    "metadata",
    "notify",
    "people",
    "registered",
    "risk",
    "rulebook",
    "said",
    "watch",
]
