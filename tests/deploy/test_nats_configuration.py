"""deploy/nats.conf on the real server: what each account may do, and that a session outlives its connection."""

import contextlib
import os
import queue
import re
import signal
import socket
import subprocess
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

ROOT = Path(__file__).parents[2]
CONF = ROOT / "deploy" / "nats.conf"
PROGRAM = Path(sysconfig.get_path("scripts")) / "nats-server"
SECRETS = {"NATS_SERVICE_PASSWORD": '"1e5"', "NATS_DEVICE_PASSWORD": '"0123456789"'}
UNIT_PASSWORD = "a secret of the unit"
UNIT_BCRYPT = "$2b$04$1LYXlI3PTIjkhP2GXx/EbuyEmEHvCYcHDklvicNygQbUA5YVhB666"
SECONDS = 15


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def with_unit_account(conf: str) -> str:
    """Bring the commented example of a unit's account to life, as an administrator would."""
    head, mark, example = conf.partition('    # {\n    #   user: "mall-01"')
    assert mark, "deploy/nats.conf no longer shows an account of a unit"
    block, _, tail = (mark + example).partition("\n  ]")
    block = re.sub(r"^    # ?", "    ", block, flags=re.MULTILINE)
    block, given = re.subn(r'"\$2b\$\.\.\."', f'"{UNIT_BCRYPT}"', block)
    assert given == 1, "the example no longer shows where the bcrypt of the password goes"
    return f"{head}{block}\n  ]{tail}"


class Server:
    """A server on the shipped configuration; only its ports and its folder differ."""

    def __init__(self, folder: Path, conf: str) -> None:
        self.port = free_port()
        for old, new in (
            ("  port: 1883", f"  port: {self.port}"),
            ('host: "0.0.0.0"', 'host: "127.0.0.1"'),
            ("port: 4222", "port: -1"),
            ('http: "127.0.0.1:8222"', 'http: "127.0.0.1:-1"'),
            ('store_dir: "/data"', f'store_dir: "{folder}"'),
        ):
            assert conf.count(old) == 1, f"{old!r} stands {conf.count(old)} times in deploy/nats.conf"
            conf = conf.replace(old, new)
        self._file = folder / "nats.conf"
        self._file.write_text(conf, "utf-8")
        self._log = folder / "nats.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [PROGRAM, "-c", self._file], env=os.environ | SECRETS, stdout=log, stderr=log
            )
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                assert self._process.poll() is None, self.said()
                assert time.monotonic() < deadline, self.said()
                time.sleep(0.02)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        assert self._process is not None
        self._process.send_signal(how)
        self._process.wait(SECONDS)

    def reload(self, conf_with: Callable[[str], str]) -> None:
        """Change the file and have it read again, as `docker compose kill -s HUP nats` does."""
        assert self._process is not None
        before = self.said().count("Reloaded server configuration")
        self._file.write_text(conf_with(self._file.read_text("utf-8")), "utf-8")
        self._process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + SECONDS
        while self.said().count("Reloaded server configuration") == before:
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.02)

    def said(self) -> str:
        return self._log.read_text("utf-8", "replace")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path, with_unit_account(CONF.read_text("utf-8")))
    made.start()
    yield made
    made.stop(signal.SIGKILL)  # a thousand subscriptions end slowly, and nobody needs what this server keeps


class Client:
    """A paho client that collects what it hears."""

    def __init__(self, server: Server, user: str, password: str, client_id: str, *, clean: bool = True) -> None:
        self.heard: queue.Queue[mqtt.MQTTMessage] = queue.Queue()
        self._granted: queue.Queue[list[int]] = queue.Queue()
        self._connected: queue.Queue[tuple[bool, bool]] = queue.Queue()
        self._paho = mqtt.Client(CallbackAPIVersion.VERSION2, client_id, clean_session=clean)
        self._paho.username_pw_set(user, password)
        self._paho.on_connect = self._note_connect
        self.connections = 0
        self._paho.on_message = lambda _c, _u, message: self.heard.put(message)
        self._paho.on_subscribe = lambda _c, _u, _m, codes, _p: self._granted.put([code.value for code in codes])
        self._paho.connect("127.0.0.1", server.port)
        self._paho.loop_start()
        self.accepted, self.resumed = self._connected.get(timeout=SECONDS)

    def _note_connect(self, _client: object, _data: object, flags: Any, reason: Any, _properties: object) -> None:
        self.connections += 1
        self._connected.put((not reason.is_failure, flags.session_present))

    def subscribe(self, topic: str, qos: int) -> list[int]:
        self._paho.subscribe(topic, qos)
        return self._granted.get(timeout=SECONDS)

    def publish(self, topic: str, payload: str, *, retain: bool = False) -> None:
        self._paho.publish(topic, payload, qos=1, retain=retain).wait_for_publish(SECONDS)

    def next(self) -> tuple[str, str]:
        message = self.heard.get(timeout=SECONDS)
        return message.topic, message.payload.decode()

    def close(self) -> None:
        self._paho.disconnect()
        self._paho.loop_stop()


