"""The other side of the hand-over: the reference receiver that ships in ``docs/``, as a thread of the test's own."""

import contextlib
import importlib.util
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

SECRET = "0123456789abcdef-119"
FILE = Path(__file__).parents[1] / "docs" / "reference" / "receiver_119.py"


def _reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location("receiver_119", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


REFERENCE = _reference()
Behaviour = REFERENCE.Behaviour


@contextlib.contextmanager
def listening(**does: Any) -> Iterator[tuple[Any, str]]:
    """Run a receiver that behaves as said; yield its desk and its address."""
    desk = REFERENCE.Desk(SECRET.encode(), behaviour=Behaviour(**does))
    server = REFERENCE.serve(desk)
    server.RequestHandlerClass.log_message = lambda *_: None
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, name="119")
    thread.start()
    try:
        yield desk, f"http://127.0.0.1:{server.server_address[1]}/alarms"
    finally:
        desk.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
