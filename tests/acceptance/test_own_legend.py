"""A project's own legend on its map, its sheet and its tables, and its digest beside them."""

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
from psycopg import sql
from psycopg.conninfo import make_conninfo

from lowland_gis.db import cluster as clusters
from own_pack import own_pack

LEGEND = (
    '[answers.works]\nfill = "#102080"\n[answers.town]\nfill = "#FF0000"\n[answers.open]\ntitle = "待查"\n'
)


@pytest.fixture
def copy(demo, cluster, tmp_path) -> Iterator:
    """The demo on a database of its own, decided by a pack with answers of its own."""
    name = f"legend_{secrets.token_hex(4)}"
    with psycopg.connect(make_conninfo(clusters.dsn(cluster), dbname="postgres"), autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE acceptance_demo").format(sql.Identifier(name)))
        shutil.copy(demo.folder / "lowland.toml", tmp_path / "lowland.toml")
        own_pack(tmp_path)
        yield replace(demo, folder=tmp_path, dsn=make_conninfo(clusters.dsn(cluster), dbname=name))
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


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
