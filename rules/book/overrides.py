"""A rule as it is in force where overrides fit: band by band and field by field, the narrower scope over the wider."""

from collections.abc import Iterable, Sequence
from typing import Any

from firetower.rules.book.conditions import Band, SilenceBand
from firetower.rules.book.model import BandOverride, Override, Rule

_DISPLACES: dict[str, tuple[str, ...]] = {
    "clear": ("deadband",),
    "deadband": ("clear",),
    "and_samples": ("or_samples",),
    "or_samples": ("and_samples",),
    "after": ("intervals", "at_least", "at_most"),
    "intervals": ("after",),
}
"""Fields of a band of which it has one at most: giving one drops the inherited other."""
BANDED_FORMS = ("limit", "rate", "window", "pattern", "trend", "imbalance", "silence")
"""Forms of condition whose bands an override can change; of the others it can only turn the rule off."""


def resolved(rule: Rule, overrides: Iterable[Override]) -> Rule | None:
    """Return ``rule`` as it is under ``overrides`` of it, given from the widest scope to the narrowest.

    None: the rule is off there; a narrower override with ``off: false`` turns it on again. A band that an override
    changes names the override's source. Bands of a priority the rule does not have are left out (``checks`` refuses
    them), and so are fields the form does not have.
    """
    off = False
    form = next((form for form in rule.condition.forms if form in BANDED_FORMS), None)
    condition = None if form is None else getattr(rule.condition, form)
    bands: Sequence[Any] = () if condition is None else condition.bands
    for override in overrides:
        if "off" in override.model_fields_set:
            off = override.off
        changes = {change.priority: change for change in override.bands}
        bands = tuple(_merged(band, changes.get(band.priority), override.source) for band in bands)
    if off:
        return None
    if condition is None or form is None or tuple(bands) == condition.bands:
        return rule
    changed = condition.model_copy(update={"bands": tuple(bands)})
    return rule.model_copy(update={"condition": rule.condition.model_copy(update={form: changed})})


def given(change: BandOverride) -> dict[str, Any]:
    """Return the fields that a band's override gives, without the priority that names the band."""
    return {
        name: value
        for name in type(change).model_fields
        if name != "priority" and (value := getattr(change, name)) is not None
    }


def _merged(band: Band | SilenceBand, change: BandOverride | None, source: str) -> Band | SilenceBand:
    if change is None:
        return band
    fields = {name: value for name, value in given(change).items() if name in type(band).model_fields}
    if not fields:
        return band
    dropped: dict[str, Any] = {}
    for name in fields:
        dropped |= {other: None for other in _DISPLACES.get(name, ()) if other not in fields}
    return band.model_copy(update={**dropped, **fields, "source": source})
