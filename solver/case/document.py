"""YAML 1.2 text to plain data that remembers its lines; knows nothing about what the keys mean.

ruamel.yaml cuts the text into events; the values are built here, without recursion and with limits, so that no file
(deep nesting, alias bombs, huge numbers, tags that would build objects) can do more than be refused. Only what a case
needs is allowed: one document of mappings with text keys, lists, text, numbers, true/false and null.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, Event, ScalarEvent, SequenceStartEvent

Path = tuple[str | int, ...]

MAXIMUM_CHARACTERS = 200_000
MAXIMUM_DEPTH = 20
# Values after aliases are written out; a lattice table of 1000 rows has 3000.
MAXIMUM_VALUES = 20_000
MAXIMUM_ANCHORS = 100
MAXIMUM_NUMBER_TEXT = 100
LARGEST_INTEGER = 2**63 - 1

_NULL = re.compile(r"~|null|Null|NULL|")
_BOOLEAN = {word: word.lower() == "true" for word in ("true", "True", "TRUE", "false", "False", "FALSE")}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_FORBIDDEN_CHARACTER = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Problem(NamedTuple):
    """One thing that is wrong: the line it stands in (0 when it has none), the path of its key, and what to do."""

    line: int
    path: Path
    text: str


class UnreadableError(Exception):
    """The text is no YAML that a case may use; carries the one problem that stopped the reading."""

    def __init__(self, line: int, text: str, path: Path = ()) -> None:
        self.problem = Problem(line, path, text)
        super().__init__(text)


@dataclass(frozen=True)
class Document:
    """Plain data and where it stands.

    Attributes:
        value: What the text holds: dict, list, str, int, float, bool or None.
        lines: Line of every entry inside, by path from here; an entry of an alias has the lines of its anchor.
        problems: What is wrong with the writing itself (keys written twice, numbers too large).
    """

    value: Any
    lines: dict[Path, int]
    problems: list[Problem]

    def line(self, path: Path) -> int:
        """Line of an entry, or of the nearest block around it that was written."""
        return next((self.lines[path[:end]] for end in range(len(path), -1, -1) if path[:end] in self.lines), 1)


def read_document(text: str) -> Document:
    """Build the data of a YAML text.

    Args:
        text: The whole file.

    Returns:
        The data with line numbers.

    Raises:
        UnreadableError: When the text is not YAML, or is more than a case may hold.
    """
    if len(text) > MAXIMUM_CHARACTERS:
        raise UnreadableError(0, f"{len(text)} characters are too many for a case; {MAXIMUM_CHARACTERS} are allowed")
    if odd := _FORBIDDEN_CHARACTER.search(text):
        line = text.count("\n", 0, odd.start()) + 1
        raise UnreadableError(
            line, f"character U+{ord(odd.group()):04X} is not allowed; delete it and type the line again"
        )
    builder = _Builder()
    for event in _events(text):
        builder.feed(event)
    return builder.finish()


def _events(text: str) -> Iterator[Event]:
    events = YAML(typ="safe", pure=True).parse(text)
    while True:
        try:
            event = next(events)
        except StopIteration:
            return
        except YAMLError as error:
            raise _explain(error, text) from error
        except Exception as error:  # the scanner lets other kinds slip out, such as chr() of an escape beyond Unicode
            raise UnreadableError(0, f"this is not YAML ({shorten(str(error))}); look for odd escapes") from error
        yield event


@dataclass
class _Block:
    """A mapping or list being built."""

    value: Any
    path: Path
    anchor: str | None
    first: int
    key: str | None = None
    key_line: int = 0

    @property
    def is_mapping(self) -> bool:
        return isinstance(self.value, dict)


class _Anchored(NamedTuple):
    """What an alias stands for: the data, the lines inside it by relative path."""

    value: Any
    lines: list[tuple[Path, int]]


@dataclass
class _Builder:
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    stack: list[_Block] = field(default_factory=list)
    anchors: dict[str, _Anchored] = field(default_factory=dict)
    roots: list[Any] = field(default_factory=list)

    def feed(self, event: Event) -> None:
        """Take one event; events that carry no value are passed over."""
        handler = _HANDLERS.get(type(event).__name__)
        if handler is not None:
            handler(self, event, event.start_mark.line + 1)

    def finish(self) -> Document:
        return Document(self.roots[0] if self.roots else None, self.lines, self.problems)

    def start_document(self, event: Event, line: int) -> None:
        if self.roots:
            raise UnreadableError(
                line, "a second document starts here; write one case per file and delete the line ---"
            )

    def scalar(self, event: ScalarEvent, line: int) -> None:
        self._refuse_tag(event, line)
        block = self.stack[-1] if self.stack else None
        if block is not None and block.is_mapping and block.key is None:
            self._start_key(block, event, line)
            return
        path, line = self._place(line)
        value: Any = self._plain(event.value, line, path) if event.style is None else _joined(event.value, line)
        self._store(value, path, line, event.anchor)

    def start_block(self, event: Any, line: int) -> None:
        self._refuse_tag(event, line)
        path, line = self._place(line)
        if len(self.stack) >= MAXIMUM_DEPTH:
            raise UnreadableError(line, f"more than {MAXIMUM_DEPTH} blocks inside each other; a case needs four", path)
        self._count(line, 1)
        self.lines[path] = line
        value: Any = [] if isinstance(event, SequenceStartEvent) else {}
        self.stack.append(_Block(value, path, event.anchor, len(self.lines)))

    def end_block(self, event: Event, line: int) -> None:
        block = self.stack.pop()
        if block.anchor is not None:
            depth = len(block.path)
            inside = [(path[depth:], at) for path, at in list(self.lines.items())[block.first :]]
            self._remember(block.anchor, _Anchored(block.value, inside), line)
        self._attach(block.value, block.path)

    def alias(self, event: AliasEvent, line: int) -> None:
        block = self.stack[-1] if self.stack else None
        if block is not None and block.is_mapping and block.key is None:
            raise UnreadableError(line, f'"*{shorten(event.anchor)}" stands for a key; write the key itself')
        anchored = self.anchors.get(event.anchor)
        path, line = self._place(line)
        if anchored is None:
            name = shorten(event.anchor)
            raise UnreadableError(
                line, f'"*{name}" refers to nothing above; write "&{name}" before its value, or quote it', path
            )
        self._count(line, len(anchored.lines))
        self.lines.update({path + inside: at for inside, at in anchored.lines})
        self._store(anchored.value, path, line, None)

    def _start_key(self, block: _Block, event: ScalarEvent, line: int) -> None:
        key = _joined(event.value, line)
        if event.style is None and key == "<<":
            raise UnreadableError(line, '"<<" (merging) is not part of YAML 1.2; write the keys out', block.path)
        if key in block.value:
            first = self.lines[(*block.path, key)]
            self.problems.append(
                Problem(line, (*block.path, key), f"is written twice, first in line {first}; keep one")
            )
        block.key, block.key_line = key, line

    def _place(self, line: int) -> tuple[Path, int]:
        """Path and line of the value that comes next; the line is that of its key."""
        if not self.stack:
            return (), line
        block = self.stack[-1]
        if not block.is_mapping:
            return (*block.path, len(block.value)), line
        if block.key is None:
            raise UnreadableError(line, "a key must be one word; write it without brackets", block.path)
        return (*block.path, block.key), block.key_line

    def _store(self, value: Any, path: Path, line: int, anchor: str | None) -> None:
        self._count(line, 1)
        self.lines[path] = line
        if anchor is not None:
            self._remember(anchor, _Anchored(value, []), line)
        self._attach(value, path)

    def _remember(self, anchor: str, anchored: _Anchored, line: int) -> None:
        if len(self.anchors) >= MAXIMUM_ANCHORS:
            raise UnreadableError(line, f"more than {MAXIMUM_ANCHORS} anchors (&name); write the values out")
        self.anchors[anchor] = anchored

    def _attach(self, value: Any, path: Path) -> None:
        if not self.stack:
            self.roots.append(value)
            return
        block = self.stack[-1]
        if block.is_mapping:
            block.value[block.key] = value
            block.key = None
        else:
            block.value.append(value)

    def _count(self, line: int, more: int) -> None:
        if len(self.lines) + more > MAXIMUM_VALUES:
            raise UnreadableError(
                line, f"more than {MAXIMUM_VALUES} values (aliases written out) are too many for a case"
            )

    def _refuse_tag(self, event: Any, line: int) -> None:
        if event.tag is not None and event.tag != "!":
            raise UnreadableError(line, f'the tag "{shorten(str(event.tag))}" is not allowed; write the plain value')

    def _plain(self, text: str, line: int, path: Path) -> Any:
        """Value of unquoted text by the rules of YAML 1.2: `no` and `1:30` are text, `1e-14` is a number."""
        if text in _BOOLEAN:
            return _BOOLEAN[text]
        if _NULL.fullmatch(text):
            return None
        is_integer = _INTEGER.fullmatch(text)
        if is_integer and len(text) <= 20 and abs(int(text)) <= LARGEST_INTEGER:
            return int(text)
        if is_integer:
            self.problems.append(Problem(line, path, f"the number {shorten(text)} is too large"))
            return 0
        if _SPECIAL.fullmatch(text):
            return float(text.replace(".", ""))
        return float(text) if len(text) <= MAXIMUM_NUMBER_TEXT and _FLOAT.fullmatch(text) else text


def _joined(text: str, line: int) -> str:
    """Text with pairs of surrogate escapes (the JSON way to write some characters) joined; a lone half is refused."""
    if not any("\ud800" <= character <= "\udfff" for character in text):
        return text
    try:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError as error:
        raise UnreadableError(line, "an escape is half a character; write the character itself") from error


def _explain(error: YAMLError, text: str) -> UnreadableError:
    """What the parser stumbled over, in words that say what to type."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if not isinstance(error, MarkedYAMLError) or mark is None:
        return UnreadableError(0, f'this is not YAML ({shorten(str(error))}); write "key: value" lines')
    line, problem = mark.line + 1, str(error.problem or error.context or "")
    rows = text.splitlines()
    written = rows[mark.line] if mark.line < len(rows) else ""
    if "\t" in written[: len(written) - len(written.lstrip())] or "'\\t'" in problem:
        return UnreadableError(line, "a tab stands where blanks are needed; indent with blanks only")
    other = f"this is not YAML ({shorten(problem)}); check brackets, quotes and indentation"
    return UnreadableError(line, next((hint for start, hint in _YAML_HINTS if start in problem), other))


