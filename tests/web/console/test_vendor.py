"""What the page is made of: vendored files as locked, nothing fetched from elsewhere, no way around the policy."""

import gzip
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

import firetower.web

CONSOLE = Path(firetower.web.__file__).parent / "console"
VENDOR = CONSOLE / "vendor"
SOURCES = sorted([*CONSOLE.rglob("*.js"), *CONSOLE.rglob("*.mjs")])
# Map and charts: asked for when a screen that needs them is opened.
WHEN_LOOKED_AT = ("ol-console.mjs", "uplot.mjs", "uplot.css")
IMPORT = re.compile(r"""\b(?:from|import)\s*\(?\s*["']([^"']+)["']""")
# Names of XML namespaces, and an address in an error message: never fetched.
NAMESPACES = re.compile(
    r"http://www\.(?:w3\.org|opengis\.net)/[\w/.#-]*|https://github\.com/protomaps/PMTiles/tree/main/js "
)


def locked() -> list[dict[str, Any]]:
    return json.loads((VENDOR / "VENDOR.lock.json").read_text())


def test_every_vendored_file_is_the_one_that_was_locked():
    for entry in locked():
        assert hashlib.sha256((VENDOR / entry["file"]).read_bytes()).hexdigest() == entry["sha256"], entry["file"]


def test_every_vendored_file_is_listed_with_its_licence_text():
    listed = {entry["file"] for entry in locked()}
    assert listed == {path.name for path in VENDOR.iterdir() if path.suffix in {".mjs", ".css"}}
    for entry in locked():
        for each in [entry, *entry.get("brings", [])]:
            assert len((VENDOR / each["licence_file"]).read_text()) > 500, each["licence_file"]


def test_the_lock_file_pins_by_hash_and_names_no_registry():
    path = CONSOLE.parent / "vendor" / "package-lock.json"
    if not path.exists():
        pytest.skip("an installed package has no npm lock file; the repository does")
    text = path.read_text()
    assert "://" not in text
    packages = {name: entry for name, entry in json.loads(text)["packages"].items() if name}
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
    for entry in locked():
        assert packages[f"node_modules/{entry['package']}"]["integrity"] == entry["npm_integrity"]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(CONSOLE).as_posix())
def test_a_source_imports_only_files_that_exist_and_evaluates_nothing(path: Path):
    text = path.read_text()
    for name in IMPORT.findall(text):
        assert name.startswith("."), f"bare import {name!r}"
        assert (path.parent / name).resolve().is_file(), f"no file {name!r}"
    assert not re.search(r"\beval\(|new Function|document\.write|sourceMappingURL", text)
    if path.parent != VENDOR:  # preact sets innerHTML when asked to; nothing here asks
        assert "innerHTML" not in text
        assert "dangerouslySetInnerHTML" not in text
    assert not re.search(r"https?://", NAMESPACES.sub("", text))


def test_the_index_has_no_inline_script_or_style_and_names_files_that_exist():
    text = (CONSOLE / "index.html").read_text()
    names = re.findall(r"__ASSETS__/([^\"]+)", text)
    assert len(names) == text.count("__ASSETS__") >= 5
    assert all((CONSOLE / name).is_file() for name in names)
    assert {f"css/{path.name}" for path in (CONSOLE / "css").iterdir()} <= set(names)
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\bsrc=)", text)


def first_sources() -> set[Path]:
    """What `app/main.js` imports before anything is in sight, and what that imports; nothing imported when opened."""
    found, ahead = set(), [CONSOLE / "app" / "main.js"]
    while ahead:
        path = ahead.pop().resolve()
        if path not in found:
            found.add(path)
            ahead += [path.parent / name for name in re.findall(r"from ?\"(\.[^\"]+)\"", path.read_text())]
    return found


def test_the_first_load_stays_small():
    """What crosses the wire before the queue is there; what the panels, the map and the charts bring when opened."""
    scripts = first_sources()
    names = {path.relative_to(CONSOLE.resolve()).as_posix() for path in scripts}
    assert {"ui/queue.js", "ui/detail.js", "ui/banner.js", "ui/script.js", "ui/report.js"} <= names
    assert not names & {"ui/windows.js", "ui/accounts.js", "ui/citymap.js", "vendor/ol-console.mjs"}
    beside = [path for path in CONSOLE.rglob("*") if path.suffix in {".css", ".json", ".html", ".svg"}]
    assert sum(len(gzip.compress(path.read_bytes(), 9)) for path in [*scripts, *beside]) < 240_000
    assert sum(len(gzip.compress((VENDOR / name).read_bytes(), 9)) for name in WHEN_LOOKED_AT) < 150_000
    assert len(scripts) < 90
    assert len(SOURCES) < 140
