"""Pages of docs/ that are held to what they show: their files are written, their lines typed, and what is printed is compared."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"# (\S+\.toml)$")
CUT = "…"


@dataclass(frozen=True)
class File:
    """A block that begins with `# path`: a file as it is to be."""

    path: str
    text: str


@dataclass(frozen=True)
class Line:
    """A line behind `$`, with those behind `>` under it, and what the page shows below it."""

    command: str
    shown: str


def steps(page: Path) -> Iterator[File | Line]:
    """Yield the files and lines of a page in its order; a block that is neither is a fault of the page."""
    for kind, body in _FENCE.findall(page.read_text(encoding="utf-8")):
        first = body.partition("\n")[0]
        named = _NAMED.match(first)
        if named is not None:
            yield File(named[1], body)
        elif kind == "console":
            yield from _lines(body)
        else:
            raise AssertionError(f"{page.name}: neither a file nor lines to type: {first!r}")


def _lines(body: str) -> Iterator[Line]:
    for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        typed, _, below = part.partition("\n")
        rows = below.split("\n")
        more = 0
        while more < len(rows) and rows[more].startswith("> "):
            more += 1
        command = "\n".join([typed, *(row[2:] for row in rows[:more])])
        yield Line(command, "\n".join(rows[more:]).strip("\n"))


def programs(place: Path) -> Path:
    """Make a folder below a place with `lowland` among its programs, as a page types it."""
    folder = place / "programs"
    folder.mkdir(parents=True)
    lowland = folder / "lowland"
    lowland.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m lowland_gis "$@"\n', encoding="utf-8")
    lowland.chmod(0o755)
    return folder


@dataclass
class Shell:
    """A shell that a page is typed into: `cd` goes to another folder, files are written below the one it is in."""

    folder: Path
    environment: dict[str, str]

    def take(self, step: File | Line) -> str:
        """Write a file or type a line, and return what was printed."""
        if isinstance(step, File):
            path = self.folder / step.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.text, encoding="utf-8")
            return ""
        if step.command.startswith("cd "):
            self.folder = (self.folder / step.command.removeprefix("cd ")).resolve(strict=True)
            return ""
        return _typed(step, self)


def _typed(line: Line, shell: Shell) -> str:
    """Return what a terminal would show of a line, both streams together."""
    done = subprocess.run(
        ["bash", "-c", line.command],
        cwd=shell.folder,
        env={name: text for name, text in os.environ.items() if name != "LOWLAND_DSN"} | shell.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode in (0, 1), f"$ {line.command}\n{done.stdout}\nexit code {done.returncode}"
    return done.stdout


def agrees(shown: str, printed: str) -> bool:
    """Tell whether a page shows what was printed: a line of … alone stands for any lines, … in a line for any text.

    Blanks at the end of a line do not count, and a blank that no line may break at is a blank.

    >>> agrees("one\\n…\\nfour … words", "one\\ntwo\\nthree\\nfour little words"), agrees("one", "two")
    (True, False)
    """
    pattern = ""
    for row in shown.split("\n"):
        text = row.rstrip()
        if text == CUT:
            pattern += r"(?:[^\n]*\n)*?"
        else:
            pattern += ".*?".join(map(re.escape, text.split(CUT))) + r"[^\S\n]*\n"
    rows = printed.replace("\xa0", " ").strip("\n").split("\n")
    return re.fullmatch(pattern, "\n".join(row.rstrip() for row in rows) + "\n") is not None
