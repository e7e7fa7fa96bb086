"""Letters in the whole service: a channel of the duty plan is told, over the death of the process in the middle."""

from pathlib import Path
from typing import Any

import asyncpg
from alert_making import T0, commit, fire
from letter_making import new_letter
from outside_server import receiving
from service import running
from waiting import until

from firetower.storage.outbox import Outbox

PLAN = """
channels:
- {kind: webhook, name: hook, url: "URL", secret: "${HOOK_SECRET}", answers_within: 30s}
"""


async def test_a_letter_on_its_way_when_the_service_is_killed_comes_again_under_the_same_key(
    database_url: str, nats: Any, tmp_path: Path, pool: asyncpg.Pool, monkeypatch: Any
) -> None:
    """SIGKILL between send and record; what was acknowledged meanwhile is not told."""
    monkeypatch.setenv("HOOK_SECRET", "a secret of sixteen")
    async with receiving() as receiver:
        plan = tmp_path / "duty.yaml"
        plan.write_text(PLAN.replace("URL", receiver.url), "utf-8")
        burning, answered = (await commit(pool, [fire("s1"), fire("s2")])).alert_ids
        outbox = Outbox(pool)
        await outbox.put([new_letter("lost", burning, due_at=T0)], T0)
        receiver.gate.clear()
        async with running(database_url, nats.url, tmp_path, duty=str(plan)) as service:
            await until(lambda: receiver.calls, 20, "the letter is on its way")
            await service.kill()
            await pool.execute("UPDATE alert SET state = 'acknowledged' WHERE id = $1", answered)
            await outbox.put([new_letter("late", answered, due_at=T0)], T0)
            receiver.gate.set()
            await service.start()

            async def all_are_done() -> bool:
                letters = [*await outbox.of_alert(burning), *await outbox.of_alert(answered)]
                return {each.new.key: each.state.value for each in letters} == {"lost": "sent", "late": "cancelled"}

            await until(all_are_done, 20, "one is sent, the other not wanted any more")
        assert len(receiver.calls) == 2
        assert len({call.headers["Idempotency-Key"] for call in receiver.calls}) == 1
