"""SIGKILL of the service, PostgreSQL and NATS at random moments under load."""

import pytest
from bench.soak import measure


@pytest.mark.timeout(400)
def test_what_was_acknowledged_is_stored_once_whoever_is_killed() -> None:
    """Ten kills, now and then of two at once: no reading and no fire of the ledger is lost, and none is doubled."""
    result = measure(quick=True, kills=10, seed=10, rate=300)
    assert result["kills"] >= 10
    assert set(result["killed"]) == {"service", "postgres", "nats"}
    assert result["sent"]["fires"] > 0
    assert not any(result["differences"].values()), result["differences"]
