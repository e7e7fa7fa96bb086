"""Around the judging: the truth log read again, messages accounted for, the report, hooks, and what is refused."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from firetower.core.clock import SECOND
from firetower.core.errors import ConfigError, InvalidInput
from firetower.simulator.cli import simulate
from firetower.simulator.score import command
from firetower.simulator.score.accounting import Account, account
from firetower.simulator.score.conductor import HookFailed, check, hooks_of
from firetower.simulator.score.judge import Score, Seen
from firetower.simulator.score.page import html
from firetower.simulator.score.report import Limits, Report
from firetower.simulator.score.scored import write
from firetower.simulator.script_file import load_parts
from firetower.simulator.truth import About, Expected, Forbidden, Run, Sent, TruthLog, read_truth

START = 1_763_800_000 * SECOND
WHO = About("device", "mall-01", "smk-1", "mall-01/smk-1")
FIRE = Expected(
    "s", "<b>it burns</b>", WHO, "fire", (1, 1), START, START + SECOND, "烟", "event:fire", 1, 2, ("in_test",), 2
)
SENT = Sent(START + 9 * SECOND, {"telemetry": 5, "alarm": 1, "status": 0}, 6, 0, 20, 1, 0, ("act x: it failed",))
LOG = TruthLog(
    Run(START, START + SECOND, 60.0, 7, 300, ("a", "b")), [FIRE], [Forbidden("s", "no fire", WHO, "fire")], SENT
)


def test_a_truth_log_that_is_read_is_the_one_that_was_written() -> None:
    assert read_truth("\n".join(LOG.lines()), "truth.jsonl") == LOG


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        (FIRE.line(), "truth.jsonl:1: a truth log begins with the line of its run"),
        (LOG.run.line() + '\n{"kind": "alert"}', "truth.jsonl:2: is no line of a truth log: 'priority' is missing"),
        (LOG.run.line() + "\n" + FIRE.line()[:-9], "truth.jsonl:2"),
        (LOG.run.line().replace("truth/2", "truth/1"), "firetower-truth/2"),
        (LOG.run.line() + '\n{"kind": "guess"}', "none of run, alert, never, end"),
        ("[1]", "truth.jsonl:1"),
    ],
)
def test_what_is_no_truth_log_is_refused_with_its_line(text: str, says: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_truth(text, "truth.jsonl")
    assert says in str(caught.value)


def metrics(stored: float, rejected: float = 0.0, received: float = 0.0) -> dict[str, float]:
    return {
        "firetower_readings_stored_total": stored, "firetower_readings_repeated_total": 1.0,
        'firetower_messages_received_total{lane="alarm"}': received,
        'firetower_rejects_total{reason="bad_json"}': rejected,
    }  # fmt: skip


def test_every_reading_that_was_sent_is_stored_or_a_repeat_or_lost() -> None:
    counted = account(SENT, metrics(100), metrics(118, rejected=1, received=4))
    assert (counted.stored, counted.repeated, counted.received, counted.rejected) == (
        18, 0, {"alarm": 4}, {"bad_json": 1},
    )  # fmt: skip
    assert counted.readings_lost == 2
    assert account(SENT, metrics(100), metrics(120)).readings_lost == 0


@pytest.mark.parametrize(
    "unknown",
    [
        account(SENT, None, metrics(1)),
        account(SENT, metrics(100), metrics(3)),  # restarted: it counts anew
        account(SENT, metrics(0), metrics(5, rejected=9)),  # what was rejected may have held them
        account(replace(SENT, acked=5, lost=1), metrics(0), metrics(5)),
        account(replace(SENT, acked=0), metrics(0), metrics(5)),  # QoS 0: nobody promised anything
    ],
)
def test_nothing_is_called_lost_where_that_cannot_be_told(unknown: Account) -> None:
    assert unknown.readings_lost is None


@pytest.mark.parametrize(
    ("sent", "rejected", "wrong"),
    [
        (SENT, 1, {}),
        (SENT, 4, {"rejected": 3}),  # good messages thrown away
        (replace(SENT, strangers=3), 4, {}),
        (replace(SENT, acked=2, lost=4), 1, {"messages lost": 4}),
    ],
)
def test_what_the_broker_never_took_and_what_was_rejected_though_good_is_beyond_the_limits(
    sent: Sent, rejected: int, wrong: dict[str, int]
) -> None:
    counted = account(replace(sent, failed=()), metrics(0), metrics(20, rejected=rejected))
    judged = Report(replace(LOG, sent=replace(sent, failed=())), Score(), counted, Limits())
    assert {name: count for name, (count, _) in judged.counts.items() if count} == wrong
    assert judged.passed is not bool(wrong)
    assert replace(judged, limits=Limits(lost=4)).passed


def report(**limits: int) -> Report:
    stranger = Seen("7", "device", "mall-01/x", "mall-01", "x", "", "fault", 3, "event:fault", START + 3 * SECOND)
    score = Score(missed=[FIRE], false=[(stranger, "nothing happened there")])
    return Report(replace(LOG, sent=replace(SENT, failed=())), score, account(SENT, None, None), Limits(**limits))


def test_a_score_passes_within_its_limits_only_and_a_failed_act_is_beyond_any() -> None:
    assert not report().passed
    assert not report(missed=1).passed
    assert report(missed=1, false=1).passed
    assert not replace(report(missed=1, false=1), log=LOG).passed


def test_what_is_printed_says_which_rule_spoke_of_what_was_true_and_of_nothing() -> None:
    lines = list(report().text())
    table = lines[lines.index("which rule said what") + 1 :]
    assert [line.split() for line in table[:2]] == [["fire", "1", "missed", "1"], ["nothing", "event:fault", "1"]]


def test_the_report_is_complete_in_itself_and_takes_no_word_for_markup(tmp_path: Path) -> None:
    as_json, as_html = write(report(), tmp_path / "score.json")
    body = json.loads(as_json.read_text("utf-8"))
    assert (body["passed"], body["missed"][0]["step"], body["false"][0]["why"]) == (
        False, FIRE.step, "nothing happened there",
    )  # fmt: skip
    page = as_html.read_text("utf-8")
    assert page == html(report())
    assert page.count("<svg") > 2
    assert "<b>" not in page
    assert not any(word in page for word in ("http:", "https:", "src=", "<script", "@import"))


async def test_a_hook_is_told_whom_it_is_about_and_says_why_it_failed(tmp_path: Path) -> None:
    hooks = hooks_of([f"note=echo $UNIT > {tmp_path / 'said'}", "fail=echo no room; exit 3"])
    await hooks["note"]({"UNIT": "mall-01"})
    assert (tmp_path / "said").read_text("utf-8") == "mall-01\n"
    with pytest.raises(HookFailed, match="ended with 3: no room"):
        await hooks["fail"]({})


def test_a_scenario_that_needs_a_hook_or_a_service_is_refused_without_it() -> None:
    with pytest.raises(ConfigError, match="--hook database-down='COMMAND' and --hook database-up"):
        check(load_parts(("fire-database-down",)), {}, service=True)
    with pytest.raises(ConfigError, match="second-fire acts on the service"):
        check(load_parts(("second-fire",)), {}, service=False)
    check(load_parts(("second-fire", "mall-fire")), {}, service=True)


def test_a_scored_run_that_is_stopped_has_no_score_and_does_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    async def stopped(*_: object) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(command, "_played", stopped)
    app: Any = typer.Typer()
    app.command()(simulate)
    words = ["--devices", "100", "--broker", "mqtt://127.0.0.1:9", "--scenario", "mall-fire"]
    assert CliRunner().invoke(app, words).exit_code == 0
    scored = CliRunner().invoke(app, [*words, "--score", "http://127.0.0.1:9", "--user", "x"])
    assert (scored.exit_code, "NO SCORE" in scored.output) == (1, True)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--scenario", "mall-fire", "--score", "http://127.0.0.1:9"), "FIRETOWER_USER"),
        (("--scenario", "demo", "--score", "http://127.0.0.1:9", "--user", "x"), "--seconds"),
        (
            (
                "--scenario",
                "second-fire",
            ),
            "--score URL",
        ),
        (("--scenario", "power-cut", "--scenario", "mall-fire", "--hook", "nothing"), "NAME=COMMAND"),
        (("--judge", "/nowhere", "--score", "http://127.0.0.1:9"), "No such file"),
        (("--report", "x.json"), "--score URL"),
        (("--scenario", "power-cut", "--speed", "10"), "power-cut cannot be hastened"),
        (("--seconds", "-8", "--score", "http://127.0.0.1:9", "--user", "x"), "--seconds"),
    ],
)
def test_what_cannot_be_scored_is_refused_in_a_line(
    words: tuple[str, ...], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FIRETOWER_USER", "FIRETOWER_PASSWORD", "FIRETOWER_MQTT_URL"):
        monkeypatch.delenv(name, raising=False)
    app: Any = typer.Typer()
    app.command()(simulate)
    result = CliRunner().invoke(app, ["--devices", "100", "--broker", "mqtt://127.0.0.1:9", *words])
    assert result.exit_code == 1, result.output
    assert says in result.output
    assert "Traceback" not in result.output
