"""Back-tests over the API: an admin asks, one is done at a time, everybody of the centre reads what it told."""

import io
import json
from typing import Any

from history_making import LOOSER, NOW, at, make_history

from firetower.backtest_process import do_asked
from firetower.core.clock import ManualClock, rfc3339

PATH = "/api/v1/rules/backtests"
ASKED: dict[str, Any] = {"from": rfc3339(at(5)), "to": rfc3339(NOW), "rulebook": LOOSER}


async def test_a_back_test_is_begun_beside_the_service_and_read_when_it_is_done(running: Any) -> None:
    """202 with an id; then the figures, with the fire that would have been missed."""
    await make_history(running.pool)
    running.clock.set(NOW)
    await running.sign_in("ada")
    status, begun = await running.call("POST", PATH, json=ASKED)
    assert status == 202, begun
    assert (begun["state"], begun["asked_by"], begun["from"]) == ("running", "ada", ASKED["from"])
    assert running.begun == [begun["id"]]
    status, refused = await running.call("POST", PATH, json=ASKED)
    assert (status, refused["error"]["code"]) == (409, "conflict")
    assert begun["id"] in refused["error"]["message"]
    assert running.begun == [begun["id"]]
    await do_asked(running.pool, begun["id"], ManualClock(NOW))
    await running.sign_in("vera")
    done = await running.get(f"{PATH}/{begun['id']}")
    assert (done["state"], done["error"], done["result"]["fires"]["missed"]) == ("done", None, 1)
    listed = await running.get(PATH)
    assert [each["id"] for each in listed["items"]] == [begun["id"]]
    assert "result" not in listed["items"][0]


async def test_a_broken_rulebook_or_range_is_refused_and_nothing_is_begun(running: Any) -> None:
    """The validator's problems stand in the details, with file and line; the range's in its message."""
    await make_history(running.pool)
    running.clock.set(NOW)
    await running.sign_in("ada")
    broken = {"smoke.yaml": LOOSER["smoke.yaml"].replace("limit: 0.30 dB/m", "limit: 0.30")}
    status, refused = await running.call("POST", PATH, json=ASKED | {"rulebook": broken})
    assert status == 400
    assert any(line.startswith("smoke.yaml:") for line in refused["error"]["details"]), refused
    status, refused = await running.call("POST", PATH, json=ASKED | {"to": rfc3339(NOW + 1_000_000)})
    assert status == 400
    assert "not after now" in refused["error"]["message"]
    assert running.begun == []
    assert (await running.get(PATH))["items"] == []


async def test_only_an_admin_begins_one(running: Any) -> None:
    """An operator is told who may; one that does not exist is 404, with where they are listed."""
    await running.sign_in("olga")
    status, refused = await running.call("POST", PATH, json=ASKED)
    assert status == 403
    assert "this takes an admin" in refused["error"]["message"]
    status, refused = await running.call("GET", f"{PATH}/bt-none")
    assert status == 404
    assert PATH in refused["error"]["message"]


async def test_a_rulebook_may_be_larger_than_other_requests_but_not_without_end(running: Any) -> None:
    """The shipped rulebook alone is larger than 64 KiB; past a mebibyte the request is refused."""
    await running.sign_in("ada")
    comment = "# " + "x" * 100_000 + "\n"
    status, refused = await running.call("POST", PATH, json=ASKED | {"rulebook": {"smoke.yaml": comment}})
    assert status == 400, refused  # no rules in it
    large = io.BytesIO(json.dumps(ASKED | {"rulebook": {"smoke.yaml": comment * 11}}).encode())
    status, refused = await running.call(
        "POST", PATH, data=large, headers=running.headers | {"Content-Type": "application/json"}
    )
    assert (status, refused["error"]["code"]) == (413, "too_large")
