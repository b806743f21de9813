"""What the pages need to be a site: the README as front page, links to files of the checkout, formulas as MathML."""

from __future__ import annotations

import html
import re
from pathlib import Path, PurePosixPath
from typing import Any

from latex2mathml.converter import convert
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
# Files of the checkout that pages link to are copied to this folder of the site.
COPIES = "checkout"

_LINK = re.compile(r"\]\((\.\./[^)#\s]+)(#[^)\s]*)?\)")
_FORMULA = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.DOTALL)
_TAG = re.compile(r"\\tag\{([\d.]+)\}")


def on_files(files: Files, config: Any) -> Files:
    """Adds the front page, and what pages link to outside docs/."""
    front = (ROOT / "README.md").read_text(encoding="utf-8")
    front = re.sub(r"\]\((?!https?:|docs/|#)([^)]+)\)", r"](../\1)", front).replace("](docs/", "](")
    files.append(File.generated(config, "index.md", content=front))
    pages = [(path.parent, path.read_text(encoding="utf-8")) for path in DOCS.rglob("*.md")] + [(DOCS, front)]
    linked = {_target(folder, found[1]) for folder, text in pages for found in _LINK.finditer(text)}
    for path in sorted(linked - {None}):
        place = f"{COPIES}/{path.relative_to(ROOT).as_posix()}"
        files.append(File.generated(config, place, abs_src_path=str(path)))
    return files


def _target(folder: Path, link: str) -> Path | None:
    """File of the checkout outside docs/ that a link means; for a folder the first case in it."""
    path = (folder / link).resolve()
    if path.is_relative_to(DOCS) or not path.is_relative_to(ROOT) or not path.exists():
        return None  # MkDocs knows the pages, and reports what is missing
    return sorted(path.rglob("*.yaml"))[0] if path.is_dir() else path


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Points links to files of the checkout at their copies."""
    place = PurePosixPath(page.file.src_uri)

    def moved(found: re.Match[str]) -> str:
        target = _target(DOCS / place.parent, found[1])
        if target is None:
            return found[0]
        return f"]({'../' * (len(place.parts) - 1)}{COPIES}/{target.relative_to(ROOT).as_posix()})"

    return _LINK.sub(moved, markdown)


def on_page_content(content: str, **_: Any) -> str:
    """Formulas as MathML, which browsers draw without any program; the numbers of equations stand beside them."""
    return _FORMULA.sub(_drawn, content)


def _drawn(found: re.Match[str]) -> str:
    text = html.unescape(found[3])
    number = _TAG.search(text)
    is_block = found[2] == "["
    # The converter knows arrays, but not lines that are aligned inside a formula.
    text = text.replace(r"\begin{aligned}", r"\begin{array}{rl}").replace(r"\end{aligned}", r"\end{array}")
    drawn = convert(_TAG.sub("", text).strip(), display="block" if is_block else "inline")
    if not is_block:
        return drawn
    label = f'<span class="equation-number">({number[1]})</span>' if number else ""
    anchor = f' id="eq-{number[1]}"' if number else ""
    return f'<div class="equation"{anchor}>{drawn}{label}</div>'