# Beginning of what ruamel.yaml says → what the person at the keyboard should do.
_YAML_HINTS = (
    ("mapping values are not allowed", 'a second ": " stands in one line; put the text in quotes, or start a new line'),
    ("cannot start any token", "a value begins with a character that YAML keeps for itself; put the value in quotes"),
    ("could not find expected ':'", 'this line is not "key: value"; write a colon and a blank after the key'),
    ("unexpected end of stream", "a quote or bracket is never closed; add the missing \" or ' or ] or }"),
    ("expected <block end>", "this line does not line up with the keys above; indent keys of one block alike"),
    ("expected ',' or", "a bracket is not closed, or a comma is missing between entries"),
    ("found unknown escape", "a backslash in double quotes starts an escape; write single quotes"),
    ("found duplicate anchor", "an anchor (&name) is written twice; give each its own name"),
)

_HANDLERS: dict[str, Callable[[_Builder, Any, int], None]] = {
    "DocumentStartEvent": _Builder.start_document,
    "ScalarEvent": _Builder.scalar,
    "MappingStartEvent": _Builder.start_block,
    "SequenceStartEvent": _Builder.start_block,
    "MappingEndEvent": _Builder.end_block,
    "SequenceEndEvent": _Builder.end_block,
    "AliasEvent": _Builder.alias,
}


def shorten(text: str, limit: int = 60) -> str:
    """Text that is safe to print in one line: characters that do not show are written as escapes, long text is cut."""
    visible = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text[: 2 * limit]
    )
    return visible if len(visible) <= limit else visible[: limit - 1] + "…"