Connect = Callable[..., Client]


@pytest.fixture
def connect(server: Server) -> Iterator[Connect]:
    opened: list[Client] = []

    def open_one(user: str, client_id: str, *, clean: bool = True, password: str | None = None) -> Client:
        known = {
            "service": SECRETS["NATS_SERVICE_PASSWORD"].strip('"'),
            "device": SECRETS["NATS_DEVICE_PASSWORD"].strip('"'),
            "mall-01": UNIT_PASSWORD,
        }
        opened.append(Client(server, user, password or known[user], client_id, clean=clean))
        return opened[-1]

    yield open_one
    for client in opened:
        client.close()


def test_the_server_accepts_the_shipped_configuration() -> None:
    checked = subprocess.run(
        [PROGRAM, "-t", "-c", CONF], env=os.environ | SECRETS, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


def test_the_server_refuses_to_start_without_its_passwords() -> None:
    bare = {name: value for name, value in os.environ.items() if name not in SECRETS}
    checked = subprocess.run([PROGRAM, "-t", "-c", CONF], env=bare, capture_output=True, text=True, check=False)
    assert checked.returncode != 0
    assert "NATS_SERVICE_PASSWORD" in checked.stderr


def test_nobody_connects_with_a_wrong_password_or_without_one(server: Server) -> None:
    for user, password in (("device", "wrong"), ("service", ""), ("", "")):
        client = Client(server, user, password, "stranger")
        assert not client.accepted
        client.close()


def test_a_device_may_publish_its_four_topics_and_nothing_else(connect: Connect) -> None:
    service, device = connect("service", "svc"), connect("device", "dev-1")
    assert service.subscribe("firetower/v1/#", 1) == [1]
    for topic in ("firetower/v1/mall-01/smk-1/command", "firetower/v1/mall-01/smk-1/other", "firetower/v1/x"):
        device.publish(topic, "denied")  # acknowledged by the server all the same
    for leaf in ("telemetry", "alarm", "status", "response"):
        device.publish(f"firetower/v1/mall-01/smk-1/{leaf}", leaf)
    for leaf in ("telemetry", "alarm", "status", "response"):
        assert service.next() == (f"firetower/v1/mall-01/smk-1/{leaf}", leaf)


def test_only_the_service_speaks_under_the_unit_of_firetowers_own_probes(connect: Connect) -> None:
    service, device = connect("service", "svc"), connect("device", "dev-1")
    assert service.subscribe("firetower/v1/#", 1) == [1]
    for leaf in ("alarm", "telemetry", "status"):
        device.publish(f"firetower/v1/_firetower/canary/{leaf}", "denied")
    service.publish("firetower/v1/_firetower/canary/alarm", "ours")
    assert service.next() == ("firetower/v1/_firetower/canary/alarm", "ours")


def test_a_device_hears_commands_and_cannot_listen_to_others(connect: Connect) -> None:
    service, device = connect("service", "svc"), connect("device", "dev-1")
    assert device.subscribe("firetower/v1/mall-01/smk-1/telemetry", 1) == [0x80]
    assert device.subscribe("firetower/v1/#", 0) == [0x80]
    assert device.subscribe("$SYS/#", 0) == [0x80]
    assert device.subscribe("firetower/v1/mall-01/smk-1/command", 0) == [0]
    assert device.subscribe("firetower/v1/mall-01/smk-2/command", 1) == [1]
    service.publish("firetower/v1/mall-01/smk-1/command", "mute")
    service.publish("firetower/v1/mall-01/smk-2/command", "self-test")
    assert sorted([device.next(), device.next()]) == [
        ("firetower/v1/mall-01/smk-1/command", "mute"),
        ("firetower/v1/mall-01/smk-2/command", "self-test"),
    ]


def test_an_account_of_a_unit_cannot_speak_for_another_unit(connect: Connect) -> None:
    service, panel = connect("service", "svc"), connect("mall-01", "panel")
    assert service.subscribe("firetower/v1/+/+/alarm", 1) == [1]
    panel.publish("firetower/v1/hospital-02/panel-1/alarm", "denied")
    panel.publish("firetower/v1/mall-01/panel-1/alarm", "allowed")
    assert service.next() == ("firetower/v1/mall-01/panel-1/alarm", "allowed")
    assert panel.subscribe("firetower/v1/hospital-02/panel-1/command", 0) == [0x80]


def test_what_was_acknowledged_waits_for_the_service_and_survives_a_killed_server(
    server: Server, connect: Connect
) -> None:
    service = connect("service", "firetower-p0-alarm", clean=False)
    assert service.subscribe("firetower/v1/+/+/alarm", 1) == [1]
    service.close()
    device = connect("device", "dev-1")
    device.publish("firetower/v1/mall-01/smk-1/alarm", "while the service was away")
    device.close()
    server.stop(signal.SIGKILL)
    server.start()
    again = connect("service", "firetower-p0-alarm", clean=False)
    assert again.resumed
    assert again.next() == ("firetower/v1/mall-01/smk-1/alarm", "while the service was away")


def test_a_retained_status_reaches_a_later_subscriber(connect: Connect) -> None:
    device = connect("device", "dev-1")
    for attempt in range(5):  # under load NATS has acknowledged one and given it to nobody
        device.publish("firetower/v1/mall-01/gw/status", "offline", retain=True)
        service = connect("service", f"svc-{attempt}")
        assert service.subscribe("firetower/v1/+/+/status", 1) == [1]
        with contextlib.suppress(queue.Empty):
            assert service.next() == ("firetower/v1/mall-01/gw/status", "offline")
            return
    pytest.fail("a retained status reached no later subscriber")


def test_a_unit_gets_its_account_without_ending_a_connection(tmp_path: Path) -> None:
    server = Server(tmp_path, CONF.read_text("utf-8"))
    server.start()
    try:
        early = Client(server, "mall-01", UNIT_PASSWORD, "panel-early")
        service = Client(server, "service", "1e5", "svc")
        assert service.subscribe("firetower/v1/+/+/alarm", 1) == [1]
        server.reload(with_unit_account)
        panel = Client(server, "mall-01", UNIT_PASSWORD, "panel")
        panel.publish("firetower/v1/mall-01/panel-1/alarm", "hello")
        assert service.next() == ("firetower/v1/mall-01/panel-1/alarm", "hello")
        assert (early.accepted, panel.accepted, service.connections) == (False, True, 1)
        for client in (early, service, panel):
            client.close()
    finally:
        server.stop()


def _packet(kind: int, body: bytes) -> bytes:
    """An MQTT packet of up to 16 KiB."""
    size = len(body)
    return bytes([kind, size]) + body if size < 128 else bytes([kind, size % 128 | 128, size // 128]) + body


def _word(text: str) -> bytes:
    return len(text).to_bytes(2, "big") + text.encode()


def test_more_than_a_thousand_subscriptions_at_qos_1_are_granted(server: Server) -> None:
    """The server's own default refuses the 1001st. Bare sockets: a paho client each would take minutes."""
    granted: list[int] = []
    with contextlib.ExitStack() as stack:
        for number in range(340):  # of three subscriptions each: their windows together may not pass 65535
            link = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), SECONDS))
            device = _word("device") + _word(SECRETS["NATS_DEVICE_PASSWORD"].strip('"'))
            link.sendall(_packet(0x10, _word("MQTT") + b"\x04\xc2\0\x3c" + _word(f"dev-{number}") + device))
            assert link.recv(4) == b"\x20\x02\0\0"
            topics = [f"firetower/v1/mall-01/d{number}-{point}/command" for point in range(3)]
            link.sendall(_packet(0x82, b"\0\x01" + b"".join(_word(topic) + b"\x01" for topic in topics)))
            answer = b""
            while len(answer) < 7:
                answer += link.recv(7 - len(answer))
            granted += answer[4:]
    assert granted == [1] * 1020
