"""Put a page together: data, drawing and the libraries that it carries, in one file that asks no other machine for anything."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lowland_gis.files.whole import write_text

FOLDER = Path(__file__).parent
VENDORED = FOLDER / "vendored"
# Proj4Leaflet needs both others.
SCRIPTS = ("leaflet.js", "proj4.js", "proj4leaflet.js")
_SOURCE_MAP = re.compile(r"^//# sourceMappingURL=.*$", re.MULTILINE)


@dataclass(frozen=True)
class Part:
    """A library that the page carries: where it is from, its licence with the text, and the digest of each file of it."""

    name: str
    version: str
    source: str
    licence: str
    notice: str
    files: Mapping[str, str]


def parts() -> Iterator[Part]:
    """Yield the libraries that the page carries."""
    for part in tomllib.loads((FOLDER / "vendored.toml").read_text(encoding="utf-8"))["part"]:
        text = (VENDORED / part["notice"]).read_text(encoding="utf-8").replace("\r\n", "\n").strip()
        yield Part(**{**part, "notice": text, "files": part.get("files", {})})


def notices() -> str:
    """Return the notices of all that the page carries, as they stand in the page and in THIRD_PARTY."""
    return "\n\n".join(
        f"{part.name} {part.version} ({part.licence}) {part.source}\n\n{part.notice}" for part in parts()
    )


def write_page(data: Mapping[str, Any], path: Path) -> Path:
    """Write a page and return its path; the same data give the same bytes.

    `data` is what `page.js` reads (see `pipeline/products/page.py`); its texts are shown as text, whatever stands in them.

    Raises:
        InputRefusedError, UsageError: the file cannot be written.
    """
    write_text(path, page(data))
    return path


def page(data: Mapping[str, Any]) -> str:
    """Return a page as HTML. Its policy lets nothing run but what stands in it, and nothing be fetched from anywhere."""
    scripts = [_read(VENDORED / name) for name in SCRIPTS] + [_read(FOLDER / "page.js")]
    styles = [_read(VENDORED / "leaflet.css"), _read(FOLDER / "page.css")]
    policy = (
        f"default-src 'none'; script-src {_hashes(scripts)}; style-src {_hashes(styles)}; img-src data:;"
        " base-uri 'none'; form-action 'none'"
    )
    filled = {
        "policy": policy,
        "title": html.escape(str(data["title"])),
        "styles": "\n".join(f"<style>{text}</style>" for text in styles),
        "scripts": "\n".join(f"<script>{text}</script>" for text in scripts),
        "data": as_json({**data, "notices": notices()}),
    }
    frame = (FOLDER / "page.html").read_text(encoding="utf-8")
    return re.sub(r"\{(\w+)\}", lambda found: filled[found[1]], frame)


def as_json(data: Mapping[str, Any]) -> str:
    """Return JSON that can stand inside a script element: no text in it can end the element or begin a comment."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _read(path: Path) -> str:
    """Return a script or style without the line that sends a debugger to a file which is not here."""
    return _SOURCE_MAP.sub("", path.read_text(encoding="utf-8"))


def _hashes(texts: list[str]) -> str:
    digests = (hashlib.sha256(text.encode("utf-8")).digest() for text in texts)
    return " ".join(f"'sha256-{base64.b64encode(digest).decode('ascii')}'" for digest in digests)
