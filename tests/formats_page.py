"""The page docs/formats.md: each dialect of coordinate text and what is refused, as the reader says it of the files of the tests.

Type `python tests/formats_page.py` to write the page anew.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from coordinate_texts import BAD, CASES
from lowland_gis.errors import InputRefusedError
from lowland_gis.files.coordinate_text.templates import templates
from lowland_gis.files.read import received
from lowland_gis.files.source import opened

PAGE = Path(__file__).parents[1] / "docs" / "formats.md"
# What every reading says, and the words that are about an encoding alone.
_ALWAYS = re.compile(r"^(all text is|every byte|valid |it begins with)")

HEAD = """# Formats that come in (来件格式)

<!-- Written by tests/formats_page.py; do not edit. The tables of coordinate text are what the reader says of the files of its tests. -->

`lowland inspect FILE` says what a file is, what was decided and what `ingest` would do; `ingest`, `tabulate` and `convert` ([convert](convert.md)) read
the same. Workbooks have [a page of their own](workbooks.md), and so has [the exchange format of land surveys](convert.md). What is broken or unclear is
refused in one message with its place, exit code 3, the database untouched; what can be read with a doubt is an issue.

| format | what other programs do with it (version, source) | what is done here | never seen |
|---|---|---|---|
| coordinate text of land approvals (勘测定界 `.txt`) | GDAL 3.12: no driver. Fourteen public readers and writers in C#, Java, Python, Rust, JavaScript and arcpy were read: they disagree on axes, zone, counts, closing points, rings and units, and each takes its own for granted | every file is decided by looking, see below; written in seven forms | a file from a bureau's own system: the forms are those of public programs and of a provincial page |
| `.kml`, `.kmz`, 奥维 `.ovkml`, `.ovkmz` | GDAL's LIBKML (3.6.2, 3.11.4, 3.12.4; `findings/gdal_kml_chinese_fields.sh`): attributes without a schema lose their Chinese names, those of one length become one field with the last value; GBK is refused; a `.kmz` of another suffix is not known. The older KML driver reads names and descriptions only | a reader of our own: all attributes, one layer a folder (`FILE:A/B`), rings, tracks, heights, UTF-8, UTF-16 and GBK. **Refused until somebody says `--gcj02 no`**: maps of the internet lie 100 to 700 m off, and 奥维 exports KML in GCJ-02 since 9.3.0. What says GCJ-02 itself is refused whatever is said | files of 奥维 itself: where OvCoordType stands was not seen, so it is looked for everywhere; `.ovobj`, `.ovjsn` are not read |
| `.gpx` | GDAL 3.12 reads it rightly | read by GDAL: waypoints, routes, tracks (`FILE.gpx:tracks`), WGS 84 | |
| CSV with WKT, or with coordinates | QGIS and GDAL ask which column is x and which y, and believe the answer | a column of WKT is taken (SRID= too). Coordinates stay values, until points are asked for: `FILE.csv:geometry`, or `FILE.csv:经度,纬度` in either order; which is north is told by size, and refused where it cannot be | |
| `.parquet` | pyarrow 26: a column of the type GEOMETRY is binary; geopandas 1.2: "Missing geo metadata" | GeoParquet, and columns that say themselves what they are (GEOMETRY, GEOGRAPHY, GeoArrow's WKB); a system without a number is looked up by what it is | |
| SuperMap `.udbx` | GDAL 3.12 takes it for SpatiaLite where it is renamed to `.sqlite`, and fails where the register of systems says "Undefined" ("missing ["), as the published description has it | a reader of our own: tables, points, lines and regions with heights, types and systems of the register, counts held against it; text and CAD data sets are named and left out; names of fields, not their captions | a file of SuperMap itself: by udbx4spec 1.0 and udbx4j alone |
| SuperMap `.udb`/`.udd` | no free reader was found | not read: ask for `.udbx` | |
| MapGIS 6 text (明码 `.wat` `.wal` `.wap`) | GDAL: no driver; a port to GDAL 1.8 takes the first ring of an area only | a reader of our own: points, lines, areas along signed arcs with holes. There is no coordinate system in it (`--src-crs`) and no names of fields. Arcs that do not meet are joined straight, as the stated areas bear out, and listed | other than one set of real files of version 9 (84 areas, each equal to its stated area; 436 lines; 862 points); versions 6 to 8; the net `.wan`; the binary `.wt` `.wl` `.wp` |

## Coordinate text

What is decided, and by what:

| matter | seen | what is done |
|---|---|---|
| axes | north first, east first, degrees | by size: six digits or a zone with six digits are east, 300,000 to 6,100,000 is north; all points alike, or refused |
| zone before the east | with, without | by the digits; held against 带号 and 几度分带, a contradiction is refused |
| system | 坐标系 2000, 80, 54 in many words, none | one of the three datums, else `--src-crs` is asked for |
| 转换参数 | empty, zeros, numbers | numbers are refused without `--conversion done`: whether coordinates went through them cannot be seen |
| area | hectares, m², mu | the unit in which most stated areas are those of the outlines (within a thousandth and their rounding), or near them; given on in hectares; one that differs is an issue with both figures |
| number of points | with closing points, without, one less, wrong | points are read to the next `@`; fewer than the count is refused, more is an issue |
| closing | same label, next number, number 1, missing, one coordinate twice | a point where the ring began closes it, whatever it is called; a point called as the first that lies elsewhere is refused with the gap |
| rings, parts, holes | ring column for rings, parts or parcels, or one for all | holes are told by where rings lie |
| labels | J1, 1, beginning again, running on | only where no point closes a ring |
| line of a parcel | 4, 8, 9 and more values, points only | by their number; `@` with blanks, braces; further values are 属性9 and on, of thirteen TBLX, DL, GZQ, GZH, BZ |
| line ends, encoding | CRLF, LF, CR; GBK, UTF-8, UTF-16 | by the bytes |
| project | [项目信息] | its keys are columns of each parcel |
| a folder, a zip | a file each project | one delivery: a row a parcel with its 文件; all files in one system, or refused |

A layer is loaded with a mapping (`[rename]` 批准文号, 地块用途, 地块面积 …). What was decided stands in `land.source.encoding_reason`.

### Each writer that was read

| writer | what is special | system | decided | issues |
|---|---|---|---|---|
"""

REFUSED = """
### What is refused

| the file | the message |
|---|---|
"""

FORMS = """
### The forms that are written

`lowland convert SOURCE TARGET.txt --template NAME`: GBK, CRLF, J, clockwise from the north-western corner, each ring closed, millimetres, the zone before
the east (another plane: `--crs`), areas of the outlines in hectares where the layer has no 地块面积. Fields go where they are called so, and from
ZDDM, DKBH, TBBH, BSM (地块编号), DKMC, ZDMC, XMMC (地块名称), DKYT, YT, TDYT, PZYT (地块用途), DLBM (地类编码), TFH (图幅号); what has no place is named.

| form | for | values before the @ | where it was read |
|---|---|---|---|
"""

TAIL = """
### What cannot be known

- A file that was cut between two parcels: nothing counts parcels. Anywhere else a cut is refused, in every dialect above, but in two: where a form has
  neither counts nor areas (一张图, points only), a parcel that lost its last points or its last ring is read; where its rings are not closed by a point
  that is an issue (`whole_unproved`).
- A point that a writer left out at the end of each ring, where the count does not count it.
- Whether 转换参数 were applied; whether a datum is the one that is named.
- Which axis is north where both coordinates have six digits (islands south of 9° N without a zone): refused.
"""


def page() -> str:
    """Return the page as Markdown."""
    with tempfile.TemporaryDirectory() as folder:
        cases = "".join(_case(name, Path(folder)) for name in CASES)
        bad = "".join(f"| {name} | {_message(name, Path(folder))} |\n" for name in BAD)
    forms = "".join(
        f"| `{name}` | {form.title} | {', '.join(value or '–' for value in form.line)} | {form.document} |\n"
        for name, form in templates().items()
    )
    return HEAD + cases + REFUSED + bad + FORMS + forms + TAIL


def _case(name: str, folder: Path) -> str:
    case = CASES[name]
    file = folder / "a.txt"
    file.write_bytes(case.dialect.content(case.lots))
    with opened(str(file), folder) as source, received(source) as found:
        doubts = {f"`{doubt.rule}`" for batch in found.batches for doubt in batch.doubts} | {
            f"`{code}`" for code, _ in found.doubts
        }
        said = [
            part
            for part in found.encoding.reason.split("; ")
            if not _ALWAYS.match(part) and part != "nothing declared"
        ]
        return f"| {name} | {case.special} | {found.declared_crs or 'asked for'} | {found.encoding.name}; {'; '.join(said)} | {', '.join(sorted(doubts))} |\n"


def _message(name: str, folder: Path) -> str:
    content, _ = BAD[name]
    file = folder / "a.txt"
    file.write_bytes(content if isinstance(content, bytes) else content.encode("gbk"))
    try:
        with opened(str(file), folder) as source, received(source):
            raise AssertionError(name)
    except InputRefusedError as error:
        words = str(error).removeprefix(f"{file}: ").removesuffix(" Ask the sender for it again.")
        return words.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
