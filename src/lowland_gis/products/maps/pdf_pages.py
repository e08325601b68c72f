"""Pages of a PDF: lines, filled shapes and texts, written straight into it.

Matplotlib lays out each text anew and makes its font small for each file, which takes seconds for a sheet of tables; here a text costs
microseconds, and the font of a batch is made once (`pdf_font`). Figures are drawn onto such a page by `pdf_renderer`.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence

from lowland_gis.products.maps.pdf_font import Letters

POINTS = 72.0


class Page:
    """One page; places are in points from its lower left corner."""

    def __init__(self, size: tuple[float, float], letters: Letters) -> None:
        """Begin an empty page of a size in inches."""
        self.width, self.height = size[0] * POINTS, size[1] * POINTS
        self.letters = letters
        self.parts: list[str] = []
        self.alphas: set[float] = set()
        self.texts: list[str] = []

    def text(  # noqa: PLR0917 - where, what, and how it looks
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        colour: str = "#000000",
        align: str = "left",
        angle: tuple[float, float] = (1.0, 0.0),
    ) -> None:
        """Write one line at its base line; `angle` is the cosine and sine of its slope."""
        if not text:
            return
        if align != "left":
            wide = self.letters.width(text, size) * (0.5 if align == "center" else 1.0)
            x, y = x - wide * angle[0], y - wide * angle[1]
        slope = f"{angle[0]:.4g} {angle[1]:.4g} {-angle[1]:.4g} {angle[0]:.4g}"
        parts = [f"BT {colour_of(colour)} rg {slope} {x:.2f} {y:.2f} Tm"]
        parts += [
            f"/F{run.font} {size:g} Tf <{''.join(f'{code:04X}' for code in run.codes)}> Tj"
            for run in self.letters.runs(text)
        ]
        self.parts.append(" ".join(parts) + " ET")
        self.texts.append(text)

    def line(
        self, start: tuple[float, float], end: tuple[float, float], colour: str, width: float = 0.5
    ) -> None:
        """Draw a line."""
        self.parts.append(
            f"{colour_of(colour)} RG {width:g} w {start[0]:.2f} {start[1]:.2f} m {end[0]:.2f} {end[1]:.2f} l S"
        )

    def rectangle(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """Fill a rectangle."""
        self.parts.append(f"{colour_of(colour)} rg {x:.2f} {y:.2f} {width:.2f} {height:.2f} re f")


def colour_of(colour: str | Sequence[float]) -> str:
    """Return a colour as the numbers of a PDF.

    >>> colour_of("#FF0000")
    '1 0 0'
    """
    if isinstance(colour, str):
        colour = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    return " ".join(f"{part:.4g}" for part in colour[:3])


def document(pages: Sequence[Page], title: str, keywords: str = "") -> bytes:
    """Return pages as a PDF; equal pages give equal bytes."""
    letters = pages[0].letters
    objects: list[bytes] = [b"", b""]

    def add(content: bytes) -> int:
        objects.append(content)
        return len(objects)

    def stream(head: str, content: bytes) -> int:
        return add(
            f"<< {head} /Length {len(content)} >>\nstream\n".encode("ascii") + content + b"\nendstream"
        )

    used = sorted({run.font for page in pages for text in page.texts for run in letters.runs(text)})
    fonts = " ".join(f"/F{place} {_font(letters, place, add, stream)} 0 R" for place in used)
    alphas = sorted({alpha for page in pages for alpha in page.alphas})
    states = " ".join(f"/A{round(alpha * 100)} << /ca {alpha:g} /CA {alpha:g} >>" for alpha in alphas)
    resources = add(f"<< /Font << {fonts} >> /ExtGState << {states} >> >>".encode("ascii"))
    kids = []
    for page in pages:
        content = stream("/Filter /FlateDecode", zlib.compress("\n".join(page.parts).encode("ascii"), 6))
        box = f"[0 0 {page.width:.2f} {page.height:.2f}]"
        kids.append(
            add(
                f"<< /Type /Page /Parent 2 0 R /MediaBox {box} /Resources {resources} 0 R /Contents {content} 0 R >>".encode(
                    "ascii"
                )
            )
        )
    said = add(
        f"<< /Title {_said(title)} /Producer (lowland) {f'/Keywords {_said(keywords)}' if keywords else ''} >>".encode(
            "ascii"
        )
    )
    objects[0] = b"<< /Type /Catalog /Pages 2 0 R >>"
    objects[1] = (
        f"<< /Type /Pages /Count {len(kids)} /Kids [{' '.join(f'{kid} 0 R' for kid in kids)}] >>".encode(
            "ascii"
        )
    )
    return _assembled(objects, said)


def _assembled(objects: Sequence[bytes], said: int) -> bytes:
    out, places = bytearray(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n"), []
    for number, content in enumerate(objects, start=1):
        places.append(len(out))
        out += f"{number} 0 obj\n".encode("ascii") + content + b"\nendobj\n"
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode("ascii")
    out += b"".join(f"{place:010} 00000 n \n".encode("ascii") for place in places)
    out += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R /Info {said} 0 R >>\nstartxref\n{start}\n%%EOF\n".encode(
        "ascii"
    )
    return bytes(out)


def _font(
    letters: Letters, place: int, add: Callable[[bytes], int], stream: Callable[[str, bytes], int]
) -> int:
    small = letters.made(place)
    if small.is_cff:
        program, kind, entry = (
            stream("/Filter /FlateDecode /Subtype /CIDFontType0C", small.program),
            "CIDFontType0",
            "FontFile3",
        )
    else:
        head = f"/Filter /FlateDecode /Length1 {small.length}"
        program, kind, entry = stream(head, small.program), "CIDFontType2", "FontFile2"
    box = " ".join(map(str, small.box))
    descriptor = add(
        f"<< /Type /FontDescriptor /FontName /{small.name} /Flags 4 /FontBBox [{box}] /ItalicAngle 0 /Ascent {small.ascent}"
        f" /Descent {small.descent} /CapHeight {small.ascent} /StemV 80 /{entry} {program} 0 R >>".encode(
            "ascii"
        )
    )
    mapped = "" if small.is_cff else " /CIDToGIDMap /Identity"
    descendant = add(
        f"<< /Type /Font /Subtype /{kind} /BaseFont /{small.name} /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >>"
        f" /FontDescriptor {descriptor} 0 R /DW 1000 /W [{small.widths}]{mapped} >>".encode("ascii")
    )
    unicode = stream("/Filter /FlateDecode", small.to_unicode)
    return add(
        f"<< /Type /Font /Subtype /Type0 /BaseFont /{small.name} /Encoding /Identity-H /DescendantFonts [{descendant} 0 R]"
        f" /ToUnicode {unicode} 0 R >>".encode("ascii")
    )


def _said(text: str) -> str:
    return f"<FEFF{text.encode('utf-16-be').hex().upper()}>"
