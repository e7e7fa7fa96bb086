"""Settings: environment variables ``FIRETOWER_*`` over a TOML file over the defaults below."""

import os
import re
import tomllib
from datetime import time
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from firetower.core.errors import ConfigError

LEAST_PASSWORD = 8
"""Characters of the shortest password taken."""
LEAST_SECRET = 16
"""Characters of the shortest secret that signs."""


def default_data_dir() -> Path:
    """Return where embedded engines keep their data when nothing else is said.

    For root ``/var/lib/firetower``: PostgreSQL refuses to run as root, so its files must lie where an
    ordinary account can reach them. For others ``$XDG_DATA_HOME/firetower`` or ``~/.local/share/firetower``.
    """
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return Path("/var/lib/firetower")
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "firetower"


class Settings(BaseSettings):
    """Everything the service can be told. Each field is the environment variable ``FIRETOWER_<NAME>``."""

    model_config = SettingsConfigDict(env_prefix="FIRETOWER_", extra="forbid", validate_default=True)

    database_url: str | None = Field(None, description="PostgreSQL to use; absent: the embedded one")
    mqtt_url: str | None = Field(
        None, description="broker, mqtt://user:pass@host:port or mqtts://; absent: the embedded NATS server"
    )
    http_host: str = Field("127.0.0.1", description="address the console and the API listen on")
    http_port: int = Field(8080, ge=0, le=65535, description="port the console and the API listen on; 0: any")
    mqtt_port: int = Field(1883, ge=0, le=65535, description="port of the embedded broker; 0: any")
    data_dir: Path = Field(default_factory=default_data_dir, description="where embedded engines keep data")
    partitions: int = Field(1, ge=1, le=1024, description="partitions of the ingest; this release runs one")
    admin_password: SecretStr | None = Field(
        None, description="password of the first account `admin`; absent: generated and printed once"
    )
    auto_register: bool = Field(False, description="register unknown devices on first sight (the demo: on)")
    rulebook: Path | None = Field(None, description="a folder of rulebook files instead of the shipped one")
    duty: Path | None = Field(None, description="the duty plan, a YAML file; absent: the shipped one")
    map_base: str | None = Field(
        None, description="base map of the console: a .geojson or .pmtiles file, or https://host/{z}/{x}/{y}.png"
    )
    map_attribution: str | None = Field(None, description="whose base map it is, shown with it")
    map_review_number: str | None = Field(None, description="the base map's review number 审图号, shown with it")
    map_crs: Literal["wgs84", "gcj02", "bd09"] = Field("wgs84", description="coordinates the base map is drawn in")
    retention_days: int = Field(400, ge=1, description="days that readings are kept")
    batch_messages: int = Field(2000, ge=1, le=15_000, description="most messages in one transaction")
    batch_age_ms: int = Field(50, ge=1, le=10_000, description="longest a reading waits for its transaction")
    deadman_url: str | None = Field(None, description="address called every 30 s while alarms get through")
    notify_url: str | None = Field(None, description="address that provisional alarms are posted to")
    notify_secret: SecretStr | None = Field(None, description="secret that signs what is posted to notify_url")
    shifts: str = Field("08:00,20:00", description="times of day at which shifts begin, with commas between")
    timezone: str = Field("Asia/Shanghai", description="whose clock shifts and days go by, a name of the IANA database")
    target_connection: float = Field(0.90, gt=0, le=1, description="connection rate 接入率 to reach, a share of 1")
    target_online: float = Field(0.95, gt=0, le=1, description="online rate 在线率 to reach, a share of 1")
    target_intact: float = Field(0.90, gt=0, le=1, description="intact rate 完好率 to reach, a share of 1")
    forward_confirmed: bool = Field(False, description="forward by itself what a second signal confirms")
    snapshot_classes: str = Field("fire,prealarm", description="classes of alerts whose cameras are asked for pictures")
    snapshot_days: int = Field(180, ge=1, le=36_500, description="days that pictures of cameras are kept")
    role: Literal["all", "ingest", "web"] = Field("all", description="which parts this process runs")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="least level logged")

    @property
    def shift_times(self) -> tuple[time, ...]:
        """When shifts begin, by the clock of ``zone``, in order."""
        return _times(self.shifts)

    @property
    def zone(self) -> ZoneInfo:
        """Whose clock shifts and days go by."""
        return ZoneInfo(self.timezone)

    @field_validator("shifts")
    @classmethod
    def _shifts_are_times(cls, shifts: str) -> str:
        _times(shifts)
        return shifts

    @field_validator("timezone")
    @classmethod
    def _timezone_is_known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, OSError, ValueError) as err:
            raise ValueError(_ZONES) from err
        return name

    @field_validator("database_url")
    @classmethod
    def _database_scheme(cls, url: str | None) -> str | None:
        if url is not None and (urlsplit(url).scheme not in {"postgresql", "postgres"} or not _port_is_sound(url)):
            raise ValueError("must look like postgresql://user:password@host:5432/database")
        return url

    @field_validator("partitions")
    @classmethod
    def _one_partition(cls, partitions: int) -> int:
        if partitions != 1:
            raise ValueError("must be 1: this release runs the ingest as one partition")
        return partitions

    @field_validator("admin_password")
    @classmethod
    def _password_length(cls, password: SecretStr | None) -> SecretStr | None:
        if password is not None and len(password.get_secret_value()) < LEAST_PASSWORD:
            raise ValueError(f"must have at least {LEAST_PASSWORD} characters")
        return password

    @field_validator(
        "deadman_url", "notify_url", "notify_secret", "map_base", "map_attribution", "map_review_number", mode="before"
    )
    @classmethod
    def _empty_is_absent(cls, given: Any) -> Any:
        return None if given == "" else given  # as compose hands over what nobody set

    @field_validator("deadman_url", "notify_url")
    @classmethod
    def _http_scheme(cls, url: str | None) -> str | None:
        if url is not None and (
            urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname or not _port_is_sound(url)
        ):
            raise ValueError("must look like https://host/path")
        return url

    @field_validator("notify_secret")
    @classmethod
    def _secret_length(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and len(secret.get_secret_value()) < LEAST_SECRET:
            raise ValueError(f"must have at least {LEAST_SECRET} characters, for example of openssl rand -hex 24")
        return secret

    @model_validator(mode="after")
    def _signed(self) -> "Settings":
        if (self.notify_url is None) != (self.notify_secret is None):
            raise ValueError("notify_url and notify_secret belong together: set both or neither")
        return self

    @field_validator("mqtt_url")
    @classmethod
    def _mqtt_scheme(cls, url: str | None) -> str | None:
        if url is not None and (urlsplit(url).scheme not in {"mqtt", "mqtts"} or not _port_is_sound(url)):
            raise ValueError("must look like mqtt://user:password@host:1883 (mqtts:// for TLS)")
        return url


_ZONES = "must be a name of the IANA time zone database that this machine has, for example Asia/Shanghai or UTC"


def _times(shifts: str) -> tuple[time, ...]:
    given = [part.strip() for part in shifts.split(",")]
    if len(set(given)) != len(given) or not all(re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", part) for part in given):
        raise ValueError("must be different times of day with commas between, for example 08:00,16:00,00:00")
    return tuple(sorted(time.fromisoformat(part) for part in given))


def _problem(item: Any) -> str:
    name = ".".join(map(str, item["loc"])) or "settings"
    if item["type"] == "extra_forbidden":
        return f"{name}: there is no such setting; there are {', '.join(sorted(Settings.model_fields))}"
    # a problem of several settings together has all of them as its input
    given = "" if _is_secret(name) or not item["loc"] else f" (given: {item['input']!r})"
    return f"{name}: {item['msg'].removeprefix('Value error, ')}{given}"


def _is_secret(name: str) -> bool:
    return "password" in name or "secret" in name or name.endswith("_url")  # URLs carry passwords


def _port_is_sound(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


def load_settings(file: Path | None = None, **overrides: Any) -> Settings:
    """Return the settings in force: ``overrides`` (not None) over the environment over the TOML ``file``.

    Raises ConfigError naming every setting that is wrong, its value and what is accepted.
    """
    from_file: dict[str, Any] = {}
    if file is not None:
        try:
            from_file = tomllib.loads(file.read_text("utf-8"))
        except OSError as err:
            raise ConfigError(f"settings file {file} cannot be read: {err.strerror}; check --config") from err
        except tomllib.TOMLDecodeError as err:
            raise ConfigError(f"settings file {file} is not valid TOML: {err}") from err
    given = {key: value for key, value in overrides.items() if value is not None}
    in_environment = {name for name in Settings.model_fields if f"FIRETOWER_{name.upper()}" in os.environ}
    merged = {key: value for key, value in from_file.items() if key not in in_environment} | given
    try:
        return Settings(**merged)
    except ValidationError as err:
        lines = [f"  {_problem(item)}" for item in err.errors(include_url=False)]
        raise ConfigError("settings are not usable:\n" + "\n".join(lines)) from err
