"""The credentials file: with which account the devices of each unit sign in, as JSON or CSV."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from firetower.core.errors import ConfigError
from firetower.devices.topics import NAME
from firetower.simulator.load.wire import Account

_HEADER = ["unit", "username", "password"]
_SHAPE = '{"unit": {"username": "…", "password": "…"}, …}'
_LONGEST = 65_535  # bytes of a string in MQTT


def read(file: Path) -> dict[str, Account]:
    """Return the account of each unit in ``file``: ``.json`` is JSON, anything else CSV with a heading line.

    JSON: an object of units, or an array of objects with ``unit``, ``username``, ``password``. Raises ConfigError with
    the line of what is wrong, never with a password.
    """
    try:
        text = file.read_text("utf-8-sig")
    except UnicodeDecodeError as err:
        line = err.object[: err.start].count(b"\n") + 1
        raise ConfigError(f"{file}:{line}: not UTF-8 text; save the credentials as UTF-8") from err
    except OSError as err:
        raise ConfigError(f"the credentials {file} cannot be read: {err.strerror}; check the path") from err
    rows = _json_rows(file, text) if file.suffix.lower() == ".json" else _csv_rows(file, text)
    accounts: dict[str, Account] = {}
    for line, given in rows:
        unit, username, password = (_word(file, line, name, given.get(name)) for name in _HEADER)
        if not NAME.fullmatch(unit):
            raise ConfigError(f"{file}:{line}: unit {unit[:80]!r} is not 1 to 64 of A-Z a-z 0-9 _ -")
        if unit in accounts:
            raise ConfigError(f"{file}:{line}: unit {unit!r} stands in the file twice; leave one line of it")
        accounts[unit] = Account(username, password)
    if not accounts:
        raise ConfigError(f"{file}:1: no credentials in it; write one line for each unit: {','.join(_HEADER)}")
    return accounts


def _word(file: Path, line: int, name: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{file}:{line}: {name} is missing or no text; each unit needs {', '.join(_HEADER)}")
    if len(value.encode()) > _LONGEST:
        raise ConfigError(f"{file}:{line}: {name} is longer than the {_LONGEST} bytes MQTT takes")
    return value


def _csv_rows(file: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.reader(text.splitlines(), strict=True)
    heading: list[str] | None = None
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if not any(cells):
                continue
            if heading is None:
                heading = [cell.lower() for cell in cells]
                if sorted(heading) != sorted(_HEADER):
                    raise ConfigError(
                        f"{file}:{reader.line_num}: the heading is {','.join(cells)[:80]!r}; write {','.join(_HEADER)}"
                    )
            elif len(cells) != len(heading):
                raise ConfigError(
                    f"{file}:{reader.line_num}: {len(cells)} fields, not {len(heading)}; "
                    "put a field with a comma in quotes"
                )
            else:
                # a password may begin or end with a space; the other fields may not
                yield (
                    reader.line_num,
                    {
                        name: raw if name == "password" else cell
                        for name, cell, raw in zip(heading, cells, row, strict=True)
                    },
                )
    except csv.Error as err:
        raise ConfigError(f"{file}:{reader.line_num}: not CSV: {err}") from err


def _json_rows(file: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        given = json.loads(text, object_pairs_hook=_Pairs)
    except json.JSONDecodeError as err:
        raise ConfigError(f"{file}:{err.lineno}: not JSON: {err.msg}; write {_SHAPE}") from err
    items: list[tuple[Any, Any]]
    if isinstance(given, _Pairs):
        items = list(given)
    elif isinstance(given, list):
        items = [(dict(one).get("unit") if isinstance(one, _Pairs) else None, one) for one in given]
    else:
        raise ConfigError(f"{file}:1: neither an object nor an array; write {_SHAPE}")
    begin = 0
    for unit, one in items:
        # JSON's parser keeps no positions; the unit's name, looked for in order, is where its entry begins
        found = text.find(json.dumps(unit, ensure_ascii=False), begin) if isinstance(unit, str) else -1
        begin = max(found, begin)
        line = text.count("\n", 0, begin) + 1
        if not isinstance(one, _Pairs):
            raise ConfigError(f"{file}:{line}: the entry of unit {unit!r} is no object; write {_SHAPE}")
        yield line, {**dict(one), "unit": unit}


class _Pairs(list[tuple[str, Any]]):
    """An object of JSON with what stands in it twice."""
