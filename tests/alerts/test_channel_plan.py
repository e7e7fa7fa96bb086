"""Channels of the duty plan: examples of the guide are taken, mistakes are told with their line, secrets are not."""

import re
from pathlib import Path

import pytest

from firetower.alerts.duty.channels import AppriseChannel, GatewayChannel
from firetower.alerts.duty.plan import DutyPlan, load
from firetower.core.clock import MINUTE, SECOND
from firetower.core.errors import ConfigError

GUIDE = (Path(__file__).parents[2] / "docs" / "duty.md").read_text("utf-8")
SECRET = "fedcba9876543210fedcba9876543210"


def planned(tmp_path: Path, text: str) -> DutyPlan:
    file = tmp_path / "our.yaml"
    file.write_text(text, "utf-8")
    return load(file, dict.fromkeys(re.findall(r"\$\{(\w+)\}", text), SECRET))


def test_the_guides_examples_are_channels(tmp_path: Path) -> None:
    """What somebody copies out of docs/duty.md starts."""
    section = GUIDE.partition("## Channels")[2].partition("\n## ")[0]
    blocks = re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)
    assert len(blocks) == 4
    body = "".join(block.removeprefix("channels:\n") for block in blocks)
    plan = planned(tmp_path, "channels:\n" + body)
    assert {each.kind for each in plan.channels} == {"apprise", "webhook", "voice", "http"}
    assert SECRET not in repr(plan)


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    plan = planned(tmp_path, "channels:\n- {kind: voice, name: call, url: 'https://x/{phone}'}\n")
    (call,) = plan.channels
    assert isinstance(call, GatewayChannel)
    assert (call.form, call.address_kind, call.language, call.rate) == ("short", "phone", "zh", 60)
    assert (call.answers_within, call.dead_after) == (10 * SECOND, 2 * MINUTE)
    plan = planned(tmp_path, "channels:\n- {kind: apprise, name: sms, urls: ['json://x/{address}']}\n")
    (sms,) = plan.channels
    assert isinstance(sms, AppriseChannel)
    assert (sms.form, sms.address_kind) == ("long", "sms")


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ("{kind: fax, name: x}", "'apprise', 'webhook', 'voice', 'http'"),
        ("{kind: apprise, name: x, urls: ['nonsense://x']}", "URL 1 is none that apprise takes"),
        ("{kind: apprise, name: x, urls: ['json://x/{phone}']}", r"\{phone\} is unknown; accepted: \{address\}"),
        ("{kind: apprise, name: 'a b', urls: ['json://x']}", "should match pattern"),
        ("{kind: webhook, name: x, url: 'ftp://x', secret: '0123456789abcdef'}", "must look like https://host/path"),
        ("{kind: webhook, name: x, url: 'https://x', secret: short}", "must have at least 16 characters"),
        (
            "{kind: webhook, name: x, url: 'https://x', secret: '0123456789abcdef', rate: 0}",
            "rate: Input should be",
        ),
        ("{kind: voice, name: x, url: 'https://x', dead_after: 1s}", "dead_after: must be 10s to 1h"),
        ("{kind: voice, name: x, url: 'https://x', within: soon}", "is not a duration"),
        ("{kind: voice, name: x, url: 'https://x/{fone}'}", r"\{fone\} is unknown; accepted: \{phone\}"),
        ("{kind: voice, name: x, url: 'https://x', colour: red}", r"channels\[1\].colour: there is no such field"),
        ("{kind: voice, name: x, url: 'https://x', taken: {at: 'a..b', equals: [0]}}", "must be names with full stops"),
        ("{kind: voice, name: x, url: 'https://x', status: {url: 'https://x/{id}', at: s}}", "say with id_at where"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_is_accepted(tmp_path: Path, item: str, said: str) -> None:
    with pytest.raises(ConfigError, match=r"our\.yaml:3: .*" + said):
        planned(tmp_path, f"# ours\nchannels:\n- {item}\n")


def test_no_two_channels_have_one_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="two channels are called 'x'"):
        planned(tmp_path, "channels:\n" + "- {kind: voice, name: x, url: 'https://x'}\n" * 2)
