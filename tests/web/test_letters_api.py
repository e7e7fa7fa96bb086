"""Who was told of an alert over the API, what gateways tell of letters, and the page behind a letter's link."""

import json
from typing import Any

import pytest
from letter_making import new_letter

from firetower.alerts.duty.channels import GatewayChannel
from firetower.alerts.duty.plan import DutyPlan
from firetower.alerts.notify.dead_channels import verdict
from firetower.alerts.notify.signing import sign
from firetower.core.clock import SECOND, to_datetime
from firetower.storage.alert_verdicts import apply_verdicts
from firetower.storage.outbox import Outbox

SECRET = "a secret of sixteen"


@pytest.fixture
async def told(running: Any) -> str:
    """The id of a fire of which somebody is told over ``voice``, and somebody over ``mail``."""
    voice = GatewayChannel.model_validate({"kind": "voice", "name": "voice", "url": "https://x", "secret": SECRET})
    mute = GatewayChannel.model_validate({"kind": "http", "name": "mail", "url": "https://x"})
    object.__setattr__(running.site.deps, "duty", DutyPlan(channels=(voice, mute)))
    await running.sign_in()
    alert = await running.raise_alert()
    letters = [new_letter(name, int(alert), channel=name, due_at=running.clock.now()) for name in ("voice", "mail")]
    await Outbox(running.pool).put(letters, running.clock.now())
    return alert


async def listed(running: Any, alert: str) -> dict[str, Any]:
    items = (await running.get(f"/api/v1/alerts/{alert}/letters"))["items"]
    return {each["channel"]: each for each in items}


async def receipt(running: Any, reference: str, said: Any, *, secret: str = SECRET, **changed: Any) -> tuple[int, Any]:
    body = json.dumps(said).encode()
    headers = sign(secret.encode(), body, running.clock.now() + changed.pop("off_s", 0) * SECOND)
    headers |= {"Content-Type": "application/json"} | changed
    async with running.client.post(
        f"{running.url}/api/v1/letters/{reference}/receipt", data=body, headers=headers
    ) as answer:
        return answer.status, await answer.json()


async def test_what_went_to_whom_is_listed_with_its_facts(running: Any, told: str) -> None:
    letter = (await listed(running, told))["voice"]
    assert (letter["state"], letter["tries"]) == ("waiting", 0)
    assert (letter["name"], letter["reason"]) == ("王芳", "unacknowledged")
    assert [letter[f"{fact}_at"] for fact in ("sent", "delivered", "read", "acted")] == [None] * 4
    assert letter["next_try_at"] is not None
    status, _ = await running.call("GET", "/api/v1/alerts/99999/letters")
    assert status == 404


async def test_channels_tell_how_they_did(running: Any, told: str) -> None:
    """What an operator looks at when somebody says that he was not called."""
    await running.pool.execute(
        "UPDATE letter SET state = 'failed', trouble = 'status 500', tried_at = $1 WHERE channel = 'voice'",
        to_datetime(running.clock.now()),
    )
    now = running.clock.now()
    async with running.pool.acquire() as conn, conn.transaction():
        await apply_verdicts(conn, [verdict("mail", "status 401", now)], at=now)
    voice, mail = (await running.get("/api/v1/channels"))["items"]
    assert (voice["name"], voice["kind"], voice["failed"], voice["waiting"]) == ("voice", "voice", 1, 0)
    assert (voice["trouble"], voice["dead"]) == ("status 500", False)
    assert (mail["name"], mail["waiting"], mail["trouble"], mail["dead"]) == ("mail", 1, None, True)


async def test_a_gateways_receipt_is_a_fact_once(running: Any, told: str) -> None:
    reference = (await listed(running, told))["voice"]["reference"]
    for _ in range(2):
        status, letter = await receipt(running, reference, {"fact": "delivered", "word": "answered"})
        assert (status, letter["state"]) == (200, "sent"), letter
        running.clock.advance(5 * SECOND)
    at = letter["delivered_at"]
    assert at == letter["sent_at"]
    status, letter = await receipt(running, reference, {"fact": "acted", "at": "2199-01-01T00:00:00Z"})
    assert letter["acted_at"] > at
    assert letter["acted_at"] < "2199"
    status, letter = await receipt(running, reference, {"fact": "failed", "word": "line cut"})
    assert (status, letter["undelivered"], letter["delivered_at"], letter["read_at"]) == (200, True, at, None)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"secret": "another of sixteen"}, "does not match"), ({"off_s": 301}, "301 s off"), ({"off_s": -301}, "301 s"),
        ({"Firetower-Signature": "v1="}, "does not match"), ({"Firetower-Timestamp": "now"}, "is no time"),
        ({"Firetower-Signature": "v1=é"}, "does not match"),
    ],
)  # fmt: skip
async def test_a_receipt_that_anybody_could_have_sent_is_refused(
    running: Any, told: str, changed: dict[str, Any], why: str
) -> None:
    reference = (await listed(running, told))["voice"]["reference"]
    status, answer = await receipt(running, reference, {"fact": "acted"}, **changed)
    assert (status, answer["error"]["code"]) == (403, "bad_signature")
    assert why in answer["error"]["message"]
    assert (await listed(running, told))["voice"]["acted_at"] is None


async def test_receipts_of_no_letter_no_secret_and_no_fact_are_refused(running: Any, told: str) -> None:
    letters = await listed(running, told)
    assert (await receipt(running, "nobody", {"fact": "acted"}))[0] == 404
    status, answer = await receipt(running, letters["mail"]["reference"], {"fact": "acted"})
    assert (status, answer["error"]["code"]) == (403, "no_receipts")
    status, _ = await receipt(running, letters["voice"]["reference"], {"fact": "burnt"})
    assert status == 400


async def test_a_letter_is_read_when_its_button_is_pressed_not_when_a_program_looks(running: Any, told: str) -> None:
    reference = (await listed(running, told))["mail"]["reference"]
    running.headers = {}
    path = f"/api/v1/letters/{reference}"
    status, page = await running.call("GET", path)
    assert status == 200
    assert "火警" in page
    assert "我已知悉" in page
    await running.sign_in()
    assert (await listed(running, told))["mail"]["read_at"] is None
    running.headers = {"Origin": running.url, "Sec-Fetch-Site": "same-origin"}
    status, page = await running.call("POST", f"{path}/read")
    assert (status, "已确认" in page) == (200, True)
    await running.sign_in()
    assert (await listed(running, told))["mail"]["read_at"] is not None
    status, _ = await running.call("GET", "/api/v1/letters/guessed")
    assert status == 404


async def test_the_page_escapes_a_panels_words_and_tells_nothing_of_what_is_closed(running: Any, told: str) -> None:
    reference = (await listed(running, told))["mail"]["reference"]
    await running.pool.execute("UPDATE alert SET text = '<script>1</script>'")
    _, page = await running.call("GET", f"/api/v1/letters/{reference}")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    await running.pool.execute("UPDATE alert SET state = 'closed', disposition = 'false_alarm'")
    _, page = await running.call("GET", f"/api/v1/letters/{reference}")
    assert "script" not in page
    assert "已办结" in page
