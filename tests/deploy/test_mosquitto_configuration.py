"""deploy/mosquitto.conf on a real Mosquitto: its queue holds, and devices are kept to their topics."""

import queue
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

DEPLOY = Path(__file__).parents[2] / "deploy"
MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
PASSWD = shutil.which("mosquitto_passwd")
SECONDS = 30

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(not (MOSQUITTO and PASSWD), reason="the system has no mosquitto"),
]


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """The port of a Mosquitto on the shipped files; only its port and folders differ."""
    assert MOSQUITTO
    assert PASSWD
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number = int(probe.getsockname()[1])
    conf = (DEPLOY / "mosquitto.conf").read_text("utf-8")
    for old, new in (
        ("\nlistener 1883\n", f"\nlistener {number} 127.0.0.1\nuser root\n"),
        ("/etc/mosquitto/acl", str(DEPLOY / "mosquitto.acl")),
        ("password_file /etc/mosquitto/passwords", f"password_file {tmp_path}/passwords"),
        ("/var/lib/mosquitto/", f"{tmp_path}/"),
    ):
        assert conf.count(old) == 1, f"{old!r} stands {conf.count(old)} times in deploy/mosquitto.conf"
        conf = conf.replace(old, new)
    (tmp_path / "mosquitto.conf").write_text(conf, "utf-8")
    (tmp_path / "passwords").touch()
    for user in ("service", "device"):
        subprocess.run([PASSWD, "-b", tmp_path / "passwords", user, f"{user}-secret"], check=True)
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([MOSQUITTO, "-c", tmp_path / "mosquitto.conf"], stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", number), 1).close()
                break
            except OSError:
                said = (tmp_path / "log").read_text("utf-8", "replace")
                assert process.poll() is None, said
                assert time.monotonic() < deadline, said
                time.sleep(0.02)
        yield number
    finally:
        process.terminate()
        process.wait(SECONDS)


def _connect(port: int, user: str, client_id: str, *, clean: bool) -> tuple[mqtt.Client, "queue.Queue[str]"]:
    heard: queue.Queue[str] = queue.Queue()
    connected = threading.Event()
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id, clean_session=clean)
    client.username_pw_set(user, f"{user}-secret")
    client.on_connect = lambda _c, _u, _f, reason, _p: reason.is_failure or connected.set()
    client.on_message = lambda _c, _u, message: heard.put(f"{message.topic} {message.payload.decode()}")
    client.connect("127.0.0.1", port)
    client.loop_start()
    assert connected.wait(SECONDS), f"{user} was not let in"
    return client, heard


def _close(client: mqtt.Client) -> None:
    client.disconnect()
    client.loop_stop()


def _subscribe(client: mqtt.Client, topic: str) -> None:
    done = threading.Event()
    client.on_subscribe = lambda *_: done.set()
    client.subscribe(topic, 1)
    assert done.wait(SECONDS)


def test_a_stopped_service_misses_none_of_three_thousand_messages(port: int) -> None:
    service, _ = _connect(port, "service", "firetower-p0-telemetry", clean=False)
    _subscribe(service, "firetower/v1/+/+/telemetry")
    _close(service)
    device, _ = _connect(port, "device", "dev-1", clean=True)
    for number in range(3000):
        last = device.publish("firetower/v1/mall-01/smk-1/telemetry", str(number), qos=1)
    last.wait_for_publish(SECONDS)
    _close(device)
    again, heard = _connect(port, "service", "firetower-p0-telemetry", clean=False)
    got = [heard.get(timeout=SECONDS) for _ in range(3000)]
    _close(again)
    assert got == [f"firetower/v1/mall-01/smk-1/telemetry {number}" for number in range(3000)]


def test_a_device_may_publish_its_topics_and_nothing_else(port: int) -> None:
    service, heard = _connect(port, "service", "svc", clean=True)
    device, _ = _connect(port, "device", "dev-1", clean=True)
    _subscribe(service, "firetower/v1/#")
    for leaf in ("command", "other", "telemetry", "alarm", "status", "response"):
        device.publish(f"firetower/v1/mall-01/smk-1/{leaf}", "x", qos=1).wait_for_publish(SECONDS)
    got = [heard.get(timeout=SECONDS) for _ in range(4)]
    _close(device)
    _close(service)
    assert got == [f"firetower/v1/mall-01/smk-1/{leaf} x" for leaf in ("telemetry", "alarm", "status", "response")]


def test_only_the_service_speaks_under_the_unit_of_firetowers_own_probes(port: int) -> None:
    service, heard = _connect(port, "service", "svc", clean=True)
    device, _ = _connect(port, "device", "dev-1", clean=True)
    _subscribe(service, "firetower/v1/#")
    for leaf in ("alarm", "telemetry", "status"):
        device.publish(f"firetower/v1/_firetower/canary/{leaf}", "denied", qos=1).wait_for_publish(SECONDS)
    service.publish("firetower/v1/_firetower/canary/alarm", "ours", qos=1).wait_for_publish(SECONDS)
    first = heard.get(timeout=SECONDS)
    _close(device)
    _close(service)
    assert first == "firetower/v1/_firetower/canary/alarm ours"
