"""What a rule on trial would have raised, over the API."""

from typing import Any

from firetower.core.clock import SECOND
from firetower.ingest.ports import Work
from firetower.rules.book import rulebook
from firetower.rules.verdicts import SubjectKind, Verdict, VerdictKind
from firetower.storage.ingest import IngestStore

RULE = rulebook.shipped().rules[0]


def tried(device: str, at: int) -> Verdict:
    return Verdict(
        VerdictKind.RAISE, RULE.id, RULE.version, SubjectKind.DEVICE, f"u1/{device}", "", RULE.alert_class, 3, False,
        at, "题", "title", value=0.1, limit=0.2, shadow=True,
    )  # fmt: skip


async def test_the_alerts_of_a_rule_on_trial_are_listed_by_pages_and_counted(running: Any) -> None:
    """The rule itself says whether it is on trial; of what is no rule nothing is listed."""
    await running.sign_in()
    now = running.clock.now()
    verdicts = [tried(f"h{n}", now - n * SECOND) for n in range(3)]
    await IngestStore(running.pool, running.registry, running.clock).commit(Work("telemetry", verdicts=verdicts))
    path = f"/api/v1/rules/{RULE.id}"
    assert (await running.get(path))["shadow"] is False
    page = await running.get(f"{path}/shadow", limit="2")
    assert page["counts"] == {"open": 3, "last_24_h": 3, "last_7_d": 3}
    assert len(page["items"]) == 2
    first = page["items"][0]
    assert (first["class"], first["priority"], first["value"], first["limit"]) == (RULE.alert_class, 3, 0.1, 0.2)
    assert (first["cleared_at"], first["occurrences"], first["title"]) == (None, 1, {"zh": "题", "en": "title"})
    rest = await running.get(f"{path}/shadow", limit="2", cursor=page["next_cursor"])
    assert len(rest["items"]) == 1
    assert rest["next_cursor"] is None
    status, body = await running.call("GET", f"{path}/shadow", params={"cursor": "x"})
    assert (status, body["error"]["code"]) == (400, "invalid")
    assert (await running.call("GET", "/api/v1/rules/none/shadow"))[0] == 404
    assert (await running.get("/api/v1/alerts"))["items"] == []
