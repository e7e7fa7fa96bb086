"""The running service without anybody at a seat: it says so by itself, and takes it back when somebody is there."""

from pathlib import Path
from typing import Any

from service import Service, signed_in
from waiting import until

PROGRAM = """
from firetower.alerts.watch import absence
absence.GRACE, absence.START_GRACE = 1_000_000, 3_000_000
absence.Absence.__init__.__defaults__ = (-2_000_000, None)
from firetower.cli import main
main()
"""
"""A start is granted 3 s, a reload one."""


async def test_a_service_without_a_seat_is_unattended_until_somebody_sits_at_one_that_sounds(
    database_url: str, nats: Any, tmp_path: Path
) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text("watch:\n  presence_every: 0s\n", "utf-8")
    service = Service(database_url, nats.url, tmp_path, duty=str(plan))
    service.program = ("-c", PROGRAM, "serve")
    try:
        await service.start()
        async with signed_in(service) as api:
            alert = await until(lambda: api.alert(rule="system_unattended", condition="active"), 30)
            assert (alert["subject_kind"], alert["class"], alert["priority"], alert["unit"]) == (
                "system", "fault", 1, None,
            )  # fmt: skip
            async with api.http.ws_connect(f"{api.url}/api/v1/live") as seat:
                while (await seat.receive_json(timeout=15))["watch"]["unattended_since"] is None:
                    pass
                await seat.send_json({"type": "shown", "alerts": [], "armed": True})
                await until(lambda: api.alert(rule="system_unattended", condition="normal"), 30)
                shift = (await api.get("/shifts", limit="1"))["items"][0]["id"]
                log = (await api.get(f"/shifts/{shift}/log"))["items"]
                ours = [each["kind"] for each in log if each["actor"] == "firetower"]
                assert ours == ["unattended", "attended"]
    finally:
        await service.stop()
