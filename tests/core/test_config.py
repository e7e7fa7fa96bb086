"""Settings come from the environment over a file over defaults, and a wrong one says what is accepted."""

from pathlib import Path

import pytest

from firetower.core.config import load_settings
from firetower.core.errors import ConfigError


@pytest.fixture(autouse=True)
def _no_settings_of_the_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in [name for name in os.environ if name.startswith("FIRETOWER_")]:
        monkeypatch.delenv(name)


def test_environment_wins_over_file_and_options_over_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "firetower.toml"
    file.write_text('http_port = 9001\nhttp_host = "0.0.0.0"\nbatch_messages = 7\n')
    monkeypatch.setenv("FIRETOWER_HTTP_PORT", "9002")
    monkeypatch.setenv("FIRETOWER_BATCH_MESSAGES", "8")
    settings = load_settings(file, batch_messages=9)
    assert (settings.http_host, settings.http_port, settings.batch_messages) == ("0.0.0.0", 9002, 9)


@pytest.mark.parametrize(("word", "meant"), [("on", True), ("off", False)])
def test_auto_register_takes_the_contracts_words(word: str, meant: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRETOWER_AUTO_REGISTER", word)
    assert load_settings().auto_register is meant


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("HTTP_PORT", "99999", "http_port"),
        ("SHIFTS", "8:00,20:00", "08:00,16:00,00:00"),
        ("SHIFTS", "08:00,08:00", "different times of day"),
        ("TIMEZONE", "Asia/Qinzhou", "Asia/Shanghai"),
        ("HTTP_PORT", "many", "http_port"),
        ("MQTT_URL", "http://broker", "mqtt://user:password@host:1883"),
        ("DATABASE_URL", "mysql://x", "postgresql://user:password@host:5432/database"),
        ("ROLE", "king", "'all', 'ingest' or 'web'"),
        ("DATABASE_URL", "postgresql://u:p@host:many/db", "postgresql://user:password@host:5432/database"),
        ("MQTT_URL", "mqtt://host:99999", "mqtt://user:password@host:1883"),
        ("PARTITIONS", "4", "this release runs the ingest as one partition"),
        ("ADMIN_PASSWORD", "short", "at least 8 characters"),
        ("DEADMAN_URL", "ping.example.org/abc", "https://host/path"),
        ("NOTIFY_URL", "https:///path", "https://host/path"),
        ("NOTIFY_SECRET", "too-short", "at least 16 characters"),
        ("NOTIFY_URL", "https://host/secret-path", "notify_url and notify_secret belong together"),
        ("NOTIFY_SECRET", "long-enough-secret", "notify_url and notify_secret belong together"),
    ],
)
def test_a_wrong_setting_names_itself_and_what_is_accepted(
    name: str, value: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"FIRETOWER_{name}", value)
    with pytest.raises(ConfigError) as caught:
        load_settings()
    assert name.lower() in str(caught.value)
    assert told in str(caught.value)


def test_an_unknown_setting_in_the_file_is_named_beside_those_there_are(tmp_path: Path) -> None:
    file = tmp_path / "firetower.toml"
    file.write_text("htp_port = 1\n")
    with pytest.raises(ConfigError, match=r"htp_port: there is no such setting.*http_port"):
        load_settings(file)


def test_the_password_inside_a_wrong_url_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRETOWER_DATABASE_URL", "mysql://user:hunter22@host/db")
    with pytest.raises(ConfigError) as caught:
        load_settings()
    assert "hunter22" not in str(caught.value)


def test_a_file_that_is_missing_or_broken_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.toml"):
        load_settings(tmp_path / "gone.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("= 1")
    with pytest.raises(ConfigError, match="not valid TOML"):
        load_settings(broken)


def test_a_wrong_password_setting_is_not_repeated_in_the_message(tmp_path: Path) -> None:
    file = tmp_path / "firetower.toml"
    file.write_text("admin_password = 12345678\n")
    with pytest.raises(ConfigError) as caught:
        load_settings(file)
    assert "12345678" not in str(caught.value)


@pytest.mark.parametrize("secret", ["too-short", "long-enough-secret"])
def test_a_signing_secret_is_never_told(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRETOWER_NOTIFY_SECRET", secret)
    with pytest.raises(ConfigError) as caught:
        load_settings()
    assert secret not in str(caught.value)


def test_what_compose_hands_over_empty_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DEADMAN_URL", "NOTIFY_URL", "NOTIFY_SECRET"):
        monkeypatch.setenv(f"FIRETOWER_{name}", "")
    settings = load_settings()
    assert (settings.deadman_url, settings.notify_url, settings.notify_secret) == (None, None, None)
