"""Where a broker is, how to sign in, and which MQTT to speak: the parts of its URL."""

from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from firetower.core.errors import ConfigError

_PORTS = {"mqtt": 1883, "mqtts": 8883}
_VERSIONS = {"3.1.1": 4, "5": 5}
"""By the name people use, the protocol level CONNECT says."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a broker is and how to sign in; ``ca``: a PEM file of the authority to trust instead of the system's.

    ``version``: the protocol level, 4 for MQTT 3.1.1 and 5 for MQTT 5.
    """

    host: str
    port: int
    tls: bool
    user: str | None
    password: str | None
    ca: str | None
    version: int = 4

    def __str__(self) -> str:
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"


def parse_url(url: str) -> Address:
    """Return the parts of ``mqtt://user:password@host:port`` (``mqtts://…?ca=/path/ca.pem`` for TLS).

    ``?version=5`` asks for MQTT 5. Raises ConfigError that names what is wrong, without the password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as err:
        raise ConfigError(f"broker address is not a URL: {err}; write mqtt://user:password@host:1883") from err
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ConfigError(
            f"broker address {parts.scheme}://{parts.hostname or ''} is not understood; "
            "write mqtt://user:password@host:1883 (mqtts:// for TLS)"
        )
    options = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    unknown = options.keys() - {"ca", "version"}
    if unknown:
        raise ConfigError(f"broker address asks for {', '.join(sorted(unknown))}, but only ca and version can be given")
    version = options.get("version", "3.1.1")
    if version not in _VERSIONS:
        raise ConfigError(f"broker address asks for MQTT version {version!r}; there are {' and '.join(_VERSIONS)}")
    return Address(
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        tls=parts.scheme == "mqtts",
        user=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
        ca=options.get("ca"),
        version=_VERSIONS[version],
    )
