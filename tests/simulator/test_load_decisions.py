"""What is decided about a load without sending one: the search for the limit, who goes over which wire, credentials."""

import json
import re
import resource
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from firetower.core.clock import SECOND
from firetower.core.errors import ConfigError
from firetower.simulator.city import build
from firetower.simulator.load import connections, credentials
from firetower.simulator.load.display import Rate, table
from firetower.simulator.load.fleet import Outcome
from firetower.simulator.load.knee import LEAST, PRECISION, Search
from firetower.simulator.load.limits import Limits, not_held
from firetower.simulator.load.measure import order
from firetower.simulator.load.order import Order
from firetower.simulator.load.report import Report
from firetower.simulator.load.shapes import profile
from firetower.simulator.load.tally import Tally
from firetower.simulator.load.wire import Account

DEVICES = build(3, 100).city.devices
UNITS = list(dict.fromkeys(device.unit for device in DEVICES))


# the search ---------------------------------------------------------------------------------------------


@given(st.floats(20, 500_000), st.floats(10, 100_000))
def test_the_search_ends_at_the_rate_a_system_just_holds(limit: float, start: float) -> None:
    """Of a system that holds every rate up to ``limit``: the answer is below it, and the next rate tried is above."""
    search = Search(start)
    while (rate := search.next()) is not None:
        search.tell(rate, None if rate <= limit else "too fast")
        assert len(search.trials) < 60
    assert search.held is not None
    assert search.failed is not None
    assert search.held.rate <= limit < search.failed.rate
    # rates of three digits: where they are coarser than the precision, they are next to each other
    assert search.failed.rate <= search.held.rate * max(PRECISION, 1.02) + 0.1
    assert len({one.rate for one in search.trials}) == len(search.trials), "no rate is tried twice"


def test_a_search_that_never_fails_stops_at_its_end_and_one_that_never_holds_at_the_least() -> None:
    capped = Search(1000, most=3000)
    while (rate := capped.next()) is not None:
        capped.tell(rate, None)
    assert [one.rate for one in capped.trials] == [1000, 1600, 2560, 3000]
    assert capped.failed is None
    dead = Search(1000)
    while (rate := dead.next()) is not None:
        dead.tell(rate, "nothing comes back")
    assert dead.held is None
    assert dead.trials[-1].rate == LEAST


def outcome(*, sent: int = 10_000, lost: int = 0, open_at_end: int = 0, latency: int = 2000) -> Outcome:
    tally = Tally(intended=sent, sent=sent, acknowledged=sent - lost, in_flight=lost)
    tally.latency.record(np.full(sent, latency))
    tally.lateness.record(np.full(sent, 500))
    made = profile("steady", 1000, seconds=10)
    return Outcome(made, tally=tally, elapsed=10 * SECOND, open_at_end=open_at_end)


def test_a_rate_holds_unless_messages_are_lost_late_or_left_over() -> None:
    limits = Limits(p99_ms=100)
    assert not_held(outcome(), limits) is None
    assert not_held(outcome(open_at_end=400), limits) is None, "less than half a second of messages"
    assert "fell behind: 700 messages" in (not_held(outcome(open_at_end=700), limits) or "")
    assert "p99 of the latency is 100" in (not_held(outcome(latency=100_500), limits) or "")
    assert "3 of 10,000 messages" in (not_held(outcome(lost=3), limits) or "")
    assert not_held(outcome(lost=3), Limits(lost=3)) is None


# the report ---------------------------------------------------------------------------------------------


def _order(**words: Any) -> Order:
    given: dict[str, Any] = {"seed": 1, "devices": 100, "pace": "demo", "arrival": "device", "workers": 1} | words
    return order("mqtt://user:geheim@127.0.0.1:1883", wiring=connections.Wiring(), **given)


def test_a_report_without_a_figure_says_why_and_keeps_the_latencies_to_itself() -> None:
    late = outcome()
    late.tally.lateness.record(np.full(200, 80_000))
    report = Report(_order(), "steady", late, Limits())
    assert report.json()["figure"] is None
    assert report.json()["each_second"] == []
    assert report.json()["accounting"]["acknowledged"] == 10_000
    assert "BEYOND LIMITS: no figure: the generator was late" in report.text()
    assert "latency" not in report.text()


def test_a_report_gives_percentiles_accounting_and_no_password() -> None:
    report = Report(_order(), "steady", outcome(lost=2), Limits())
    said = report.json()
    assert said["figure"]["latency_ms"]["p99"] == pytest.approx(2, rel=0.001)
    assert set(said["figure"]["latency_ms"]) == {"p50", "p90", "p99", "p99.9", "max", "mean", "count"}
    accounting = said["accounting"]
    assert accounting["intended"] == sum(
        accounting[name] for name in ("acknowledged", "unacknowledged", "lost_at_generator")
    )
    assert "2 of 10,000 messages were not acknowledged" in said["problems"][0]
    assert "p99.9 2.0" in report.text()
    assert "geheim" not in json.dumps(said) + report.text()


def test_the_table_of_a_run_shows_rates_latencies_and_what_went_wrong() -> None:
    tally, rate = outcome(lost=7).tally, Rate()
    table(0, Tally(), rate, "spike load")
    tally.errors["the broker closed the connection [1]"] = 3
    tally.cut_off = 7
    page = Console(width=100, record=True, file=StringIO())
    page.print(table(2, tally, rate, "spike load"))
    shown = re.sub("[ │]+", " ", page.export_text())
    for words in (
        "spike load 2 s", "intended 5,000/s 10,000", "latency p99 2.0 ms p50 2.0, max 2.0", "in flight 7",
        "lost 7 late 0", "error 3 the broker closed the connection [1]",
    ):  # fmt: skip
        assert words in shown, (words, shown)


