"""Coordinate texts as published writers write them, each read by looking; and files that are broken or unclear."""

from __future__ import annotations

from pathlib import Path

import pytest
import shapely

from coordinate_texts import BOX, CASES, EAST, HEADER, HOLED, ISLANDS, LOTS, NORTH, STANDARD, Lot
from lowland_gis.errors import InputRefusedError
from lowland_gis.files.consents import Consents
from lowland_gis.files.read import received
from lowland_gis.files.source import opened


def written(folder: Path, content: bytes | str, name: str = "勘界.txt") -> Path:
    file = folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else content.encode("gbk"))
    return file


def arrived(file: Path, consents: Consents = Consents()):
    """The opened source and its only batch."""
    with opened(str(file), file.parent) as source, received(source, consents=consents) as found:
        (batch,) = found.batches
        return found, batch


def shapes(batch) -> list:
    return list(shapely.from_wkb(batch.wkb))


def refusal(file: Path) -> str:
    with pytest.raises(InputRefusedError) as refused:
        arrived(file)
    return str(refused.value)


@pytest.mark.parametrize("name", CASES)
def test_every_dialect_gives_the_same_parcels(tmp_path, name):
    case = CASES[name]
    found, batch = arrived(written(tmp_path, case.dialect.content(case.lots)))
    off_m = 0 if case.dialect.degrees or case.dialect.zone else 39_000_000
    for shape, lot in zip(shapes(batch), case.lots, strict=True):
        expected = shapely.transform(lot.shape, lambda xy: xy - (off_m, 0))
        tolerance = 1e-9 if case.dialect.degrees else 1e-3
        assert shapely.normalize(shape).equals_exact(shapely.normalize(expected), tolerance)
        assert shape.is_valid
    assert found.declared_crs == case.crs
    for words in case.says:
        assert words in found.encoding.reason
    columns = batch.attributes.to_pydict()
    expected = {
        "地块面积": [None if lot.shape is None else lot.shape.area / 1e4 for lot in case.lots], "地块编号": [lot.number for lot in case.lots],
        "地块名称": [lot.name for lot in case.lots], "图形属性": ["面"] * len(case.lots),
        "地块用途": [lot.use for lot in case.lots], "地类编码": [lot.code for lot in case.lots],
    }  # fmt: skip
    for column, values in expected.items():
        if column in case.lacks:
            assert set(columns[column]) == {None}
        elif column == "地块面积":
            stated = [float(lot.area) for lot in case.lots] if case.lots[0].area else values
            assert columns[column] == pytest.approx(stated, abs=0.004 if "亩" in found.encoding.reason else 6e-5)
        else:
            assert columns[column] == values
    assert tuple(doubt.rule for doubt in batch.doubts) == case.doubts
    assert found.doubts == []
