"""SIGKILL of the service, PostgreSQL and NATS at random moments under load."""

import pytest
from bench.soak import measure


@pytest.mark.soak
@pytest.mark.timeout(400)
def test_what_was_acknowledged_is_stored_once_whoever_is_killed() -> None:
    """A few kills, to hold the long run to its word (tests/integration/test_sigkill.py does ten): nothing of the ledger
    is lost, and none of it is doubled."""
    result = measure(quick=True, kills=4, seed=10, rate=300)
    assert result["kills"] >= 4
    assert set(result["killed"]) <= {"service", "postgres", "nats"}
    assert result["sent"]["fires"] > 0
    assert not any(result["differences"].values()), result["differences"]
