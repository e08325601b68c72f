"""The overview map shows what it was given, in the legend's colours, with Chinese that can be read."""

import warnings

import geopandas as gpd
import matplotlib.colors
import matplotlib.image
import numpy as np
import pytest
import shapely
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from lowland_gis.definitions.legend import read_legend
from lowland_gis.errors import InputRefusedError, UsageError
from lowland_gis.products.maps import fonts
from lowland_gis.products.maps.furniture import bar_length, draw_furniture, legend_entries
from lowland_gis.products.maps.overview import overview

CRS = "EPSG:4548"
ANSWERS = ("industrial", "town", "village", "legacy", "none", "open")


def frame(geometries, **columns):
    return gpd.GeoDataFrame(columns, geometry=list(geometries), crs=CRS)


def district(n=24):
    """Return a checkered plain of n × n lots of 400 m with towns, roads, a river, hatched zones and units."""
    rng = np.random.default_rng(1)
    west, south, step = 500_000.0, 4_335_000.0, 500.0
    corners = [(west + step * i, south + step * j) for i in range(n) for j in range(n)]
    lots = [shapely.box(x + 30, y + 30, x + 430, y + 430) for x, y in corners]
    side = n * step
    towns = [
        shapely.box(west, south, west + side / 2, south + side),
        shapely.box(west + side / 2, south, west + side, south + side),
    ]
    bends = [(west + side * t, south + side * (0.5 + 0.1 * np.sin(9 * t))) for t in np.linspace(0, 1, 60)]
    lines = [[(west + step * i, south), (west + step * i, south + side)] for i in range(0, n, 4)]
    return {
        "parcels": frame(lots, parcel_id=[str(i) for i in range(n * n)], answer=rng.choice(ANSWERS, n * n)),
        "units": frame([shapely.union_all(lots[i : i + 3]).convex_hull for i in range(0, n * n, 97)]),
        "road": frame(map(shapely.LineString, lines), grade=["主干路", "次干路", "支路"] * (len(lines) // 3)),
        "river": frame([shapely.LineString(bends).buffer(90)]),
        "town": frame(towns, name=["北仓镇", "天穆镇"]),
        "eco_redline": frame([shapely.box(west + 900, south + 900, west + 3000, south + 2000)]),
        "farmland": frame([shapely.box(west + 7000, south + 8000, west + 9500, south + 11000)]),
    }


def draw(path, frames, **texts):
    return overview(frames, path, **{"title": "北辰区低效用地分布图", "note": "面积为平面面积", **texts})


def count(image, colour):
    rgb = np.asarray(matplotlib.colors.to_rgb(colour))
    return int((np.abs(image[..., :3] - rgb) < 1.5 / 255).all(axis=2).sum())


def test_every_class_is_there_in_its_colour(tmp_path):
    image = matplotlib.image.imread(draw(tmp_path / "a.png", district()))
    assert image.shape[:2] == (1753, 2480)
    legend = read_legend()
    assert all(count(image, legend.answers[answer].fill) > 5000 for answer in ANSWERS)
    assert count(image, legend.layers["river"].fill) > 2000
    assert count(image, legend.layers["unit"].outline) > 2000
    assert count(image, legend.paper.mark) > 300


def test_mark_and_layers_that_are_not_there_leave_no_trace(tmp_path):
    image = matplotlib.image.imread(draw(tmp_path / "a.png", {"parcels": district()["parcels"]}, mark=""))
    legend = read_legend()
    assert count(image, legend.paper.mark) == 0
    assert count(image, legend.layers["river"].fill) == 0


def test_same_frames_give_the_same_bytes(tmp_path):
    for name in ("a.png", "b.png"):
        draw(tmp_path / name, district(6))
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.png"]


def test_hole_of_a_parcel_stays_empty(tmp_path):
    shell = [(500_000, 4_335_000), (501_000, 4_335_000), (501_000, 4_336_000), (500_000, 4_336_000)]
    hole = [(500_100, 4_335_100), (500_900, 4_335_100), (500_900, 4_335_900), (500_100, 4_335_900)]
    ring = shapely.Polygon(shell, [hole])  # both rings turn the same way
    image = matplotlib.image.imread(draw(tmp_path / "a.png", {"parcels": frame([ring], answer=["town"])}))
    height, width = image.shape[:2]
    centre = image[int(height * 0.5), int(width * 0.4), :3]
    assert np.allclose(centre, 1.0)
    assert count(image, read_legend().answers["town"].fill) > 50_000


def test_legend_counts_rows_and_hectares():
    parcels = frame([shapely.box(0, 0, 100, 100)] * 3, answer=["town", "town", "none"])
    rows = {entry.title: entry.figures for entry in legend_entries({"parcels": parcels}, read_legend())}
    assert rows["低效城镇用地"] == ("2", "2.0")
    assert rows["非低效用地"] == ("1", "1.0")
    assert "低效工业用地" not in rows
    ledger = parcels.assign(area_m2=[15_000.0] * 3)
    rows = {entry.title: entry.figures for entry in legend_entries({"parcels": ledger}, read_legend())}
    assert rows["低效城镇用地"] == ("2", "3.0")


@pytest.mark.parametrize(
    ("width", "length"), [(38_000, 5000), (5_000, 1000), (49_999, 5000), (50_000, 10_000), (700, 100)]
)
def test_scale_bar_is_round(width, length):
    assert bar_length(width) == length


def test_scale_bar_measures_the_map_beside_it():
    figure = Figure(figsize=(10, 8))
    axes, panel = figure.add_axes((0.1, 0.1, 0.6, 0.8)), figure.add_axes((0.75, 0.1, 0.2, 0.8))
    axes.set_xlim(500_000, 538_000)
    axes.set_ylim(4_335_000, 4_373_000)
    draw_furniture(axes, panel, [], read_legend().paper)
    bars = [patch for patch in panel.patches if isinstance(patch, Rectangle)]
    drawn = sum(
        panel.transData.transform((bar.get_width(), 0))[0] - panel.transData.transform((0, 0))[0]
        for bar in bars
    )
    on_map = axes.transData.transform((505_000, 0))[0] - axes.transData.transform((500_000, 0))[0]
    assert drawn == pytest.approx(on_map)
    assert "5 km" in [text.get_text() for text in panel.texts]
    assert "1:249,300（A3）" in [text.get_text() for text in panel.texts]  # 38 km on 0.6 × 10 inches


def test_letter_without_glyph_is_an_error_and_leaves_no_file(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as a caller may have it
        with pytest.raises(UsageError, match="box"):
            draw(tmp_path / "a.png", {"parcels": district(2)["parcels"]}, title="镇\U000f0000")
    assert list(tmp_path.iterdir()) == []


def test_signs_of_formulas_are_text(tmp_path):
    assert draw(
        tmp_path / "a.png", {"parcels": district(2)["parcels"]}, title=r"$\frac{1$ 和 100%_{a"
    ).exists()


def test_no_font_says_how_to_get_one(tmp_path):
    with pytest.raises(UsageError, match="apt-get install -y fonts-wqy-microhei"):
        fonts._installed(["/usr/share/fonts/DejaVuSans.ttf"])
    with pytest.raises(UsageError, match="no such font file"):
        fonts.font_families({"LOWLAND_FONT": str(tmp_path / "absent.ttf")})
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    with pytest.raises(UsageError, match="not a readable font"):
        fonts.font_families({"LOWLAND_FONT": str(tmp_path / "broken.ttf")})


def test_best_font_wins():
    paths = [
        "/f/wqy-microhei.ttc",
        "/f/NotoSansCJK-Bold.ttc",
        "/f/NotoSansCJK-Regular.ttc",
        "/f/DejaVuSans.ttf",
    ]
    assert str(fonts._installed(paths)) == "/f/NotoSansCJK-Regular.ttc"


def test_wrong_input_is_refused(tmp_path):
    good = district(3)
    with pytest.raises(InputRefusedError, match="no parcels"):
        draw(tmp_path / "a.png", {"parcels": good["parcels"].iloc[:0]})
    with pytest.raises(InputRefusedError, match="river: not in the metric system"):
        draw(tmp_path / "a.png", {**good, "river": good["river"].to_crs("EPSG:4490")})
    with pytest.raises(InputRefusedError, match="parcels: not in the metric system"):
        draw(tmp_path / "a.png", {"parcels": good["parcels"].to_crs("EPSG:4490")})
    assert list(tmp_path.iterdir()) == []


def test_kinds_that_only_the_rule_pack_knows_are_drawn_in_colours_of_their_own_under_its_names(tmp_path):
    kinds = {"warehouse": "低效仓储用地", "dock": "低效码头用地", "town": "城镇低效用地"}
    parcels = district(6)["parcels"]
    parcels["answer"] = np.resize(["warehouse", "dock", "none", "unjudged"], len(parcels))
    image = matplotlib.image.imread(draw(tmp_path / "a.png", {"parcels": parcels}, kinds=kinds))
    legend = read_legend().knowing(set(parcels["answer"]), kinds)
    assert all(count(image, legend.answers[answer].fill) > 5000 for answer in ("warehouse", "dock", "none"))
    fills = [style.fill for style in legend.answers.values()]
    assert len(set(fills)) == len(fills)
    titles = [entry.title for entry in legend_entries({"parcels": parcels}, legend)]
    assert titles[1:5] == ["低效码头用地", "低效仓储用地", "非低效用地", "未判定"]
    assert legend.answers["town"].title == "城镇低效用地"


def test_more_strange_kinds_than_spare_colours_are_told_apart_by_their_hatch():
    names = [f"kind {number:02d}" for number in range(20)]
    legend = read_legend().knowing(names)
    looks = {(legend.answers[name].fill, legend.answers[name].hatch) for name in names}
    assert len(looks) == 20
    assert legend.answers["kind 03"].title == "kind 03"
    assert list(read_legend().knowing([]).answers) == list(read_legend().answers)


def test_a_line_that_a_union_left_beside_an_area_is_not_drawn(tmp_path):
    """Joined towns may be a collection with a line of no length in it; and a unit without an outline has no number."""
    good = district(6)
    area = good["town"].geometry.iloc[0]
    odd = shapely.GeometryCollection(
        [area, shapely.LineString([(500_000, 4_335_000), (500_000, 4_335_000.1)])]
    )
    frames = {**good, "town": frame([odd], name=["北仓镇"])}
    plain = {**good, "town": frame([area], name=["北仓镇"])}
    assert draw(tmp_path / "a.png", frames).read_bytes() == draw(tmp_path / "b.png", plain).read_bytes()
    units = frame([*good["units"].geometry, shapely.MultiPolygon()])
    draw(tmp_path / "c.png", {**good, "units": units})
