"""Migrations: once or twice, alone or at once, they build exactly the tables of ``storage/tables`` and the views."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from firetower.core.errors import ConfigError, StoreUnavailable
from firetower.devices.metrics import catalogue
from firetower.storage import migrate, partitions
from firetower.storage.tables import metadata

VIEWS = {
    "readings": ["ts", "unit", "device", "metric", "channel", "value", "quality", "received_at", "committed_at"],
    "alerts": [
        "id", "unit", "device", "component", "class", "priority", "state", "hold", "condition", "disposition", "rule",
        "rule_version", "value", "limit_value", "place", "text", "device_at", "received_at", "raised_at", "shown_at",
        "acknowledged_at", "verified_at", "forwarded_at", "receipted_at", "closed_at",
        "verification", "hold_reason", "held_until", "zone", "incident_id", "metric", "figure",
    ],
    "alert_history": ["alert_id", "seq", "at", "old", "new", "actor", "reason"],
    "devices": ["unit", "device", "kind", "lon", "lat", "registered_at", "last_seen_at", "status"],
    "rates": [
        "day", "scope", "code", "units_due", "units_connected", "devices", "online", "intact", "never_reported",
        "in_maintenance", "connection_rate", "online_rate", "intact_rate", "intact_time", "as_of", "frozen_at", "late",
    ],
    "units": ["unit", "name", "category", "grid", "address", "lon", "lat", "registered_at"],
    "rejects": ["at", "lane", "topic", "reason", "payload"],
    "incidents": [
        "id", "scene", "headline_zh", "headline_en", "class", "priority", "unit", "place", "opened_at",
        "last_raised_at", "closed_at",
    ],
    "windows": [
        "id", "kind", "unit", "zone", "device", "component", "main", "starts_at", "ends_at", "reason", "measure",
        "person", "requested_by", "requested_at", "approved_by", "approved_at", "refused_by", "refused_at", "ended_by",
        "ended_at",
    ],
    "shift_log": ["id", "at", "kind", "actor", "text", "refers_to", "alert_id", "evidence"],
    "handovers": [
        "key", "alert_id", "kind", "text", "actor", "state", "created_at", "due_at", "missed_at", "first_sent_at",
        "last_sent_at", "tries", "trouble", "received_at", "receipt_number", "receipt_person", "receipt_at",
    ],
    "calls": ["id", "alert_id", "at", "by", "direction", "purpose", "role", "result"],
    "risk": ["by", "code", "name", "score", "band", "known", "parts", "since", "changed_at", "computed_at"],
    "self_tests": ["id", "kind", "unit", "at", "by", "result", "note"],
}  # fmt: skip


@pytest.fixture
async def empty_url(postgres: str) -> AsyncIterator[str]:
    base = postgres.rsplit("/", 1)[0]
    name = f"e_{uuid.uuid4().hex[:16]}"
    admin = await asyncpg.connect(f"{base}/postgres")
    await admin.execute(f"CREATE DATABASE {name}")
    yield f"{base}/{name}"
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


async def test_an_empty_database_is_brought_up_inside_a_running_loop_and_again_without_effect(empty_url: str) -> None:
    before, head = migrate.status(empty_url)
    assert before is None
    migrate.upgrade(empty_url)
    assert migrate.status(empty_url) == (head, head)
    migrate.upgrade(empty_url)
    assert migrate.status(empty_url) == (head, head)


async def test_instances_that_start_at_once_all_find_the_database_ready(empty_url: str) -> None:
    await asyncio.gather(*(asyncio.to_thread(migrate.upgrade, empty_url) for _ in range(4)))
    current, head = migrate.status(empty_url)
    assert current == head


async def test_the_migrations_build_exactly_the_tables_the_code_speaks_of(database_url: str) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(
            connection,
            opts={"include_name": lambda name, kind, _: kind != "table" or not name.startswith("reading_")},
        )
        return list(compare_metadata(context, metadata))

    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(database_url), poolclass=NullPool
    )
    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()
    assert found == []


async def test_check_constraints_in_the_database_are_those_of_the_tables(pool: asyncpg.Pool) -> None:
    stored = {
        row[0]
        for row in await pool.fetch(
            "SELECT conname FROM pg_constraint WHERE contype = 'c' AND connamespace = 'public'::regnamespace"
        )
    }
    declared = {
        str(constraint.name)
        for table in metadata.tables.values()
        for constraint in table.constraints
        if type(constraint).__name__ == "CheckConstraint"
    }
    assert {f"{name}" for name in declared} <= stored
    with pytest.raises(asyncpg.CheckViolationError):
        await pool.execute("INSERT INTO account (username, password_hash, role) VALUES ('x', 'y', 'god')")


async def test_the_views_for_analysts_have_exactly_their_columns(pool: asyncpg.Pool) -> None:
    rows = await pool.fetch(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'api'"
        " ORDER BY table_name, ordinal_position"
    )
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row["table_name"], []).append(row["column_name"])
    assert found == VIEWS


async def test_an_analyst_reads_names_and_quality_words_not_numbers(pool: asyncpg.Pool) -> None:
    await pool.execute("INSERT INTO unit (code) VALUES ('mall')")
    await pool.execute("INSERT INTO device (unit_id, name, kind) SELECT id, 'e-1', 'electrical' FROM unit")
    await pool.execute("INSERT INTO channel (id, name) VALUES (1, '2')")
    await pool.executemany(
        "INSERT INTO reading SELECT now() + $3 * interval '1 s', d.id, $1, $2, 61.5, $3, now() FROM device d",
        [(8, 1, 0), (8, 1, 1), (1, 0, 6)],
    )
    rows = await pool.fetch("SELECT unit, device, metric, channel, value, quality FROM api.readings ORDER BY ts")
    assert [tuple(row) for row in rows] == [
        ("mall", "e-1", "cable_temperature", "2", 61.5, "good"),
        ("mall", "e-1", "cable_temperature", "2", 61.5, "uncertain"),
        ("mall", "e-1", "pressure", "", 61.5, "bad"),
    ]


async def test_a_database_of_the_first_release_keeps_its_devices_and_rejects(empty_url: str) -> None:
    """What was stored before the upgrade is there after it, with nothing counted and nothing asked for."""
    await asyncio.to_thread(_upgrade_to, empty_url, "0001")
    conn = await asyncpg.connect(empty_url)
    await conn.execute("INSERT INTO unit (code) VALUES ('mall')")
    await conn.execute("INSERT INTO device (unit_id, name, kind) SELECT id, 's-1', 'smoke' FROM unit")
    await conn.execute(
        "INSERT INTO reject (at, lane, topic, reason, detail, payload) VALUES (now(), 'alarm', 't', 'bad_json', '', '')"
    )
    await asyncio.to_thread(migrate.upgrade, empty_url)
    assert tuple(await conn.fetchrow("SELECT name, seq_missed, seq_repeated, clock_skew_ms FROM device")) == (
        "s-1", 0, 0, None,
    )  # fmt: skip
    assert tuple(await conn.fetchrow("SELECT topic, replay_asked_at FROM reject")) == ("t", None)
    await conn.close()


async def test_whom_to_call_of_a_unit_is_still_known_after_contacts_have_a_table_of_their_own(empty_url: str) -> None:
    """A city that was upgraded at night must not have lost its telephone numbers."""
    await asyncio.to_thread(_upgrade_to, empty_url, "0006")
    conn = await asyncpg.connect(empty_url)
    await conn.executemany(
        "INSERT INTO unit (code, contact_name, contact_phone) VALUES ($1, $2, $3)",
        [("a", "Wang", "138 or ask Li"), ("b", None, "119"), ("c", "Zhao", " "), ("d", " ", None)],
    )
    await asyncio.to_thread(migrate.upgrade, empty_url)
    rows = await conn.fetch("SELECT owner, role, name, addresses ->> 'phone' FROM contact ORDER BY owner")
    assert [tuple(row) for row in rows] == [
        ("a", "control_room", "Wang", "138 or ask Li"), ("b", "control_room", "消控室", "119"),
        ("c", "control_room", "Zhao", None),
    ]  # fmt: skip
    await conn.close()


def _upgrade_to(url: str, revision: str) -> None:
    def to(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    async def run() -> None:
        engine = create_async_engine(
            "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(url), poolclass=NullPool
        )
        async with engine.connect() as connection:
            await connection.run_sync(to)
        await engine.dispose()

    asyncio.run(run())


async def test_the_metric_catalogue_is_written_at_every_upgrade(database_url: str, pool: asyncpg.Pool) -> None:
    await pool.execute("DELETE FROM metric WHERE name = 'gas'")
    await pool.execute("UPDATE metric SET unit = 'bar' WHERE name = 'pressure'")
    migrate.upgrade(database_url)
    rows = await pool.fetch("SELECT id, name, unit FROM metric")
    assert {(row["id"], row["name"], row["unit"]) for row in rows} == {
        (metric.number, metric.name, metric.unit) for metric in catalogue().by_name.values()
    }
    assert await pool.fetchval("SELECT name FROM channel WHERE id = 0") == ""


async def test_a_database_of_a_newer_release_is_refused_by_name(database_url: str, pool: asyncpg.Pool) -> None:
    await pool.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigError, match=r"9999.*newer"):
        migrate.upgrade(database_url)


def test_a_database_that_is_away_is_called_unavailable() -> None:
    with pytest.raises(StoreUnavailable, match="FIRETOWER_DATABASE_URL"):
        migrate.upgrade("postgresql://nobody@127.0.0.1:1/none")


async def test_where_timescaledb_is_offered_and_loaded_readings_are_a_hypertable(pool: asyncpg.Pool) -> None:
    offered = await pool.fetchval(
        "SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb')"
        " AND current_setting('timescaledb.max_background_workers', true) IS NOT NULL"
    )
    async with pool.acquire() as conn:
        if not offered:
            assert not await partitions.is_hypertable(conn)
            pytest.skip(
                "this PostgreSQL does not offer TimescaleDB (pg_available_extensions, shared_preload_libraries)"
            )
        assert await partitions.is_hypertable(conn)
    await pool.execute("INSERT INTO reading VALUES (now(), 1, 1, 0, 1.0, 0, now())")
    assert await pool.fetchval("SELECT count(*) FROM timescaledb_information.chunks") == 1


def test_alembic_needs_no_file_outside_the_package() -> None:
    folder = Path(migrate.__file__).parent / "migrations"
    assert (folder / "env.py").is_file()
    assert (folder / "script.py.mako").is_file()
    assert list((folder / "versions").glob("0001_*.py"))


def test_the_status_of_a_database_that_cannot_be_reached_says_why(postgres: str) -> None:
    for wrong, told in (
        (postgres.replace("firetower:", "firetower:not-"), "password"),
        (f"{postgres.rsplit('/', 1)[0]}/no_such_database", "no_such_database"),
    ):
        with pytest.raises(StoreUnavailable, match=told):
            migrate.status(wrong)
