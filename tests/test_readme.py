"""README shows what symderiv prints: its picture is made from the page in `tests/readme`."""

from __future__ import annotations

import html
import io
import re
from pathlib import Path

import pytest
from rich.console import Console
from rich.text import Text

import symderiv
from symderiv.report import full

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / ".github" / "refuted.svg"
PAGE = Path(__file__).resolve().parent / "readme" / "notes.md"


def printed() -> list[Text]:
    """Return what `symderiv verify notes.md` prints at 80 columns, without the time that it took."""
    report = symderiv.verify(PAGE.name)
    return full.render_file(report.files[0], PAGE.read_text(encoding="utf-8"), 80)


def picture(lines: list[Text]) -> str:
    console = Console(
        record=True, width=80, force_terminal=True, color_system="truecolor", file=io.StringIO()
    )
    console.print(Text("$ symderiv verify notes.md", "bold"))
    for line in lines:
        console.print(line, highlight=False)
    return console.export_svg(title="symderiv", unique_id="symderiv")


def words(svg: str) -> list[str]:
    """Return the lines of text of a picture."""
    rows: dict[str, str] = {}
    for y, text in re.findall(r'<text [^>]*y="([\d.]+)"[^>]*>(.*?)</text>', svg):
        rows[y] = rows.get(y, "") + html.unescape(text).replace("\xa0", " ")
    return [row.rstrip() for _, row in sorted(rows.items(), key=lambda item: float(item[0]))]


def test_the_picture_shows_what_is_printed(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(PAGE.parent)
    svg = picture(printed())
    if request.config.getoption("--update-cases"):
        PICTURE.write_text(svg, encoding="utf-8")
    assert words(PICTURE.read_text(encoding="utf-8")) == words(svg)
    assert "error[SD001]: this step is false" in words(svg)


def test_readme_shows_the_picture_and_links_to_files_that_exist() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", readme)
    assert ".github/refuted.svg" in links
    assert [] == [link for link in links if not (ROOT / link).exists()]
