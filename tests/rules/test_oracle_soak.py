"""The oracle's tests with many more examples: `pytest -m soak tests/rules/test_oracle_soak.py`."""

from collections.abc import Callable
from typing import Any

import pytest
import test_engine_against_oracle as measured
import test_engine_against_oracle_groups as groups
import test_engine_rebuilt as rebuilt
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle_worlds import CALENDARS, DAILY, FAST, SLOW

EXAMPLES = 5000
PACED = (
    measured.test_engine_says_what_the_oracle_says,
    measured.test_cutting_a_stream_into_other_batches_changes_no_verdict,
    rebuilt.test_engine_rebuilt_from_what_is_stored_goes_on_as_if_it_had_never_stopped,
    rebuilt.test_checkpoint_and_what_was_stored_since_equal_a_rebuild_without_it,
)
ON_GROUPS: tuple[tuple[Callable[..., None], tuple[st.SearchStrategy[Any], ...]], ...] = (
    (
        groups.test_event_rules_say_what_the_oracle_says,
        (
            groups.event_rules("first"), groups.event_rules("second"), st.sampled_from(CALENDARS),
            groups.events_and_readings(), st.sets(st.integers(0, 40)),
        ),
    ),
    (
        groups.test_combinations_say_what_the_oracle_says,
        (groups.event_rules("first"), groups.combinations(), st.sampled_from(CALENDARS), groups.events_and_readings()),
    ),
    (
        groups.test_what_is_held_back_by_design_is_what_the_oracle_says,
        (
            groups.held_back(), groups.event_rules("first"), groups.event_rules("second"),
            groups.events_and_readings(),
        ),
    ),
)  # fmt: skip


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("pace", [FAST, SLOW, DAILY], ids=["seconds", "hours", "days"])
@pytest.mark.parametrize("test", PACED, ids=lambda test: test.__name__.removeprefix("test_"))
def test_measured_rules_for_long(test: Any, pace: int) -> None:
    """Each of the tests of measured rules, of their batches and of the rebuild, thousands of times."""
    inner = test.hypothesis.inner_test

    @settings(max_examples=EXAMPLES)
    @given(st.data())
    def again(data: st.DataObject) -> None:
        inner(pace, data)

    again()


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("test", "drawn"), ON_GROUPS, ids=lambda each: getattr(each, "__name__", ""))
def test_events_and_groups_for_long(test: Any, drawn: tuple[st.SearchStrategy[Any], ...]) -> None:
    """Each of the tests of events, combinations and suppression, thousands of times."""
    inner = test.hypothesis.inner_test

    @settings(max_examples=EXAMPLES)
    @given(st.tuples(*drawn))
    def again(given_: tuple[Any, ...]) -> None:
        inner(*given_)

    again()
