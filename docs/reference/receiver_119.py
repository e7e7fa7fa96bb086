#!/usr/bin/env python3
"""A reference receiver for the other side of Firetower's hand-over to 119 (转警); docs/handover.md tells of it.

Python's standard library only: read it, run it, copy from it. It verifies the signature and the replay window, knows a
message by its key however often it comes, keeps report, follow-ups and cancellation in order, and gives receipts 签收.

    python receiver_119.py --port 8119 --secret 0123456789abcdef

To try how a sender bears trouble it can be told to misbehave, for the first ``--times`` requests or for all:

    python receiver_119.py --secret … --fail 500 --times 3      # status 500 (or 429 with --retry-after 5), then well
    python receiver_119.py --secret … --lie key                 # answers 200 with a receipt of another key
"""

import argparse
import hashlib
import hmac
import json
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

WINDOW_S = 300
LARGEST = 1024 * 1024
KINDS = {"report", "follow_up", "cancel", "link_test"}
LIES = ("html", "empty", "key", "future", "past", "nobody")


@dataclass
class Behaviour:
    """What it does other than it should, for the next ``times`` requests; ``times`` None: for all.

    ``fail``: answers with this status; ``retry_after``: with this header; ``delay``: answers after so many seconds;
    ``lie``: answers 200 without a receipt of worth; ``hang``: begins to answer and never ends; ``redirect``: to this
    address; ``twice``: takes the message, cuts the line without an answer, and gives another receipt at the next try;
    ``later``: takes it with 202 and gives the receipt at a later try.
    """

    fail: int | None = None
    retry_after: str | None = None
    delay: float = 0.0
    lie: str | None = None
    hang: bool = False
    redirect: str | None = None
    twice: bool = False
    later: bool = False
    times: int | None = None

    def now(self) -> "Behaviour":
        """Return how to behave on this request."""
        if self.times is None:
            return self
        self.times -= 1
        return self if self.times >= 0 else Behaviour()


