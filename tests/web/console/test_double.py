"""The double speaks the contract: its alerts have the fields the service writes, no more and no fewer."""

from aiohttp import ClientSession
from console_double import Double

from firetower.web.alert_json import AlertOut, HistoryEntry
from firetower.web.call_routes import CallOut, ToCallOut
from firetower.web.contact_models import NearOut, NearStationOut, WaterOut
from firetower.web.handover_json import HandoverOut, MessageOut
from firetower.web.incident_json import IncidentOut
from firetower.web.kpis import Kpis
from firetower.web.letter_json import LetterOut
from firetower.web.self_test_routes import SelfTestOut
from firetower.web.watch_json import DraftOut, LogEntryOut, OnDutyOut, PassedOut, PersonOut, PresenceOut, WatchFrame
from firetower.web.window_json import WindowOut


def test_what_the_double_writes_has_the_fields_of_the_service():
    double = Double()
    alert = double.raise_alert()
    for written, model in (
        (alert, AlertOut),
        (double.gather(alert), IncidentOut),
        (double.announce_window(), WindowOut),
    ):
        assert set(written) == {field.serialization_alias or name for name, field in model.model_fields.items()}
    for written, model in (
        (double.contact(alert, "李四"), ToCallOut),
        (double.call(alert), CallOut),
        (double.letter(alert, "李四"), LetterOut),
        (double.message(alert), MessageOut),
        (double.hand_over(alert)["handover"], HandoverOut),
        (double.nearby(alert), NearOut),
        (double.near[alert["id"]]["water"][0], WaterOut),
        (double.near[alert["id"]]["stations"][0], NearStationOut),
    ):
        assert set(written) == set(model.model_fields), model
    assert set(double.history[alert["id"]][0]) == set(HistoryEntry.model_fields)
    assert set(double._kpis()) == set(Kpis.model_fields)


async def test_what_the_double_writes_of_the_watch_has_the_fields_of_the_service():
    async with Double().running() as double:
        double.raise_alert()
        double.put_on("wang")
        double.ask("wang")
        async with (
            ClientSession(cookies={"firetower_session": "wang"}) as http,
            http.post(f"{double.url}/api/v1/watch/handovers", json={}) as answer,
        ):
            draft = await answer.json()
        watch = double.watch_of("wang")
        for written, model in (
            (watch, WatchFrame),
            (watch["on_duty"][0], OnDutyOut),
            (watch["presence"], PresenceOut),
            (draft, DraftOut),
            (draft["alerts"][0], PassedOut),
            (double.person("li"), PersonOut),
            (double.write("note", "li"), LogEntryOut),
            (double.lack("clocks"), SelfTestOut),
        ):
            assert set(written) == {field.serialization_alias or name for name, field in model.model_fields.items()}
