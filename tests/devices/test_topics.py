"""Topics follow the contract, and a wrong one is told which part is wrong."""

import re

import pytest

from firetower.devices.topics import lane_filters, parse_topic


def test_a_topic_is_taken_apart_and_put_together_again() -> None:
    topic = parse_topic("firetower/v1/mall-01/smk_0301/telemetry")
    assert (topic.unit, topic.device, topic.leaf) == ("mall-01", "smk_0301", "telemetry")
    assert str(topic) == "firetower/v1/mall-01/smk_0301/telemetry"


@pytest.mark.parametrize(
    ("topic", "told"),
    [
        ("firetower/v1/u/d", "is not firetower/v1/"),
        ("firetower/v2/u/d/telemetry", "is not firetower/v1/"),
        ("firetower/v1/u/d/x/telemetry", "is not firetower/v1/"),
        ("firetower/v1/u u/d/telemetry", "unit 'u u'"),
        ("firetower/v1/商场/d/telemetry", "unit '商场'"),
        ("firetower/v1/u/" + "d" * 65 + "/telemetry", "1 to 64"),
        ("firetower/v1/u//telemetry", "device ''"),
        ("firetower/v1/u/d/telemetri", "ends in 'telemetri'"),
        ("", "is not firetower/v1/"),
    ],
)
def test_a_wrong_topic_names_the_wrong_part(topic: str, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        parse_topic(topic)


def test_each_lane_hears_its_own_leaf_of_every_unit() -> None:
    assert lane_filters("alarm") == ["firetower/v1/+/+/alarm"]
