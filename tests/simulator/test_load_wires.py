"""A load on the wire: a broker that stalls, breaks, refuses or says odd things, and what is counted of it."""

import asyncio
import datetime as dt
import ipaddress
import json
import ssl
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench.frames import acks, split
from bench.sink import Sink
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from load_making import Load
from waiting import until

from firetower.core.clock import SECOND, ManualClock
from firetower.core.errors import ConfigError
from firetower.devices.topics import parse_topic
from firetower.simulator.load import wires as wires_module
from firetower.simulator.load.connections import Wiring
from firetower.simulator.load.limits import Limits, broken, refused
from firetower.simulator.load.shapes import profile
from firetower.simulator.load.wire import Account


async def test_a_stalled_broker_shows_in_the_percentiles_though_it_answers_everything_in_the_end(broker: Any) -> None:
    """The open loop: what was due while the broker stood still waited, is counted with its whole wait, and was sent.

    A generator that waits for answers would send nothing meanwhile and report one long wait in a thousand.
    """
    load = Load(broker.url)
    stalled: list[int] = []
    span = SECOND // 2

    def stall(now: int) -> None:
        if not stalled and now > load.start + SECOND // 4:
            stalled.append(now)
            broker.sink.stalled = True
        elif len(stalled) == 1 and now > stalled[0] + span:
            stalled.append(load.clock.now())
            broker.sink.resume()

    made = profile("steady", 1000, seconds=1.25)
    async with load.wires.opened():
        tally = await load.send(made, watch=stall)
    begin, end = stalled
    wait = span // 2
    # due after the stall began and so long before its end that each waited at least half of it
    waited = made.count((end - wait - load.start) / SECOND) - made.count((begin - load.start) / SECOND)
    assert waited > 200
    assert tally.latency.above(wait - wait // 512) >= waited - 50  # each of 100 devices may be one off the profile
    assert tally.latency.percentile(99) > wait
    assert tally.latency.largest >= (end - begin) * 0.99
    assert tally.sent == tally.acknowledged == tally.latency.count == pytest.approx(1250, abs=100)


@pytest.mark.parametrize("connections", [3, "device"])
async def test_every_message_follows_the_contract_and_bears_its_intended_time(broker: Any, connections: Any) -> None:
    load = Load(broker.url, wiring=Wiring(connections=connections))
    async with load.wires.opened():
        tally = await load.send(profile("steady", 2000, seconds=0.4), arrival="poisson")
        assert tally.connected == (100 if connections == "device" else 3)
    assert tally.intended == tally.sent == tally.acknowledged == len(broker.sink.messages) > 700
    assert not tally.errors
    last: dict[str, tuple[int, int]] = {}
    for topic, payload in broker.sink.messages:
        name = parse_topic(topic.decode())
        if name.leaf == "status":
            assert (name.device, payload) == ("gateway", b"online")
            continue
        body = json.loads(payload)
        assert load.start - 1000 <= body["ts"] * 1000 < load.start + SECOND * 0.4
        assert len(body) > 2
        if topic in last:  # a device's own messages come in their order, none missing
            assert (body["ts"] > last[topic][0], body["seq"] - last[topic][1]) == (True, 1)
        last[topic] = (body["ts"], body["seq"])
    assert len(last) > 50


async def test_sensors_do_not_stand_still_under_a_load(broker: Any) -> None:
    """Frames are prepared, yet their values follow the city's signals."""
    load = Load(broker.url)
    async with load.wires.opened():
        await load.send(profile("steady", 1000, seconds=1.2))
    said: dict[bytes, set[float]] = {}
    for topic, payload in broker.sink.messages:
        if b"pressure" in payload:
            said.setdefault(topic, set()).add(json.loads(payload)["pressure"])
    changed = [len(values) > 1 for values in said.values()]
    assert sum(changed) > 0.8 * len(changed) > 10, "two of four decimals may be the same"


async def test_a_cut_connection_costs_what_was_in_flight_on_it_and_holds_up_no_other(broker: Any) -> None:
    """It is not let in again until the other one has sent fifty more: a generator that waited would wait for ever."""
    load = Load(broker.url, wiring=Wiring(connections=2))
    cut: list[int] = []

    def break_one(now: int) -> None:
        if not cut and now > load.start + SECOND // 5:
            cut.append(load.wires.tally.sent)
            broker.sink.refusal = 3
            broker.sink.connections[0].transport.abort()
        elif cut and load.wires.tally.sent >= cut[0] + 50:
            broker.sink.refusal = 0

    async with load.wires.opened():
        tally = await load.send(profile("steady", 1000, seconds=0.8), watch=break_one)
        broker.sink.refusal = 0  # a busy machine may have sent all before it looked again
        await until(lambda: tally.connected == 2, 20)
        load.wires.give_up()
    assert tally.intended == pytest.approx(800, abs=100)
    assert (tally.waiting, tally.in_flight, tally.dropped) == (0, 0, 0), "what waited went out after the reconnect"
    assert tally.sent == tally.acknowledged + tally.cut_off == tally.intended
    assert tally.latency.count == tally.intended, "what was cut off stands among the latencies too"
    assert tally.connected == 2
    assert any("connection" in kind for kind in tally.errors)
    if tally.cut_off:
        assert "cut off" in broken(tally, Limits())[0]


async def test_a_broker_that_says_nothing_for_a_minute_is_left_and_tried_again(broker: Any) -> None:
    clock = ManualClock()
    load = Load(broker.url, wiring=Wiring(connections=1), clock=clock)
    async with load.wires.opened():
        for _ in range(7):  # the sink does not answer a PINGREQ
            clock.advance(10 * SECOND)
            await asyncio.sleep(0.01)
        await until(lambda: load.wires.tally.errors, what="the silence to be noticed")
        assert load.wires.tally.errors == Counter({"the broker has not answered for 60 s": 1})
        await until(lambda: load.wires.tally.connected == 1 and len(broker.sink.users) == 2, what="the reconnect")


async def test_a_generator_that_was_late_gives_no_figure(broker: Any) -> None:
    """On a clock that leaps a tenth of a second between two looks, as on a machine that does not get round to it."""

    async def run(leap: int) -> str | None:
        clock = ManualClock()
        load = Load(broker.url, clock=clock)
        async with load.wires.opened():
            tally = await load.send(profile("steady", 2000, seconds=1), watch=lambda _: clock.advance(leap))
        assert tally.acknowledged == tally.intended > 1800
        return refused(tally, Limits())

    assert await run(20_000) is None
    assert "50 ms is the limit (--allow-lateness)" in (await run(100_000) or "")


async def test_messages_nobody_takes_are_dropped_beyond_a_limit_and_then_there_is_no_figure(
    broker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wires_module, "MOST_WAITING", 100)
    broker.sink.stalled = True
    load = Load(broker.url, wiring=Wiring(connections="device"))  # 64 in flight for each device
    async with load.wires.opened():
        tally = await load.send(profile("steady", 40_000, seconds=0.5), drain=0)
        load.wires.give_up()
    assert tally.dropped > 0
    assert tally.waiting <= 100
    assert tally.intended == tally.sent + tally.waiting + tally.dropped
    assert tally.in_flight == tally.sent
    assert tally.latency.count == tally.sent + tally.waiting, "what was never answered or sent counts with its wait"
    assert "lost" in (refused(tally, Limits(lateness_ms=1e9)) or "")
    assert f"{tally.unacknowledged + tally.unsent:,} of {tally.intended:,}" in broken(tally, Limits())[0]


async def test_without_acknowledgement_the_wait_for_the_network_is_the_latency(broker: Any) -> None:
    load = Load(broker.url, wiring=Wiring(qos=0))
    async with load.wires.opened():
        tally = await load.send(profile("steady", 1000, seconds=0.3))
    assert tally.sent == tally.latency.count > 200
    assert (tally.acknowledged, tally.in_flight, tally.unacknowledged) == (0, 0, 0)
    assert not broker.sink.messages, "the sink keeps messages of QoS 1 alone"


async def test_acknowledgements_cut_anywhere_among_other_packets_and_for_nothing_are_read_right() -> None:
    """PUBACKs in pieces of three bytes, a PINGRESP between, one for a message never sent: each counts once."""

    async def broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readexactly(2)
        await reader.readexactly(head[1])
        writer.write(b"\x20\x02\0\0")
        buffer, answer, said = bytearray(), bytearray(), 0
        while data := await reader.read(65_536):
            buffer += data
            for _, packet, _ in split(buffer):
                answer += acks([packet])
                said += 1
                if said % 50 == 0:
                    answer += b"\xd0\0" + acks([b"\xff\xf0"])
            while len(answer) >= 3:
                writer.write(bytes(answer[:3]))
                del answer[:3]
                await asyncio.sleep(0)
            writer.write(bytes(answer))
            answer.clear()
        writer.close()

    server = await asyncio.start_server(broker, "127.0.0.1", 0)
    load = Load(f"mqtt://127.0.0.1:{server.sockets[0].getsockname()[1]}", wiring=Wiring(connections=1))
    async with server, load.wires.opened():
        tally = await load.send(profile("steady", 2000, seconds=0.3))
        assert tally.acknowledged == tally.sent == tally.latency.count > 400
        assert tally.errors == Counter({"PUBACK for no message": tally.sent // 50})


async def test_messages_that_a_broker_refuses_are_counted_with_its_reason() -> None:
    """MQTT 5: every other PUBACK says not authorized. They are answered, and neither acknowledged nor late."""

    async def broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readexactly(2)
        await reader.readexactly(head[1])
        writer.write(b"\x20\x03\0\0\0")
        buffer, said = bytearray(), 0
        while data := await reader.read(65_536):
            buffer += data
            for _, packet, _ in split(buffer):
                said += 1
                writer.write(b"\x40\x03" + packet + b"\x87" if said % 2 else acks([packet]))
        writer.close()

    server = await asyncio.start_server(broker, "127.0.0.1", 0)
    url = f"mqtt://127.0.0.1:{server.sockets[0].getsockname()[1]}?version=5"
    load = Load(url, wiring=Wiring(connections=1))
    async with server, load.wires.opened():
        tally = await load.send(profile("steady", 1000, seconds=0.3))
        assert tally.sent > 200
        assert (tally.refused, tally.acknowledged) == ((tally.sent + 1) // 2, tally.sent // 2)
        assert tally.errors == Counter({"message refused: not authorized": tally.refused})
        assert "refused" in broken(tally, Limits())[0]
        assert (tally.in_flight, tally.latency.count) == (0, tally.acknowledged)


async def test_a_refused_account_is_told_at_the_start_and_a_window_keeps_packet_ids_apart(broker: Any) -> None:
    broker.sink.refusal = 5
    load = Load(broker.url)
    with pytest.raises(ConfigError, match=r"connection refused: not authorized.*--broker"):
        async with load.wires.opened():
            pass
    broker.sink.refusal = 0
    broker.sink.stalled = True
    load = Load(broker.url, wiring=Wiring(connections="device"))
    async with load.wires.opened():
        sending = asyncio.create_task(load.send(profile("steady", 20_000, seconds=0.5)), name="load")
        await until(lambda: load.wires.tally.waiting > 100, what="windows to be full")
        assert load.wires.tally.in_flight >= 64
        broker.sink.resume()
        tally = await sending
    assert tally.acknowledged == tally.intended


async def test_each_unit_signs_in_with_its_own_account(broker: Any) -> None:
    units = {device.unit for device in Load(broker.url).devices}
    accounts = {unit: Account(f"user of {unit}", "secret") for unit in units}
    load = Load(broker.url, wiring=Wiring(accounts=accounts))
    async with load.wires.opened():
        tally = await load.send(profile("steady", 500, seconds=0.2))
    assert sorted(broker.sink.users) == sorted(f"user of {unit}" for unit in units)
    assert tally.acknowledged == tally.intended > 0
    for number, account in enumerate(load.plan.accounts):
        carried = {load.devices[row].unit for row in np.flatnonzero(load.plan.wire == number)}
        assert carried == {account.user.removeprefix("user of ")}  # type: ignore[union-attr]


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of this machine's own address, signed by itself, with its key in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "firetower test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - dt.timedelta(1)).not_valid_after(now + dt.timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    file = tmp_path / "certificate.pem"
    pem = serialization.Encoding.PEM
    form, no_password = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file.write_bytes(made.public_bytes(pem) + key.private_bytes(pem, form, no_password))
    return file


async def test_tls_with_an_authority_of_ones_own(certificate: Path, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    sink = Sink()
    server = await sink.listen(0, context)
    url = f"mqtts://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    load = Load(url, wiring=Wiring(ca=certificate))
    async with server:
        async with load.wires.opened():
            tally = await load.send(profile("steady", 2000, seconds=0.3))
        assert tally.acknowledged == tally.intended > 400
        with pytest.raises(ConfigError, match="certificate verify failed"):
            async with Load(url).wires.opened():
                pass
        await until(lambda: not sink.connections)
    (tmp_path / "junk.pem").write_text("no certificate")
    with pytest.raises(ConfigError, match=r"junk\.pem cannot be used.*--ca"):
        Load(url, wiring=Wiring(ca=tmp_path / "junk.pem"))
    with pytest.raises(ConfigError, match="write mqtts://"):
        Load(url.replace("mqtts", "mqtt"), wiring=Wiring(ca=certificate))
