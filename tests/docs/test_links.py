"""Every link of the documents leads somewhere, and the Chinese README has the sections of the English one."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def prose(page: Path) -> str:
    return re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)


def links(page: Path) -> Iterator[str]:
    text = re.sub(r"`[^`\n]*`", "", prose(page))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:", target):
            yield target


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub writes them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in links(page):
        path, _, anchor = target.partition("#")
        file = (page.parent / path) if path else page
        assert file.exists(), f"{page.name} links to {target}"
        assert not anchor or anchor in anchors(file), f"{page.name} links to {target}: no such heading"


@pytest.mark.parametrize("name", ["README.md", "docs/key-unit.md", "docs/operator.md"])
def test_the_chinese_page_has_the_sections_of_the_english_one(name: str) -> None:
    english, chinese = ROOT / name, ROOT / name.replace(".md", ".zh-CN.md")
    shapes = [[len(mark) for mark in re.findall(r"^(#+) ", prose(page), re.MULTILINE)] for page in (english, chinese)]
    assert shapes[0] == shapes[1]
    assert sorted(set(_outside(english))) == sorted(set(_outside(chinese)))


def _outside(page: Path) -> list[str]:
    """Links and pictures with the language taken out, so that both pages can be compared."""
    plain = (re.sub(r"-(en|zh)\.png$", ".png", link.replace(".zh-CN", "")) for link in links(page) if "#" not in link)
    return [link.partition("#")[0] for link in plain]


def test_every_picture_is_a_small_png_that_a_page_shows() -> None:
    shown = {(page.parent / link).resolve() for page in PAGES for link in links(page) if link.endswith(".png")}
    pictures = set((ROOT / "docs" / "images").iterdir())
    assert shown == pictures
    for picture in pictures:
        content = picture.read_bytes()
        assert content.startswith(b"\x89PNG")
        assert len(content) < 300_000, f"{picture.name} has {len(content)} bytes"


def test_every_guide_is_reached_from_the_readme() -> None:
    readme = set(links(ROOT / "README.md"))
    index = {f"docs/{link}" for link in links(ROOT / "docs" / "README.md")}
    for page in (ROOT / "docs").glob("*.md"):
        name = page.relative_to(ROOT).as_posix()
        assert name == "docs/README.md" or name in readme | index, f"nothing leads to {name}"
