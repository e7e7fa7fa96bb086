"""The interface for the other side: what is sent stands in its guide, and the receiver that ships does what it says."""

import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from command_centre import FILE, REFERENCE, SECRET

from firetower.alerts.duty.command_centre import CommandCentre
from firetower.alerts.handover.facts import Facts, Person, Premises, Signal, Told, Water
from firetower.alerts.handover.model import Kind
from firetower.alerts.handover.payload import compose
from firetower.alerts.handover.receipt import read
from firetower.alerts.judge import judge
from firetower.alerts.notify.signing import sign
from firetower.core.clock import HOUR, SECOND, SystemClock
from firetower.devices.events import AlertClass
from firetower.rules.verdicts import SubjectKind, Verdict, VerdictKind

GUIDE = (Path(__file__).parents[2] / "docs" / "handover.md").read_text("utf-8")
NOW = SystemClock().now()
"""For what goes by no window; a suite may come to a test of this file minutes after it was read."""


def now() -> int:
    return SystemClock().now()


def told() -> Told:
    said = Verdict(
        VerdictKind.RAISE, "r", 1, SubjectKind.DEVICE, "u/d", "2-3", AlertClass.FIRE, 1, True, NOW, "火警", "Fire"
    )  # fmt: skip
    alert = judge(None, said, NOW).alert
    assert alert is not None
    facts = Facts(
        replace(alert, id=7, unit="u", text='三楼 "东区"\u2028<b>'),
        Premises("mall", "建设路1号", 113.1, 22.3, "主楼", "三层", 3, "东区"),
        (Signal(8, "fire", "火警", "Fire", "d2", "smoke", "2-4", "三层", NOW, True),),
        (Person("keeper", "王", "138"),),
        (Water("hydrant", "w/h-1", "路口", 113.1, 22.3, 111.4, "north", False),),
    )
    return Told("k", "k", None, Kind.REPORT, "", "wang", NOW, "fz-01", facts)


def names(said: Any) -> set[str]:
    """The names of every object in a message."""
    if isinstance(said, dict):
        return set(said) | {name for each in said.values() for name in names(each)}
    return {name for each in said for name in names(each)} if isinstance(said, list) else set()


def test_every_field_of_a_message_is_explained_and_of_the_example_exists() -> None:
    sent = json.loads(compose(told(), "CGCS2000"))
    assert [name for name in sorted(names(sent)) if f"`{name}`" not in GUIDE] == []
    example = re.search(r"```json\n(\{\"interface\".*?)```", GUIDE, re.DOTALL)
    assert example
    assert names(json.loads(example[1])) <= names(sent)
    assert sent["coordinate_system"] == "CGCS2000"
    assert sent["alert"]["text"] == '三楼 "东区"\u2028<b>'


def test_every_field_of_the_plans_section_is_explained_with_its_default() -> None:
    assert [name for name in CommandCentre.model_fields if f"| `{name}` |" not in GUIDE] == []
    assert "| `tries` | `10` |" in GUIDE
    assert CommandCentre.model_fields["tries"].default == 10
    assert CommandCentre.model_fields["receipt_within"].default == 10 * SECOND


def test_the_guides_snippet_believes_what_firetower_signs_and_nothing_else() -> None:
    snippet = re.search(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    assert snippet
    space: dict[str, Any] = {}
    exec(snippet[1], space)
    signed = sign(SECRET.encode(), b"{}", now())
    timestamp, signature = signed["Firetower-Timestamp"], signed["Firetower-Signature"]
    assert space["is_good"](SECRET.encode(), timestamp, signature, b"{}")
    assert not space["is_good"](SECRET.encode(), timestamp, signature, b"{} ")
    old = sign(SECRET.encode(), b"{}", now() - HOUR)
    assert not space["is_good"](SECRET.encode(), *old.values(), b"{}")


def desk() -> Any:
    return REFERENCE.Desk(SECRET.encode())


@pytest.mark.parametrize(
    ("off", "body", "why"),
    [(0, b"{}", None), (0, b"{ }", "does not match"), (-HOUR, b"{}", "s off"), (HOUR, b"{}", "s off")],
)
def test_the_reference_believes_a_signature_within_its_window(off: int, body: bytes, why: str | None) -> None:
    signed = sign(SECRET.encode(), b"{}", now() + off)
    refusal = desk().refusal(body, signed["Firetower-Timestamp"], signed["Firetower-Signature"])
    assert refusal is None if why is None else why in refusal
    assert "missing" in desk().refusal(body, None, None)


def test_the_reference_receipts_a_message_once_however_often_it_comes() -> None:
    centre, body = desk(), compose(told(), "WGS-84")
    status, first = centre.take(body, "k")
    assert (status, centre.take(body, "k")) == (200, (200, first))
    assert read(json.dumps(first).encode(), "k", created_at=NOW, now=now()).person == "接警员 王芳"
    assert centre.take(body + b" ", "k")[0] == 409
    assert centre.take(body, "another")[0] == 400
    assert centre.take(b"[]", "k")[0] == 400
    follow_up = replace(told(), key="k2", report_key="nobody knows", kind=Kind.FOLLOW_UP)
    assert centre.take(compose(follow_up, "WGS-84"), "k2")[0] == 409
    assert list(centre.messages) == ["k"]


def test_the_reference_runs_as_a_program_of_its_own() -> None:
    with subprocess.Popen(
        [sys.executable, "-I", str(FILE), "--port", "0", "--secret", SECRET], stdout=subprocess.PIPE, text=True
    ) as program:
        try:
            assert program.stdout is not None
            url = program.stdout.readline().split()[-1]
            with pytest.raises(urllib.error.HTTPError, match="401") as refused:
                urllib.request.urlopen(urllib.request.Request(url, b"{}", method="POST"), timeout=10)
            refused.value.close()
        finally:
            program.kill()


def test_every_way_to_misbehave_is_an_option_of_the_program() -> None:
    text = FILE.read_text("utf-8")
    options = {f"--{field.name.replace('_', '-')}" for field in fields(REFERENCE.Behaviour)}
    assert [option for option in sorted(options) if f'"{option}"' not in text] == []
