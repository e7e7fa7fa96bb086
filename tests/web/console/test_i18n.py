"""The words of the page: complete in both languages, and those of the contract in the operator's own terms."""

import ast
import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import get_args

import pytest

import firetower.web
from firetower.alerts.calls import Direction, Purpose, Result
from firetower.alerts.cameras import trouble
from firetower.alerts.cameras.taking import Moment
from firetower.alerts.duty.policies import Of
from firetower.alerts.escalation.people import Why
from firetower.alerts.handover.model import Kind, MessageState
from firetower.alerts.model import Condition, Deadline, Disposition, Hold, Method, State, Verification
from firetower.alerts.notify.letters import LetterState
from firetower.alerts.notify.wanted import HANDLED, SUPERSEDED
from firetower.alerts.verification import Channel
from firetower.core.errors import FiretowerError
from firetower.devices.contacts import Role
from firetower.devices.earth import Bearing
from firetower.devices.events import EVENTS, AlertClass
from firetower.devices.kinds import DeviceKind
from firetower.devices.metrics import catalogue
from firetower.rules.book.conditions import Aggregate
from firetower.web.camera_routes import SeenOut
from firetower.web.errors import _HTTP_WORDS
from firetower.web.handover_json import HandoverOut

CONSOLE = Path(firetower.web.__file__).parent / "console"
ZH, EN = (json.loads((CONSOLE / "i18n" / f"{name}.json").read_text()) for name in ("zh-CN", "en"))
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def test_both_languages_have_the_same_keys_in_the_same_order():
    assert list(ZH) == list(EN)


def test_both_languages_have_the_same_placeholders():
    for key in ZH:
        assert sorted(re.findall(r"\{\w+\}", ZH[key])) == sorted(re.findall(r"\{\w+\}", EN[key])), key


def test_nothing_is_left_untranslated():
    assert not [key for key, text in EN.items() if CHINESE.search(text) or not text.strip()]
    assert not [key for key, text in ZH.items() if not CHINESE.search(text)]


@pytest.mark.parametrize(
    ("group", "values"),
    [
        ("class", AlertClass),
        ("state", State),
        ("hold", [hold for hold in Hold if hold is not Hold.NONE]),
        ("condition", Condition),
        ("disposition", Disposition),
        ("kind", DeviceKind),
        ("metric", catalogue().by_name),
        ("priority", "1234"),
        ("deadline", Deadline),
        ("due_of", Deadline),
        ("verification", Verification),
        ("method", Method),
        ("channel", Channel),
        ("role", Role),
        ("nobody", Why),
        ("bearing", Bearing),
        ("sight", get_args(SeenOut.model_fields["sight"].annotation)),
        ("picture", Moment),
        ("no_picture", trouble.Why),
        ("direction", Direction),
        ("purpose", Purpose),
        ("outcome", Result),
        ("message", Kind),
        ("message_state", MessageState),
        ("handover", get_args(HandoverOut.model_fields["state"].annotation)),
        ("letter_state", LetterState),
        ("letter_why", [HANDLED, SUPERSEDED]),
        ("told_of", Of),
        ("figure_of", [*get_args(Aggregate), "rate", "pattern", "trend", "imbalance"]),
    ],
)
def test_every_value_the_contract_knows_has_a_word(group: str, values):
    assert not [value for value in values if f"{group}.{value}" not in ZH]


