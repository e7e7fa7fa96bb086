"""The engine and the oracle agree on every verdict and time, whatever the rules, the stream and its batches."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import Oracle
from oracle_streams import calls_of, in_spans, led, streams
from oracle_worlds import DAILY, FAST, SLOW, Item, Reading, books, city, registry_of

from firetower.rules.book.rulebook import Rulebook
from firetower.rules.engine import Engine

PACES = pytest.mark.parametrize("pace", [FAST, SLOW, DAILY], ids=["seconds", "hours", "days"])
CUTS = st.sets(st.integers(0, 40), max_size=8)


def agree(book: Rulebook, stream: list[Item], cuts: set[int], pace: int) -> None:
    devices = city(pace)
    oracle, registry = Oracle(book, devices), registry_of(devices)
    calls = calls_of(stream, cuts)
    expected = [
        (
            span,
            oracle.tick(what)
            if isinstance(what, int)
            else oracle.evaluate([(each.device, each.component, each.sample) for each in what]),
        )
        for span, what in calls
    ]
    assert in_spans(led(Engine(book, registry), registry, calls)) == in_spans(expected)


@PACES
@settings(max_examples=80)
@given(st.data())
def test_engine_says_what_the_oracle_says(pace: int, data: st.DataObject) -> None:
    """Limits, rates, windows, patterns, trends; bands, delays, samples, scopes, schedules, trial; late and repeated."""
    agree(data.draw(books(pace)), data.draw(streams(pace)), data.draw(CUTS), pace)


def in_order(stream: list[Item]) -> list[Item]:
    """Leave out what is late: it is for one way of cutting and not for another, and has tests of its own."""
    kept: list[Item] = []
    newest: dict[tuple[int, str], int] = {}
    for item in stream:
        if isinstance(item, Reading):
            key = item.device, item.component
            if item.sample.ts <= newest.get(key, 0):
                continue
            newest[key] = item.sample.ts
        kept.append(item)
    return kept


@PACES
@settings(max_examples=30)
@given(st.data())
def test_cutting_a_stream_into_other_batches_changes_no_verdict(pace: int, data: st.DataObject) -> None:
    """One reading at a time or all that came between two ticks at once: the same verdicts at the same times.

    All latched: whether an alert that came and went is live or historical is the one thing that batches decide.
    """
    book, stream = (
        data.draw(books(pace, ("implausible", "clock_stuck"), latched=True)),
        in_order(data.draw(streams(pace, late=False))),
    )
    said = []
    for cuts in (data.draw(CUTS), data.draw(CUTS), set(range(40))):
        registry = registry_of(city(pace))
        said.append(in_spans(led(Engine(book, registry), registry, calls_of(stream, cuts))))
    assert said[0] == said[1] == said[2]
