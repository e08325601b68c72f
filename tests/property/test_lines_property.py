"""Whatever stands over a table or ends a cell: numbers are converted only where that is said, and texts are cut only where it is."""

import math
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lowland_gis.analysis.fields import headings
from lowland_gis.analysis.fields.stated_quantities import stated_units
from lowland_gis.analysis.fields.written_quantities import unit_factor
from lowland_gis.definitions.layer import layer_definition
from lowland_gis.errors import InputRefusedError
from lowland_gis.files.plain_table import text_table
from lowland_gis.files.source import opened

FIELDS = layer_definition("enterprise").field
WORDS = st.sampled_from(
    ["单位", "单 位：", "填报单位:", "金额单位为", "亩", "公顷", "万元", "元/平方米", "亩/万元", "hm²", "担", "税务局", "2023年", "、", "，", "（", "）", "和", " ", "%", "个"]
)  # fmt: skip
LINES = st.lists(WORDS | st.text(max_size=3), max_size=8).map("".join)
COLUMNS = [
    *(f"{field.title.split()[0]}" for field in FIELDS),
    "占地面积（亩）",
    "税收总额（元）",
    "SSZE",
    "JZMJ",
]


@given(st.lists(LINES, max_size=3), st.lists(st.sampled_from(COLUMNS), max_size=6, unique=True))
def test_a_number_is_multiplied_only_where_a_line_or_a_heading_says_so(lines, columns):
    stated = stated_units(lines)
    taken = headings.found(columns, FIELDS, stated)
    told = "\n".join(words for _, words in headings.remarks(columns, FIELDS, taken, stated))
    units = {field.name: field.unit for field in FIELDS}
    for column, hit in taken.items():
        if hit.line is not None:
            assert f"{column}: taken as {hit.standard}" in told
            assert hit.line.split(":")[0].split("单")[0] in "".join(lines)
            assert math.isclose(hit.factor, unit_factor(hit.unit, units[hit.standard]))
            assert headings.parted(column)[1] is None
        else:
            assert hit.factor == 1.0 or headings.parted(column)[1] is not None
    for unit in stated.lines:
        others = [unit_factor(other, unit) for other in stated.lines if other != unit]
        assert set(others) <= {None, 1.0}


CHINESE = st.text("北辰区天穆镇双街工业园规划资源局历史遗留用地面积", min_size=1, max_size=9)
CELLS = st.tuples(CHINESE, st.integers(0, 2))


@given(
    st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=6),
    st.sampled_from(["gbk", "utf-8"]),
    st.booleans(),
)
def test_a_cell_of_a_csv_is_whole_or_named(rows, encoding, quoted):
    quote = b'"' if quoted else b""

    def content(cell):
        text, less = cell
        return quote + text.encode(encoding)[: len(text.encode(encoding)) - less] + quote

    lines = ["编号,甲,乙".encode(encoding)]
    lines += [b"%d,%b,%b" % (number, content(one), content(two)) for number, (one, two) in enumerate(rows)]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "t.csv").write_bytes(b"\r\n".join([*lines, b""]))
        try:
            with opened("t.csv", Path(folder)) as source:
                table = text_table(source, None)
        except InputRefusedError:
            # Few cells do not tell an encoding; then nothing is taken.
            return
    named = {(doubt.row, doubt.words.partition(":")[0]) for doubt in table.doubts}
    for column, place in (("甲", 0), ("乙", 1)):
        values = table.rows[column].to_pylist()
        assert len(values) == len(rows)
        for number, row in enumerate(rows):
            text, less = row[place]
            kept = text.encode(encoding)[: len(text.encode(encoding)) - less]
            assert (number, column) in named or values[number].encode(encoding) == kept