def codes() -> Iterator[str]:
    """Every code that an answer of the API, or a letter of the live feed, may bear."""
    kinds = [FiretowerError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    yield from (kind.code for kind in kinds if kind.__module__.split(".")[1] not in {"simulator", "cli"})
    yield from (code for code, _ in _HTTP_WORDS.values())
    for file in (CONSOLE.parents[1] / "web").glob("*.py"):
        for call in ast.walk(ast.parse(file.read_text())):
            name = getattr(call.func, "id", "") if isinstance(call, ast.Call) else ""
            if name in {"Refused", "error_response"} and isinstance(call.args[1], ast.Constant):
                yield call.args[1].value


def test_every_code_of_a_refusal_has_a_sentence_in_both_languages():
    assert set(codes()) >= {"conflict", "invalid", "session_expired", "too_many_attempts", "internal", "bad_json"}
    assert not sorted(code for code in {*codes(), "no_answer", "too_old"} if f"error.{code}" not in ZH)


def test_every_mark_the_service_puts_on_an_alert_has_a_word():
    root = CONSOLE.parents[1]
    rules = root / "rules"
    sources = [root / "devices" / "wire.py", rules / "watches" / "events.py", rules / "measured" / "limits.py"]
    marks = {
        word
        for file in sources
        for line in file.read_text().splitlines()
        if re.search(r"\bflags ?=", line)
        for word in re.findall(r"(?<!get\()\"(\w+)\"", line)
    }
    assert marks >= {"clock", "zone_assumed", "unregistered", "uncertain", "retired"}
    assert not [mark for mark in marks if f"flag.{mark}" not in ZH]


WRITES = {"entry": 2, "release": 1, "Transition": 4}  # which argument is the reason


def said(node: ast.AST, module: ModuleType, function: ast.AST) -> Iterator[str]:
    """The reasons an expression may be; of a name, what the function or the module gives it."""
    match node:
        case ast.Constant(value=str(word)):
            yield word
        case ast.IfExp():
            yield from said(node.body, module, function)
            yield from said(node.orelse, module, function)
        case ast.Attribute(attr="hold"):
            yield from (hold for hold in Hold if hold is not Hold.NONE)
        case ast.Subscript(value=ast.Name(id=name)):
            yield from getattr(module, name).values()
        case ast.Name(id=name) if hasattr(module, name):
            yield getattr(module, name)
        case ast.Name(id=name):
            for each in ast.walk(function):
                if isinstance(each, ast.Assign) and [getattr(to, "id", "") for to in each.targets] == [name]:
                    yield from said(each.value, module, function)


def written() -> Iterator[str]:
    """Every reason the alerts and the store write into a history."""
    yield from (name for name, event in EVENTS.items() if event.alert_class is None)
    for part in ("alerts", "storage"):
        root = CONSOLE.parents[1] / part
        for file in root.rglob("*.py"):
            if "migrations" in file.parts:
                continue
            name = ".".join(file.relative_to(root).with_suffix("").parts)
            module = importlib.import_module(f"firetower.{part}.{name}")
            functions = [
                each
                for each in ast.walk(ast.parse(file.read_text()))
                if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
            ]
            for function in functions:
                for call in ast.walk(function):
                    place = WRITES.get(getattr(call.func, "id", "")) if isinstance(call, ast.Call) else None
                    if place is not None and len(call.args) > place:
                        yield from said(call.args[place], module, function)


def test_every_reason_in_a_history_has_a_word():
    reasons = set(written())
    assert reasons >= {"raised", "escalated", "settled", "impaired", "overruled", "suppressed", "permit_ended", "test"}
    assert reasons >= {"receipt_missing", "followed_up", "nobody_to_tell"}
    assert not sorted(reason for reason in reasons if f"reason.{reason}" not in ZH)


@pytest.mark.parametrize(
    ("key", "term"),
    [
        ("priority.1", "特急"),
        ("priority.2", "紧急"),
        ("class.fire", "火警"),
        ("class.prealarm", "疑似火警"),
        ("state.unacknowledged", "未受理"),
        ("state.acknowledged", "已受理"),
        ("state.returned", "已恢复未受理"),
        ("state.closed", "已办结"),
        ("act.acknowledge", "受理"),
        ("sound.mute", "消音"),
        ("flag.unregistered", "未登记"),
        ("flag.provisional", "未落库"),
        ("feed.lost", "通信中断"),
        ("queue.title", "待处置警情"),
    ],
)
def test_a_term_is_the_operators(key: str, term: str):
    assert ZH[key] == term


def test_every_key_the_page_asks_for_exists_and_none_is_unused():
    source = "\n".join(path.read_text() for folder in ("app", "core", "ui") for path in (CONSOLE / folder).glob("*.js"))
    asked = set(re.findall(r"\bt\(\s*\"([\w.]+)\"", source))
    assert not asked - set(ZH)
    literal = set(re.findall(r"\"([a-z]+\.[\w.]+)\"", source))
    built = {group for group, _ in re.findall(r"`([a-z]+\.(?:\w+_)?)(\$\{)", source)}
    words = set(re.findall(r"\bword(?:InAll)?\(\"(\w+)\"", source))
    unused = [
        key
        for key in ZH
        if key not in asked | literal
        and not any(key.startswith(start) for start in built)
        and key.split(".")[0] not in words
    ]
    assert not unused
