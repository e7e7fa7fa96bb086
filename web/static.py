"""Serves the operator's page from memory: one revalidated index, all else immutable under the tree's hash."""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from firetower.core.errors import ConfigError
from firetower.web.errors import error_response

MARKER = b"__ASSETS__"
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "worker-src 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'"
)

_TYPES = {
    ".css": "text/css",
    ".geojson": "application/geo+json",
    ".html": "text/html",
    ".ico": "image/x-icon",
    ".js": "text/javascript",
    ".json": "application/json",
    ".mjs": "text/javascript",
    ".md": "text/plain",
    ".pmtiles": "application/vnd.pmtiles",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_SQUEEZE = {".css", ".geojson", ".html", ".js", ".json", ".mjs", ".md", ".svg", ".txt", ".webmanifest"}
_TEXT = {".css", ".html", ".js", ".json", ".mjs", ".md", ".txt"}


@dataclass(frozen=True, slots=True)
class _Asset:
    plain: bytes
    squeezed: bytes | None
    media: str
    charset: str | None
    etag: str


class ConsoleFiles:
    """The files of a folder, read and compressed once; ``version`` is the first 12 hex digits of the tree's sha256.

    ``tiles_from``: origin of a base map that is not ours, the only one beside this service that the page may ask.
    """

    def __init__(self, folder: Path, *, tiles_from: str = "") -> None:
        self._policy = CSP if not tiles_from else _with_tiles(tiles_from)
        files = {
            path.relative_to(folder).as_posix(): path
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        }
        if "index.html" not in files:
            raise ConfigError(f"the console's folder {folder} has no index.html; install Firetower again")
        content = {name: path.read_bytes() for name, path in files.items() if path.suffix != ".gz"}
        tree = hashlib.sha256()
        for name, data in content.items():
            tree.update(f"{name}\0{len(data)}\0".encode())
            tree.update(data)
        self.version = tree.hexdigest()[:12]
        index = content.pop("index.html").replace(MARKER, f"/console/{self.version}".encode())
        self._index = _asset("index.html", index)
        self._assets = {name: _asset(name, data) for name, data in content.items()}

    def add_to(self, app: web.Application) -> None:
        """Route ``/``, ``/console/`` and the assets."""
        app.router.add_get("/", _to_console)
        app.router.add_get("/console", _to_console)
        app.router.add_get("/console/", self._serve_index)
        app.router.add_get(f"/console/{self.version}/{{name:.+}}", self._serve_asset)

    async def _serve_index(self, request: web.Request) -> web.StreamResponse:
        headers = {
            "Cache-Control": "no-cache",
            "ETag": f'"{self._index.etag}"',
            "Content-Security-Policy": self._policy,
        }
        known = request.if_none_match or ()
        if any(tag.value in {self._index.etag, "*"} for tag in known):
            return web.Response(status=304, headers=headers)
        return _answer(request, self._index, headers)

    async def _serve_asset(self, request: web.Request) -> web.StreamResponse:
        asset = self._assets.get(request.match_info["name"])
        if asset is None:
            return error_response(404, "not_found", f"the console has no file {request.match_info['name']!r}")
        # the page's policy is for the page: 130 times over it would be a tenth of what crosses the wire
        headers = {"Cache-Control": "public, max-age=31536000, immutable", "ETag": f'"{asset.etag}"'}
        return _answer(request, asset, headers)


def _with_tiles(origin: str) -> str:
    return CSP.replace("img-src 'self'", f"img-src 'self' {origin}").replace(
        "connect-src 'self'", f"connect-src 'self' {origin}"
    )


async def _to_console(request: web.Request) -> web.StreamResponse:  # noqa: ARG001  # reason: aiohttp hands it in
    return web.Response(status=302, headers={"Location": "/console/"})


def _asset(name: str, data: bytes) -> _Asset:
    suffix = Path(name).suffix
    squeezed = gzip.compress(data, 9, mtime=0) if suffix in _SQUEEZE else None
    if squeezed is not None and len(squeezed) >= len(data):
        squeezed = None
    return _Asset(
        data,
        squeezed,
        _TYPES.get(suffix, "application/octet-stream"),
        "utf-8" if suffix in _TEXT else None,
        hashlib.sha256(data).hexdigest()[:16],
    )


def _answer(request: web.Request, asset: _Asset, headers: dict[str, str]) -> web.Response:
    body = asset.plain
    headers = {**headers, "Vary": "Accept-Encoding"}
    if asset.squeezed is not None and _takes_gzip(request):
        body = asset.squeezed
        headers["Content-Encoding"] = "gzip"
    return web.Response(body=body, content_type=asset.media, charset=asset.charset, headers=headers)


def _takes_gzip(request: web.Request) -> bool:
    for offer in request.headers.get("Accept-Encoding", "").split(","):
        name, _, weight = offer.strip().partition(";")
        if name.lower() in {"gzip", "*"}:
            return weight.replace(" ", "") not in {"q=0", "q=0.0"}
    return False
