"""Find a font with Chinese glyphs for figures, or say how to get one; a map with empty boxes is never drawn nor saved."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib import font_manager
from matplotlib.figure import Figure

from lowland_gis.errors import UsageError
from lowland_gis.files.whole import refused, whole

VARIABLE = "LOWLAND_FONT"
# By beginnings of file names, best first. Noto's and Source Han's collections hold a simplified-Chinese face.
PREFERRED = (
    "NotoSansCJK-Regular",
    "NotoSansCJKsc-Regular",
    "NotoSansSC",
    "SourceHanSansSC-Regular",
    "SourceHanSansCN-Regular",
    "wqy-microhei",
    "wqy-zenhei",
    "msyh",
    "simhei",
    "PingFang",
    "Hiragino Sans GB",
    "STHeiti",
    "DroidSansFallback",
)
FALLBACK = "DejaVu Sans"
DPI = 150


def font_families(environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Return the families for figures: a Chinese one first, then one for signs that it may lack.

    Raises:
        UsageError: no Chinese font is installed, or the one that LOWLAND_FONT names is not there.
    """
    named = (os.environ if environ is None else environ).get(VARIABLE, "")
    path = _named(named) if named else _installed(font_manager.findSystemFonts())
    return _family(path), FALLBACK


def save_figure(figure: Figure, path: Path, families: Sequence[str], *, legend: str | None = None) -> None:
    """Write a PDF or, under any other name, a PNG beside the target and rename it; neither says when or by what it was made.

    `legend` is the digest of a project's own legend; the file says it (PNG: the text Legend, PDF: the keywords).

    Raises:
        UsageError: a letter is in none of the fonts, so that it would come out as a box.
        InputRefusedError: the file cannot be written.
    """
    with refused(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as partial, refused(path):
        partial.write_bytes(drawn(figure, families, path.name, legend=legend))


def drawn(figure: Figure, families: Sequence[str], name: str, *, legend: str | None = None) -> bytes:
    """Return a figure as the PDF or the PNG that `name` says; see `save_figure`.

    Raises:
        UsageError: a letter is in none of the fonts, so that it would come out as a box.
    """
    kind = "pdf" if name.lower().endswith(".pdf") else "png"
    metadata: dict[str, Any] = {"Software": None} if kind == "png" else {"CreationDate": None}
    if legend is not None:
        metadata["Legend" if kind == "png" else "Keywords"] = f"legend sha256 {legend}"
    sink = io.BytesIO()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message="Glyph")
            figure.savefig(sink, format=kind, dpi=DPI, metadata=metadata)
    except UserWarning as fault:
        raise UsageError(
            f"{name}: {fault}, so a name would come out as a box (fonts: {', '.join(families)}). "
            "Install fonts-noto-cjk or set LOWLAND_FONT to a font that has it."
        ) from fault
    return sink.getvalue()


def _named(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise UsageError(
            f"{VARIABLE}={text}: there is no such font file, so Chinese text would come out as boxes. "
            f"Give a .ttf, .otf or .ttc file, or unset {VARIABLE}."
        )
    return path


def _installed(paths: Sequence[str]) -> Path:
    for start in PREFERRED:
        fitting = sorted(path for path in paths if Path(path).name.lower().startswith(start.lower()))
        if fitting:
            return Path(fitting[0])
    raise UsageError(
        "no Chinese font is installed, so the text of maps would come out as boxes. Type: "
        "apt-get install -y fonts-wqy-microhei (or fonts-noto-cjk; macOS: brew install --cask font-noto-sans-cjk-sc), "
        f"or set {VARIABLE} to a font file."
    )


def _family(path: Path) -> str:
    """Register the font file once and return its family, the simplified-Chinese face of a collection."""
    families = _registered(path)
    if not families:
        try:
            font_manager.fontManager.addfont(path)
        except (OSError, RuntimeError) as fault:
            raise UsageError(
                f"{path}: not a readable font ({fault}), so Chinese text cannot be drawn. "
                f"Set {VARIABLE} to another file."
            ) from fault
        families = _registered(path)
    return min(families, key=lambda name: (not name.endswith("SC"), "Mono" in name, name))


def _registered(path: Path) -> set[str]:
    return {entry.name for entry in font_manager.fontManager.ttflist if Path(str(entry.fname)) == path}
