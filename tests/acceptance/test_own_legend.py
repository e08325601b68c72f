"""A project's own legend on its map, its sheet and its tables, and its digest beside them."""

import json
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import replace

import matplotlib.colors
import matplotlib.image
import numpy as np
import psycopg
import pytest
from PIL import Image

from databases import DEMO, created
from lowland_gis.pipeline.base.land import feature_names
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.intake.reading import reading
from lowland_gis.pipeline.products.frames import map_frames
from lowland_gis.settings import load
from own_pack import own_pack

LEGEND = (
    '[answers.works]\nfill = "#102080"\n[answers.town]\nfill = "#FF0000"\n[answers.open]\ntitle = "待查"\n'
)


@pytest.fixture
def copy(demo, cluster, tmp_path) -> Iterator:
    """The demo on a database of its own, decided by a pack with answers of its own."""
    with created(cluster, f"legend_{secrets.token_hex(4)}", DEMO) as dsn:
        shutil.copy(demo.folder / "lowland.toml", tmp_path / "lowland.toml")
        own_pack(tmp_path)
        yield replace(demo, folder=tmp_path, dsn=dsn)


def legend(folder, text):
    (folder / "definitions").mkdir(exist_ok=True)
    (folder / "definitions" / "legend.toml").write_text(text, encoding="utf-8")


def pixels(picture, colour):
    rgb = np.asarray(matplotlib.colors.to_rgb(colour))
    image = matplotlib.image.imread(picture)
    return int((np.abs(image[..., :3] - rgb) < 1.5 / 255).all(axis=2).sum())


def test_the_legend_of_a_project_colours_its_map_sheet_and_tables(copy, tmp_path):
    done = copy.lowland("classify", "run", "--json")
    assert done.returncode == 0, done.stderr
    assert done.stdout.index('"legacy"') < done.stdout.index('"works"')
    assert copy.lowland("unit", "draft").returncode in (0, 1)
    picture = tmp_path / "map.png"

    # Without a legend of its own: a colour that no other answer has, and one sentence with the lines to add.
    done = copy.lowland("map", "overview", str(picture))
    assert done.returncode == 0, done.stderr
    assert "no colour for 2 answer(s) of the rule pack (fine 非低效用地, works 低效工业用地)" in done.stderr
    assert '[answers.works]\nfill = "#2E9E7B"' in done.stderr
    assert pixels(picture, "#2E9E7B") > 5000
    assert "Legend" not in Image.open(picture).text

    # With one: its colours, its order, and its digest in the picture.
    legend(tmp_path, LEGEND)
    done = copy.lowland("map", "overview", str(picture))
    assert done.returncode == 0, done.stderr
    assert "no colour for 1 answer(s) of the rule pack (fine 非低效用地)" in done.stderr
    assert pixels(picture, "#102080") > 5000
    assert pixels(picture, "#FF0000") > 5000
    digest = Image.open(picture).text["Legend"].rpartition(" ")[2]
    assert len(digest) == 64
    done = copy.lowland("classify", "run", "--json")
    assert done.stdout.index('"works"') < done.stdout.index('"town"') < done.stdout.index('"legacy"')
    assert '"待查"' in done.stdout
    units = [row["unit_id"] for row in copy.json("unit", "metrics")]
    sheets = [tmp_path / f"{unit}.png" for unit in units]
    for unit, sheet in zip(units, sheets, strict=True):
        assert copy.lowland("unit", "sheet", unit, str(sheet)).returncode == 0
    assert max(pixels(sheet, "#102080") for sheet in sheets) > 3000
    assert Image.open(sheets[0]).text["Legend"].endswith(digest)

    # A wrong one is refused before anything runs, by every command that opens the project.
    legend(tmp_path, LEGEND + '[answers.village]\nfill = "brown"\n')
    for command in (("run",), ("map", "overview", str(picture)), ("check",), ("classify", "run")):
        done = copy.lowland(*command)
        assert (done.returncode, done.stdout) == (6, ""), command
        assert "[answers.village], fill = 'brown': it is no colour" in done.stderr


def test_what_messages_propose_works_for_a_pack_and_a_unit_of_ones_own(copy, tmp_path):
    assert copy.lowland("classify", "run").returncode == 0
    # The pack is found by the name in its head, as the messages have it.
    done = copy.lowland("rules", "what-if", "--set", "tax_mni=8")
    assert done.returncode == 2
    advice = done.stderr.strip().rpartition("lowland ")[2].split()
    assert advice == ["rules", "show", "own_rules"]
    for named in (advice, ["rules", "show"], ["rules", "show", str(tmp_path / "own.toml")]):
        done = copy.lowland(*named)
        assert done.returncode == 0, done.stderr
        assert "works" in done.stdout
    assert copy.lowland("rules", "check", "own_rules").returncode == 0
    # A frozen unit is found by its number, whatever the newest draft is.
    assert copy.lowland("unit", "draft").returncode in (0, 1)
    units = [row["unit_id"] for row in copy.json("unit", "metrics")]
    frozen = copy.lowland("unit", "freeze", "--unit", units[0], "--json")
    assert frozen.returncode == 0, frozen.stderr
    (number,) = [row["number"] for row in json.loads(frozen.stdout)]
    draft = copy.rows("SELECT max(run_id) FROM result.run WHERE stage = 'delineate'")[0][0]
    assert copy.lowland("unit", "draft", "beside", "--set", "min_ha=3", "--rounds", "0").returncode in (0, 1)
    assert copy.lowland("unit", "sheet", number, str(tmp_path / "a.png")).returncode == 0
    assert (
        copy.lowland("unit", "sheet", number, str(tmp_path / "b.png"), "--draft", str(draft)).returncode == 0
    )
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    done = copy.lowland("unit", "sheet", number, str(tmp_path / "c.png"), "--draft", "beside")
    assert done.returncode == 2
    assert f"was drawn by the draft of run {draft}, not by beside. Leave --draft away" in done.stderr
    done = copy.lowland("unit", "sheet", "nowhere", str(tmp_path / "c.png"))
    assert done.returncode == 2
    assert copy.lowland(*done.stderr.strip().rpartition("lowland ")[2].split()).returncode in (0, 1)


def test_a_zone_and_a_town_without_a_name_are_called_by_their_codes(copy):
    with psycopg.connect(copy.dsn) as connection:
        changed = connection.execute(
            'UPDATE land.feature SET attributes = attributes || \'{"GHFQMC": " ", "XZQMC": null}\' WHERE version_id IN'
            " (SELECT version_id FROM land.layer_version WHERE layer IN ('plan_zone', 'town'))"
        )
        assert changed.rowcount > 0
    with reading(Project(load(copy.folder / "lowland.toml"), copy.dsn)) as held:
        assert feature_names(held.connection, held.versions("plan_zone"), "GHFQMC") == {}
        names = list(map_frames(held)["town"]["name"])
    assert len(names) > 1
    assert all(name.startswith("120113") for name in names)
    parcel = copy.rows("SELECT parcel_id FROM land.parcel LIMIT 1")[0][0]
    # The verdicts of the other pack are out of date, which the exit code says.
    said = copy.lowland("classify", "explain", str(parcel), "--json")
    assert str(json.loads(said.stdout)["town"]).startswith("120113")
