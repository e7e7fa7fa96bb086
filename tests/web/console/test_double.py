"""The double speaks the contract: its alerts have the fields the service writes, no more and no fewer."""

from console_double import Double

from firetower.web.alert_json import AlertOut, HistoryEntry
from firetower.web.incident_json import IncidentOut
from firetower.web.kpis import Kpis
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
    assert set(double.history[alert["id"]][0]) == set(HistoryEntry.model_fields)
    assert set(double._kpis()) == set(Kpis.model_fields)