@dataclass
class Desk:
    """The dispatcher's desk: messages by key, in the order in which they were received, and their receipts."""

    secret: bytes
    person: str = "接警员 王芳"
    behaviour: Behaviour = field(default_factory=Behaviour)
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    bodies: dict[str, str] = field(default_factory=dict)
    receipts: dict[str, dict[str, str]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)  # the key of every request that was signed well
    numbers: "count[int]" = field(default_factory=lambda: count(1))
    lock: threading.Lock = field(default_factory=threading.Lock)
    ended: threading.Event = field(default_factory=threading.Event)

    def take(self, body: bytes, key: str | None) -> tuple[int, dict[str, Any]]:
        """Return status and answer for a message whose signature was verified."""
        try:
            message = json.loads(body)
            kind, said_key, report_key = message["kind"], message["key"], message["report_key"]
        except (ValueError, TypeError, KeyError) as err:
            return 400, {"error": f"the body is no message: {type(err).__name__} {err}"}
        if key != said_key or not isinstance(key, str):
            return 400, {"error": f"Idempotency-Key {key!r} and the body's key {said_key!r} differ"}
        if kind not in KINDS:
            return 400, {"error": f"kind {kind!r} is none of {', '.join(sorted(KINDS))}"}
        digest = hashlib.sha256(body).hexdigest()
        with self.lock:
            self.requests.append(key)
            if key in self.bodies:  # it was here before: the same answer, and nothing is done again
                if self.bodies[key] != digest:
                    return 409, {"error": f"key {key!r} came before with another body"}
                return 200, {"key": key, "receipt": self.receipts[key]}
            if kind == "link_test":  # the line is tried: nobody is called, nothing is kept
                return 200, {"key": key, "receipt": self.receipt()}
            if kind != "report" and report_key not in self.messages:
                return 409, {"error": f"the report {report_key!r} is not here yet; send it first"}
            self.messages[key], self.bodies[key] = message, digest
            self.receipts[key] = self.receipt()
            return 200, {"key": key, "receipt": self.receipts[key]}

    def receipt(self) -> dict[str, str]:
        """Return a receipt with a number of its own."""
        return {"number": f"119-{next(self.numbers):06d}", "person": self.person, "at": datetime.now(UTC).isoformat()}

    def refusal(self, body: bytes, timestamp: str | None, signature: str | None) -> str | None:
        """Return why a body is not to be believed; None when its signature and its time are good."""
        if timestamp is None or signature is None:
            return "the headers Firetower-Timestamp and Firetower-Signature are missing"
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
            return "Firetower-Timestamp is no number of seconds"
        if abs(int(timestamp) - time.time()) > WINDOW_S:  # noqa: TID251  # reason: nothing of Firetower is imported here
            return f"Firetower-Timestamp is more than {WINDOW_S} s off: an old message, or a clock that is wrong"
        good = hmac.new(self.secret, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(f"v1={good}".encode(), signature.encode("utf-8", "replace")):
            return "Firetower-Signature does not match"
        return None


class Handler(BaseHTTPRequestHandler):
    """One request; ``desk`` is set by ``serve``."""

    desk: Desk
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_POST(self) -> None:  # the name http.server calls
        """Take a message."""
        length = self.headers.get("Content-Length") or ""
        if not length.isdigit() or int(length) > LARGEST:
            self.answer(413, {"error": f"send a Content-Length of at most {LARGEST}"})
            return
        body = self.rfile.read(int(length))
        desk, does = self.desk, self.desk.behaviour.now()
        if does.delay:
            desk.ended.wait(does.delay)
        if does.redirect is not None:
            self.answer(307, {}, {"Location": does.redirect})
            return
        if does.fail is not None:
            self.answer(does.fail, {"error": "told to fail"}, {"Retry-After": does.retry_after or ""})
            return
        if does.hang:
            self.hang()
            return
        refusal = desk.refusal(body, self.headers.get("Firetower-Timestamp"), self.headers.get("Firetower-Signature"))
        if refusal is not None:
            self.answer(401, {"error": refusal})
            return
        key = self.headers.get("Idempotency-Key")
        status, said = desk.take(body, key)
        if status == 200 and does.twice and key is not None:
            with desk.lock:
                desk.receipts[key] = desk.receipt()
            self.close_connection = True
            return
        if status == 200 and does.later:
            status, said = 202, {"key": key}
        if status == 200 and does.lie is not None:
            self.lie(does.lie, said)
            return
        self.answer(status, said)

    def answer(self, status: int, said: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        """Answer with JSON."""
        self.write(status, json.dumps(said, ensure_ascii=False).encode(), "application/json", headers or {})

    def write(self, status: int, body: bytes, kind: str, headers: dict[str, str]) -> None:
        """Answer with bytes."""
        try:
            self.send_response(status)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                if value:
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
        except OSError:  # whoever sent it waits no more; it comes again
            self.close_connection = True

    def lie(self, how: str, said: dict[str, Any]) -> None:
        """Answer 200 with what is no receipt of this message."""
        receipt = dict(said["receipt"])
        if how == "html":
            self.write(200, b"<html><body>Welcome to the proxy. Please sign in.</body></html>", "text/html", {})
            return
        if how == "future":
            receipt["at"] = (datetime.now(UTC) + timedelta(hours=8)).isoformat()
        if how == "past":
            receipt["at"] = (datetime.now(UTC) - timedelta(days=1)).isoformat()
        if how == "nobody":
            receipt["person"] = " "
        lies: dict[str, dict[str, Any]] = {"empty": {}, "key": {"key": "somebody-elses", "receipt": receipt}}
        self.answer(200, lies.get(how, {"key": said["key"], "receipt": receipt}))

    def hang(self) -> None:
        """Begin an answer, and drip it for ever."""
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        try:
            while not self.desk.ended.wait(0.2):
                self.wfile.write(b" ")
                self.wfile.flush()
        except OSError:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # reason: as http.server names it
        """Say each request in a line, with what was received so far."""
        keys = ", ".join(f"{message['kind']} {key}" for key, message in self.desk.messages.items())
        sys.stdout.write(f"{format % args}; received: {keys or 'nothing'}\n")
        sys.stdout.flush()


def serve(desk: Desk, host: str = "127.0.0.1", port: int = 0) -> ThreadingHTTPServer:
    """Return a server that listens; call ``serve_forever``, and ``shutdown`` from another thread."""
    server = ThreadingHTTPServer((host, port), type("Bound", (Handler,), {"desk": desk}))
    server.daemon_threads = True
    return server


def main(arguments: list[str] | None = None) -> None:
    """Run it until Ctrl-C."""
    parser = argparse.ArgumentParser(description="A reference receiver of Firetower's hand-over to 119")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8119, help="0: any; the first line printed says which")
    parser.add_argument("--secret", required=True, help="as in the sender's duty plan, command_centre")
    parser.add_argument("--person", default=Desk.person, help="who signs the receipts")
    parser.add_argument("--fail", type=int, metavar="STATUS", help="answer with this status")
    parser.add_argument("--retry-after", metavar="SECONDS", help="with --fail: this header")
    parser.add_argument("--delay", type=float, default=0.0, metavar="SECONDS", help="answer so much later")
    parser.add_argument("--lie", choices=LIES, help="answer 200 without a receipt of this message")
    parser.add_argument("--hang", action="store_true", help="begin to answer and never end")
    parser.add_argument("--redirect", metavar="URL", help="answer with a redirect there")
    parser.add_argument("--twice", action="store_true", help="take it, cut the line, give another receipt next time")
    parser.add_argument("--later", action="store_true", help="take it with 202, without a receipt")
    parser.add_argument("--times", type=int, help="misbehave on so many requests, then behave")
    given = parser.parse_args(arguments)
    does = Behaviour(
        fail=given.fail, retry_after=given.retry_after, delay=given.delay, lie=given.lie, hang=given.hang,
        redirect=given.redirect, twice=given.twice, later=given.later, times=given.times,
    )  # fmt: skip
    desk = Desk(given.secret.encode(), given.person, does)
    server = serve(desk, given.host, given.port)
    sys.stdout.write(f"listening on http://{given.host}:{server.server_address[1]}/\n")
    sys.stdout.flush()
    try:
        server.serve_forever(poll_interval=0.1)
    except KeyboardInterrupt:
        desk.ended.set()
        server.server_close()


if __name__ == "__main__":
    main()
