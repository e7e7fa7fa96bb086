"""Deadlines and policies of a duty plan: what is taken, and what is refused with its line and what is accepted."""

import re
from pathlib import Path

import pytest

from firetower.alerts.deadlines import Limits
from firetower.alerts.duty.plan import DutyPlan, load
from firetower.alerts.duty.policies import Of, Until
from firetower.core.clock import MINUTE, SECOND
from firetower.core.errors import ConfigError
from firetower.devices.contacts import Role

PLAN = """\
deadlines: {acknowledged: 45s, receipted: 1min}
channels:
  - {name: sms, kind: webhook, url: "https://gateway.example/sms", secret: "0123456789abcdef"}
policies:
  - name: fire
    of: unacknowledged
    for: {classes: [fire], units: [mall]}
    steps:
      - {after: 30s, to: [control_room, station], channels: [sms]}
      - after: 2min
        to: [duty_lead]
        channels: [sms]
        repeat: {every: 2min, at_most: 30}
"""


def plan(tmp_path: Path, text: str) -> DutyPlan:
    file = tmp_path / "our.yaml"
    file.write_text(text, "utf-8")
    return load(file, {})


def test_a_plan_says_how_long_and_who(tmp_path: Path) -> None:
    read = plan(tmp_path, PLAN)
    assert read.deadlines.limits == Limits(acknowledged=45 * SECOND, receipted=MINUTE)
    (policy,) = read.policies
    assert (policy.covered.units, policy.ends) == (("mall",), Until.ACKNOWLEDGED)
    assert [(step.after, step.most) for step in policy.steps] == [(30 * SECOND, 1), (2 * MINUTE, 31)]


_REPEAT = "        repeat: {every: 2min, at_most: 30}\n"


@pytest.mark.parametrize(
    ("given", "instead", "where", "said"),
    [
        ("45s", "11min", "1: deadlines.acknowledged", "is out of bounds; accepted: 5s to 10min (given: '11min')"),
        ("45s", "0s", "1: deadlines.acknowledged", "5s to 10min"),
        ("acknowledged: 45s", "shown: never", "1: deadlines.shown", "is not a duration"),
        ("station], channels: [sms]", "station], channels: [pager]", "9: policies[1].steps[1].channels[1]", "sms"),
        ("to: [duty_lead]", "to: [boss]", "11: policies[1].steps[2].to[1]", "'control_room'"),
        ("after: 2min", "after: 20s", "10: policies[1].steps[2].after", "is before the step above it (30s)"),
        (_REPEAT, "", "10: policies[1].steps[2]", "the last step of a policy for fires and does not repeat"),
        ("every: 2min", "every: 1s", "13: policies[1].steps[2].repeat.every", "10s to 24h"),
        ("cknowledged\n", "cknowledged\n    until: verified\n", "7: policies[1].until", "write acknowledged"),
        ("of: unacknowledged", "of: unattended", "7: policies[1].for.units", "unattended is of no unit"),
        ("of: unacknowledged", "of: asleep", "6: policies[1].of", "'unacknowledged'"),
        ("control_room, station", "station, station", "9: policies[1].steps[1].to[2]", "stands here twice; keep one"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_is_accepted(
    tmp_path: Path, given: str, instead: str, where: str, said: str
) -> None:
    assert given in PLAN
    with pytest.raises(ConfigError) as told:
        plan(tmp_path, PLAN.replace(given, instead, 1))
    (line,) = str(told.value).splitlines()[1:]
    assert line.startswith(f"  our.yaml:{where}: "), line
    assert said in line


def test_a_policy_that_no_fire_comes_under_may_end_after_one_step(tmp_path: Path) -> None:
    text = PLAN.replace(_REPEAT, "").replace("[fire]", "[hazard, fault]")
    assert plan(tmp_path, text).policies[0].steps[-1].repeat is None


def test_two_policies_of_one_name_are_told_apart_by_nobody(tmp_path: Path) -> None:
    twice = PLAN + PLAN.partition("policies:\n")[2]
    with pytest.raises(ConfigError, match=r"our\.yaml:14: policies\[2\]\.name: is the name of another policy"):
        plan(tmp_path, twice)


def test_what_somebody_copies_out_of_the_guide_is_a_plan(tmp_path: Path) -> None:
    """The example of policies with its channels, and the deadlines, which are the defaults."""
    guide = (Path(__file__).parents[2] / "docs" / "duty.md").read_text("utf-8")
    (deadlines,) = re.findall(r"```yaml\n(.*?)```", guide.partition("## Deadlines")[2].partition("\n## ")[0], re.DOTALL)
    (policies,) = re.findall(r"```yaml\n(.*?)```", guide.partition("## Policies")[2].partition("\n## ")[0], re.DOTALL)
    file = tmp_path / "our.yaml"
    file.write_text(deadlines + policies, "utf-8")
    read = load(file, {"TWILIO_TOKEN": "0123456789abcdef0123456789abcdef"})
    assert read.deadlines == DutyPlan().deadlines
    assert {each.of for each in read.policies} >= {Of.RAISED, Of.UNACKNOWLEDGED, Of.UNRECEIPTED, Of.UNATTENDED}
    said = guide.partition("## Policies")[2]
    assert [each for each in (*Of, *Role) if f"`{each}`" not in said] == [], "every word of a policy stands there"
