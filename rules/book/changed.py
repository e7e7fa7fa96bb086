"""The rulebook in force with something changed, as texts of files: what a back-test tries."""

import io
import json
from collections.abc import Iterable, Mapping
from typing import Any

from ruamel.yaml import YAML

from firetower.core.errors import InvalidInput, NotFound
from firetower.rules.book.overrides import BANDED_FORMS
from firetower.rules.book.rule_files import read, rules_of
from firetower.rules.book.rulebook import Rulebook

CHANGED = "changed.yaml"
"""The file that holds what is changed; lines in problems are of it."""
REST = "in-force.yaml"
_DISPLACES = {"clear": "deadband", "deadband": "clear"}


def text_of(written: Any) -> str:
    """Return a rule as it is written, as YAML of a file with this one rule."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # reason: ruamel declares it as None
    yaml.width = 120
    out = io.StringIO()
    yaml.dump({"rules": [written]}, out)
    return out.getvalue()


def with_rules(book: Rulebook, text: str) -> dict[str, str]:
    """Return the texts of ``book`` with the rules of the YAML ``text`` in the place of those of the same ids.

    Whatever is wrong with ``text`` is for ``load_texts`` to say, with its line.
    """
    given = {placed.item.id for placed in rules_of(read(CHANGED, text))}
    return {CHANGED: text, REST: _rest(book, given)}


def with_bands(book: Rulebook, rule_id: str, bands: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the texts of ``book`` with fields of bands of a rule, by ``priority``, as given; None takes one away.

    Raises NotFound for a rule it does not have, InvalidInput for one without such a band.
    """
    written = book.written.get(rule_id)
    if written is None:
        raise NotFound(f"there is no rule {rule_id!r}; GET /api/v1/rules lists them")
    form = next((form for form in BANDED_FORMS if form in written["condition"]), None)
    if form is None:
        raise InvalidInput(
            f"rule {rule_id} is about events and has no limits to change; send its text instead", {"field": "rule"}
        )
    condition = written["condition"][form]
    there = [dict(band) for band in condition["bands"]]
    for change in bands:
        band = next((band for band in there if band["priority"] == change["priority"]), None)
        if band is None:
            has = ", ".join(str(band["priority"]) for band in there)
            raise InvalidInput(
                f"rule {rule_id} has no band of priority {change['priority']}; it has {has}", {"field": "priority"}
            )
        for name, value in change.items():
            if value is None:
                band.pop(name, None)
            else:
                band[name] = value
                band.pop(_DISPLACES.get(name, ""), None)
    changed = written | {"condition": written["condition"] | {form: condition | {"bands": there}}}
    return {CHANGED: text_of(changed), REST: _rest(book, {rule_id})}


def _rest(book: Rulebook, without: set[str]) -> str:
    """Return what is not changed; JSON is YAML, and read in a fraction of the time it takes to write YAML."""
    parts = {
        "rules": [rule for rule_id, rule in book.written.items() if rule_id not in without],
        "overrides": book.written_overrides,
        "calendar": book.written_calendar,
    }
    return json.dumps({name: part for name, part in parts.items() if part}, ensure_ascii=False, indent=1)
