"""``firetower simulate`` as a tester types it."""

import json
from pathlib import Path
from typing import Any

import pytest

from firetower.devices.city import read_city


def test_write_leaves_a_registry_file_and_a_map_and_needs_no_broker(command: Any, tmp_path: Path) -> None:
    result = command("--devices", "150", "--seed", "4", "--write", str(tmp_path / "city"))
    assert result.exit_code == 0, result.output
    city, errors = read_city(json.loads((tmp_path / "city" / "city.json").read_text("utf-8")))
    assert (len(city.devices), errors) == (150, [])
    assert json.loads((tmp_path / "city" / "streets.geojson").read_text("utf-8"))["type"] == "FeatureCollection"


def test_write_does_not_publish_to_the_broker_of_the_environment(
    command: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRETOWER_MQTT_URL", "mqtt://127.0.0.1:9")
    assert command("--devices", "100", "--write", str(tmp_path)).exit_code == 0


def test_a_run_ends_by_itself_prints_its_counts_and_writes_the_truth(command: Any, nats: Any, tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    result = command(
        "--devices", "100", "--broker", nats.device_url, "--seconds", "1.5", "--quiet", "--truth", str(truth)
    )
    assert result.exit_code == 0, result.output
    assert "acked" in result.output
    lines = [json.loads(line) for line in truth.read_text("utf-8").splitlines()]
    assert lines[0]["kind"] == "run"
    assert {"class": "fire", "priority": [1, 1], "step": "fire rises", "least": 1}.items() <= lines[1].items()
    assert lines[-1]["kind"] == "end"
    assert lines[-1]["acked"] == sum(lines[-1]["published"].values())


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--devices", "3"), "take 100 to 1,000,000"),
        (("--devices", "100"), "FIRETOWER_MQTT_URL"),
        (("--devices", "100", "--broker", "mqtt://127.0.0.1:9"), "127.0.0.1:9"),
        (("--scenario", "nothing"), "alarm-storm, burnt-detector"),
        (("--broker", "http://127.0.0.1"), "mqtt://"),
        (("--broker", "mqtt://127.0.0.1:9", "--rate", "0"), "more than 0"),
        (("--broker", "mqtt://127.0.0.1:9", "--rate", "nan"), "--rate nan"),
        (("--broker", "mqtt://127.0.0.1:9", "--seconds", "inf"), "--seconds inf"),
        (("--broker", "mqtt://127.0.0.1:9", "--load", "steady", "--allow-p99", "nan"), "--allow-p99 nan"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line_with_status_1(command: Any, words: tuple[str, ...], says: str) -> None:
    result = command(*words)
    assert result.exit_code == 1
    assert says in result.output
    assert "Traceback" not in result.output


def test_help_shows_an_example(command: Any) -> None:
    assert "firetower simulate --devices" in command("--help").output
