"""An alert is written by the feed, without its model, as REST answers it."""

import json
from dataclasses import fields

from hypothesis import given, settings
from hypothesis import strategies as st

from firetower.alerts.deadlines import SHIPPED
from firetower.alerts.handover.model import HandedOver
from firetower.alerts.model import Alert
from firetower.core.clock import HOUR, rfc3339, to_datetime
from firetower.web.alert_json import alert_bytes, alert_out

TIMES = st.integers(0, 2_000_000 * HOUR)
OF = {
    "priority": st.integers(1, 4),
    "figure": st.sampled_from(["", "rise 10min MPa", "mean - °C"]),
    "metric": st.sampled_from([None, "pressure", "current.b", "unknown"]),
    "handover": st.none() | st.builds(HandedOver, since=TIMES, due_at=TIMES),
}


def alerts() -> st.SearchStrategy[Alert]:
    """Any alert at all: whatever its members may be by their types, and words of any letters."""
    members = {}
    for each in fields(Alert):
        if each.name in OF:
            members[each.name] = OF[each.name]
        elif each.name.endswith(("_at", "_until")):
            members[each.name] = TIMES if each.type is int else st.none() | TIMES
        else:
            members[each.name] = ...
    return st.builds(Alert, **members)


@settings(max_examples=60)
@given(alerts())
def test_the_feed_writes_what_rest_answers(alert: Alert) -> None:
    """Member by member, in the same order, for alerts of any content."""
    out = alert_out(alert, SHIPPED)
    answered = json.loads(out.model_dump_json(by_alias=True))
    told = json.loads(alert_bytes(alert, SHIPPED))
    assert told == answered
    assert list(told) == list(answered)


@given(st.integers(-HOUR, 2_000_000 * HOUR))
def test_a_time_is_written_to_the_millisecond(at: int) -> None:
    """As Python's own clockwork writes it, before 1970, too."""
    assert rfc3339(at) == to_datetime(at).isoformat(timespec="milliseconds").replace("+00:00", "Z")