# who goes over which connection --------------------------------------------------------------------------


def test_workers_share_all_devices_and_connections_and_an_order_survives_its_way_to_them() -> None:
    made = _order(workers=3)
    told = Order.of(json.loads(json.dumps(made.line())))
    assert told == made
    wiring = connections.Wiring("device", {"mall-01": Account("gw", "x")}, qos=0, ca=Path("/ca.pem"))
    wired = order("mqtts://h", seed=1, devices=100, pace="demo", arrival="poisson", wiring=wiring, workers=2)
    assert Order.of(json.loads(json.dumps(wired.line()))) == wired
    shares = [told.share(worker, DEVICES) for worker in range(3)]
    assert sorted(number for mine, _ in shares for number in mine.tolist()) == list(range(100))
    assert sum(len(who.accounts) for _, who in shares) == connections.DEFAULT
    for mine, who in shares:
        assert len(who.wire) == len(mine)
        assert set(who.wire.tolist()) == set(range(len(who.accounts)))


@pytest.mark.parametrize("wanted", [None, 2 * len(UNITS) + 1])
def test_accounts_of_units_never_share_a_connection(wanted: int | None) -> None:
    accounts = {unit: Account(unit, "x") for unit in UNITS}
    who = connections.plan(DEVICES, wanted, accounts)
    assert len(who.accounts) in {len(UNITS), 2 * len(UNITS)}
    for device, wire in zip(DEVICES, who.wire.tolist(), strict=True):
        assert who.accounts[wire] == accounts[device.unit]


def test_what_cannot_be_wired_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    accounts = {unit: Account(unit, "x") for unit in UNITS[1:]}
    with pytest.raises(ConfigError, match=f"no account for 1 of {len(UNITS)} units, the first {UNITS[0]}"):
        connections.plan(DEVICES, None, accounts)
    with pytest.raises(ConfigError, match=f"--connections {len(UNITS)} or more"):
        connections.plan(DEVICES, 2, dict.fromkeys(UNITS, Account("a", "b")))
    for text in ("0", "-1", "many", "2.5", ""):
        with pytest.raises(ConfigError, match="'device' for one each"):
            connections.connections(text)
    assert (connections.connections("device"), connections.connections("7")) == ("device", 7)
    with pytest.raises(ConfigError, match="fewer --workers"):
        order(
            "mqtt://h", seed=1, devices=100, pace="demo", arrival="device", workers=3,
            wiring=connections.Wiring(connections=2),
        )  # fmt: skip
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 4096))
    with pytest.raises(ConfigError, match=r"10,064 open files .* allows 4,096 \(RLIMIT_NOFILE\): raise it"):
        connections.room_for(10_000)
    raised: list[Any] = []
    monkeypatch.setattr(resource, "setrlimit", lambda *limit: raised.append(limit[1]))
    connections.room_for(2000)
    assert raised == [(2064, 4096)], "what the machine allows is taken without asking"
    with pytest.raises(ConfigError, match="ip_local_port_range"):
        connections.room_for(2000, of_all=100_000)


# credentials ---------------------------------------------------------------------------------------------

MALL = {"mall-01": Account("gw", "pa,ss ")}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", 'unit,username,password\nmall-01,gw,"pa,ss "\n'),
        ("a.csv", '\ufeffpassword, Unit,username\r\n\r\n"pa,ss ",mall-01, gw\r\n'),
        ("a.json", '{"mall-01": {"username": "gw", "password": "pa,ss "}}'),
        ("a.json", '[{"unit": "mall-01", "username": "gw", "password": "pa,ss "}]'),
    ],
)
def test_credentials_are_read_as_csv_and_json(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    assert credentials.read(tmp_path / name) == MALL


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.csv", b"unit,user\nmall-01,gw\n", ":1: the heading is"),
        ("a.csv", b"unit,username,password\nmall-01,gw\n", ":2: 2 fields, not 3"),
        ("a.csv", b"unit,username,password\nmall-01,gw,\n", ":2: password is missing"),
        ("a.csv", b"unit,username,password\na,b,geheim\n\na,b,geheim\n", ":4: unit 'a' stands in the file twice"),
        ("a.csv", b"unit,username,password\na/b,gw,geheim\n", ":2: unit 'a/b' is not 1 to 64"),
        ("a.csv", b'unit,username,password\n"a" b,gw,geheim\n', ":2: not CSV"),
        ("a.csv", b"unit,username,password\na,b,\xff\n", ":2: not UTF-8"),
        ("a.csv", b"", ":1: no credentials"),
        ("a.csv", b"unit,username,password\n", ":1: no credentials"),
        ("a.json", b'{\n"a": {"username": "b",}}', ":2: not JSON"),
        ("a.json", b'{\n"a": 5}', ":2: the entry of unit 'a' is no object"),
        ("a.json", b'{\n"a": {"username": "b", "password": 5}}', ":2: password is missing or no text"),
        ("a.json", b'[{"unit": "a", "username": "b", "password": "geheim"},\n\n5]', "the entry of unit None"),
        ("a.json", b'{"a": {"username": "b", "password": "c"},\n"a": {"username": "b", "password": "c"}}', "twice"),
        ("a.json", b"5", ":1: neither an object nor an array"),
        ("a.json", b"[]", ":1: no credentials"),
    ],
)
def test_a_bad_credentials_file_is_refused_with_its_line_and_no_password(
    tmp_path: Path, name: str, text: bytes, says: str
) -> None:
    (tmp_path / name).write_bytes(text)
    with pytest.raises(ConfigError) as caught:
        credentials.read(tmp_path / name)
    assert says in str(caught.value)
    assert name in str(caught.value)
    assert "geheim" not in str(caught.value)
