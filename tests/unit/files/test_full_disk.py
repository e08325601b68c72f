"""Every writer on a disk that gets full: a refusal that names the file, and the folder as it was."""

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from matplotlib.figure import Figure

from full_disk import full_disk
from lowland_gis.cli import main
from lowland_gis.errors import InputRefusedError
from lowland_gis.files.features import write_features
from lowland_gis.files.table import write_rows
from lowland_gis.files.units import MEMBERS, UNITS, write_editable
from lowland_gis.products.maps.fonts import save_figure

SHAPES = [shapely.box(500_000 + x, 4_340_000, 500_080 + x, 4_340_050) for x in range(0, 50_000, 100)]
FRAME = gpd.GeoDataFrame(
    {"parcel_id": [f"P{n}" for n in range(500)], "unit_id": "U1"}, geometry=SHAPES, crs=4548
)
TABLE = pd.DataFrame(FRAME.drop(columns="geometry"))


def figure(target):
    page = Figure(figsize=(4, 4))
    page.add_subplot().plot(range(100))
    save_figure(page, target, ["DejaVu Sans"])


WRITERS = {
    "units.gpkg": lambda target: write_editable(target, {MEMBERS: FRAME, UNITS: FRAME}),
    "rejects.gpkg": lambda target: write_features(FRAME, target),
    "rows.csv": lambda target: write_rows(TABLE, target),
    "rows.parquet": lambda target: write_rows(TABLE, target),
    "sheet.pdf": figure,
    "map.png": figure,
}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("there", [False, True])
def test_a_writer_refuses_and_leaves_what_was_there(tmp_path, name, there):
    target = tmp_path / name
    if there:
        target.write_bytes(b"before")
    refused = 0
    for room in (0, 10, 500, 2_000, 20_000, 60_000, 120_000):
        try:
            with full_disk(room):
                WRITERS[name](target)
        except InputRefusedError as error:
            refused += 1
            said = str(error)
        else:
            break
        assert f"{name}: cannot be written" in said
        assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [(name, b"before")] * there
    assert refused >= 2
    WRITERS[name](target)
    assert target.stat().st_size > 500


def test_init_leaves_no_empty_project(tmp_path, capsys):
    call = ["init", str(tmp_path / "p"), "--code", "120113", "--name", "北辰区"]
    with full_disk(100), pytest.raises(SystemExit) as left:
        main(call)
    assert left.value.code == 3
    assert "lowland.toml: cannot be written" in capsys.readouterr().err
    assert not list((tmp_path / "p").rglob("*.toml"))
    with pytest.raises(SystemExit) as left:
        main(call)
    assert left.value.code == 0


def test_demo_leaves_a_folder_that_is_known_as_half_made(tmp_path, capsys):
    call = ["demo", str(tmp_path / "d"), "--parcels", "200"]
    with full_disk(3_000), pytest.raises(SystemExit) as left:
        main(call)
    assert left.value.code == 3, capsys.readouterr().err
    assert not (tmp_path / "d" / "lowland.toml").exists()
    assert "unfinished" in (tmp_path / "d" / "sample.json").read_text()
