"""The double speaks the contract: its alerts have the fields the service writes, no more and no fewer."""

from console_double import Double

from firetower.web.alert_json import AlertOut, HistoryEntry
from firetower.web.kpis import Kpis


def test_the_doubles_alert_history_and_figures_have_the_fields_of_the_service():
    double = Double()
    alert = double.raise_alert()
    fields = {field.serialization_alias or name for name, field in AlertOut.model_fields.items()}
    assert set(alert) == fields
    assert set(double.history[alert["id"]][0]) == set(HistoryEntry.model_fields)
    assert set(double._kpis()) == set(Kpis.model_fields)
