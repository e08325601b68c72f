"""The sample district through every stage, on a real PostGIS, by the real command line."""

import hashlib
import json
import re
import struct
import subprocess
import zipfile

import fiona
import openpyxl
import pandas as pd
import pytest
import shapely

VOLATILE = {"run": {"started_at", "finished_at"}}
# Other tests draw drafts beside the units of the flow.
FLOW = "run_id = (SELECT max(run_id) FROM result.run WHERE stage = 'delineate')"
RESULTS = ("overlap", "evidence", "verdict", "unit", "member")


def digest(demo, table):
    """An order-free digest of a table."""
    rows = demo.rows(f"SELECT to_jsonb(t)::text FROM result.{table} t")  # noqa: S608 - fixed names
    return hashlib.sha256("\n".join(sorted(row[0] for row in rows)).encode()).hexdigest()


def package_root(demo):
    return next((demo.folder / "out" / "package").glob("*低效用地*"))


def test_says_kinds_paths_and_agreement(demo):
    assert "历史遗留用地" in demo.output
    assert "area 面积 亩" in demo.output
    for path in ("lowland.toml", "out/package", "out/overview.png", "out/page.html"):
        assert str(demo.folder / path) in demo.output
        assert (demo.folder / path).exists()
    last = demo.output.strip().splitlines()[-1]
    share = float(re.fullmatch(r"Agreement with the planted truth: ([\d.]+)%", last).group(1))
    assert share >= 99.0


def test_every_difference_is_listed_with_its_reason(demo):
    truth = pd.read_csv(demo.folder / "truth.csv", dtype=str, encoding="utf-8-sig")
    answers = dict(demo.rows("SELECT parcel_id, answer FROM result.verdict WHERE question = 'kind'"))
    differing = {row.parcel_id for row in truth.itertuples() if answers.get(row.parcel_id) != row.kind}
    listed = pd.read_csv(demo.folder / "differences.csv", dtype=str, encoding="utf-8-sig")
    assert set(listed["parcel_id"]) == differing
    assert listed["reason"].str.len().gt(10).all()


def test_kinds_and_areas_are_those_of_the_database(demo):
    planted = pd.read_csv(demo.folder / "truth.csv", dtype=str, encoding="utf-8-sig")["kind"].value_counts()
    found = dict(demo.rows("SELECT answer, count(*) FROM result.verdict WHERE question = 'kind' GROUP BY 1"))
    for kind in ("legacy", "industrial", "town", "village", "none"):
        assert found[kind] == pytest.approx(planted[kind], abs=max(2, 0.02 * planted[kind]))
    total = demo.rows("SELECT sum(area_m2) FROM land.parcel")[0][0]
    assert f"{total:,.2f}" in demo.output


def test_read_is_loaded_plus_rejected_for_every_delivery(demo):
    for layer, read, loaded, rejected in demo.rows(
        "SELECT layer, n_read, n_loaded, n_rejected FROM land.layer_version"
    ):
        assert read == loaded + rejected, layer
    counts = dict(
        demo.rows(
            "SELECT layer, count(*) FROM land.feature GROUP BY 1 UNION ALL SELECT 'parcel', count(*) FROM land.parcel"
            " UNION ALL SELECT 'enterprise', count(*) FROM land.enterprise"
        )
    )
    loaded = dict(demo.rows("SELECT layer, sum(n_loaded)::int FROM land.layer_version GROUP BY 1"))
    assert counts == {layer: count for layer, count in loaded.items() if layer != "raster"}


def test_shares_of_a_survey_close_to_the_parcel(demo):
    """The third survey covers the district, so the parts of a parcel fill it but for what was spoilt."""
    shares = demo.rows("SELECT parcel_id, sum(share) FROM result.overlap WHERE layer = 'dltb3' GROUP BY 1")
    near = sum(abs(share - 1) < 1e-6 for _, share in shares)
    assert near / len(shares) > 0.97


def test_overlaps_agree_with_postgis(demo):
    """The honest peer: the same question in SQL."""
    rows = demo.rows(
        "SELECT p.parcel_id, f.code, sum(ST_Area(ST_Intersection(p.geom, f.geom))) FROM land.parcel p"
        " JOIN land.feature f ON f.layer = 'dltb3' AND p.geom && f.geom GROUP BY 1, 2"
        " HAVING sum(ST_Area(ST_Intersection(p.geom, f.geom))) > 0.001"
    )
    found = {
        (parcel, code): area
        for parcel, code, area in demo.rows(
            "SELECT parcel_id, code, area_m2 FROM result.overlap WHERE layer = 'dltb3' AND area_m2 > 0.001"
        )
    }
    assert {(parcel, code) for parcel, code, _ in rows} == set(found)
    # Both build polygons from coordinates near 4e6 m, where a double has steps of 1e-9 m.
    assert max(abs(area - found[parcel, code]) for parcel, code, area in rows) < 1e-5


def test_ellipsoidal_area_agrees_with_postgis_on_the_geography(demo):
    worst = demo.rows(
        "SELECT max(abs(ST_Area(ST_Transform(geom, 4490)::geography) - area_m2)) FROM land.parcel WHERE area_m2 < 1e6"
    )[0][0]
    assert worst < 0.1


def test_a_second_run_changes_no_row(demo):
    before = {table: digest(demo, table) for table in RESULTS}
    manifest = (demo.folder / "out/package/manifest.json").read_bytes()
    registry = demo.rows("SELECT count(*) FROM registry.low_efficiency")
    done = demo.lowland("run")
    assert done.returncode == 0, done.stderr
    assert "28 there already" in done.stdout
    assert done.stdout.count("holds already") == 5
    assert {table: digest(demo, table) for table in RESULTS} == before
    assert demo.rows("SELECT count(*) FROM registry.low_efficiency") == registry
    assert (demo.folder / "out/package/manifest.json").read_bytes() == manifest


def test_registry_drafts_follow_the_verdicts(demo):
    drafts = dict(demo.rows("SELECT kind, count(*) FROM registry.low_efficiency GROUP BY 1"))
    verdicts = dict(
        demo.rows(
            "SELECT answer, count(*) FROM result.verdict WHERE question = 'kind' AND answer NOT IN ('none', 'open') GROUP BY 1"
        )
    )
    assert drafts == verdicts
    assert {row[0] for row in demo.rows("SELECT DISTINCT state FROM registry.legacy")} == {"draft"}
    legacy = demo.rows("SELECT count(*) FROM registry.legacy")[0][0]
    assert legacy == drafts["legacy"]


def test_papers_are_unknown_until_somebody_has_them(demo):
    retention = dict(
        demo.rows("SELECT answer, count(*) FROM result.verdict WHERE question = 'retention' GROUP BY 1")
    )
    assert set(retention) == {"open", "no"}
    needed = {
        row[0]
        for row in demo.rows("SELECT DISTINCT clause FROM registry.problem WHERE question = 'retention'")
    }
    assert {"消防合格", "建筑质量合格", "区政府评估可予以保留"} <= needed


def test_red_line_parcels_are_not_kept_and_in_no_unit(demo):
    touched = {
        row[0]
        for row in demo.rows(
            "SELECT parcel_id FROM result.evidence WHERE measure IN ('eco_share', 'farmland_share') AND value > 0.001"
        )
    }
    legacy = dict(demo.rows("SELECT parcel_id, answer FROM result.verdict WHERE question = 'retention'"))
    assert touched & set(legacy)
    assert {legacy[parcel] for parcel in touched & set(legacy)} == {"no"}
    members = {row[0] for row in demo.rows("SELECT parcel_id FROM result.member WHERE unit_id IS NOT NULL")}
    assert not touched & members


def test_units_keep_their_limits(demo):
    units = demo.rows(f"SELECT unit_id, area_m2, n_parcels, ST_AsBinary(geom) FROM result.unit WHERE {FLOW}")  # noqa: S608 - fixed text
    assert len(units) > 3
    for _, area, _, _ in units:
        assert 20_000 - 1e-3 <= area <= 300_000 + 1e-3
    shapes = [shapely.from_wkb(wkb) for *_, wkb in units]
    tree = shapely.STRtree(shapes)
    for one, other in zip(*tree.query(shapes, predicate="intersects"), strict=True):
        if one < other:
            assert shapely.intersection(shapes[one], shapes[other]).area < 1e-6
    sums = dict(
        demo.rows(
            "SELECT m.unit_id, sum(p.area_m2) FROM result.member m JOIN land.parcel p USING (parcel_id) WHERE m.unit_id IS NOT NULL"
            " AND run_id = (SELECT max(run_id) FROM result.run WHERE stage = 'delineate') GROUP BY 1"
        )
    )
    assert {name: pytest.approx(area) for name, area, _, _ in units} == sums
    assert demo.rows("SELECT count(*) FROM result.member WHERE (unit_id IS NULL) = (reason IS NULL)") == [
        (0,)
    ]


def test_no_unit_crosses_a_main_road(demo):
    crossing = demo.rows(
        "SELECT count(*) FROM result.unit u JOIN land.feature r ON r.layer = 'road' AND r.code IN ('主干路', '次干路')"
        " AND ST_Length(ST_Intersection(ST_Buffer(u.geom, -0.05), r.geom)) > 0.01"
    )
    assert crossing == [(0,)]


def test_explain_says_why_clause_by_clause(demo):
    parcel = demo.rows(
        "SELECT parcel_id FROM result.verdict WHERE question = 'kind' AND answer = 'legacy' LIMIT 1"
    )[0][0]
    text = demo.lowland("classify", "explain", parcel)
    assert text.returncode == 0
    assert "历史遗留用地" in text.stdout
    line = next(line for line in text.stdout.splitlines() if "二调为建设用地" in line)
    assert "✔" in line
    assert "≥ 50%" in line
    assert "二调地类图斑 2009-12-31" in line
    questions = {item["question"]: item for item in demo.json("classify", "explain", parcel)["questions"]}
    kind, retention = questions["kind"], questions["retention"]
    assert kind["answer"] == "legacy"
    deciding = next(rule for rule in kind["rules"] if rule["rule"] == kind["rule"])
    assert {clause["outcome"] for clause in deciding["clauses"]} == {"true"}
    assert any(
        clause["needed"]
        for rule in retention["rules"]
        for clause in rule["clauses"]
        if clause["value"] is None
    )


def test_explain_of_an_unknown_parcel(demo):
    done = demo.lowland("classify", "explain", "nobody")
    assert done.returncode == 2
    assert "nobody" in done.stderr
    assert "Traceback" not in done.stderr


# ------------------------------------------------------------------------------------------------ the package


def read_dbf_in_gbk(path):
    """Read a DBF with nothing but struct and the GBK codec, as an old program would."""
    content = path.read_bytes()
    count, header, width = struct.unpack("<IHH", content[4:12])
    fields = []
    for start in range(32, header - 1, 32):
        name = content[start : start + 11].split(b"\0")[0].decode("gbk")
        fields.append((name, content[start + 16]))
    rows = []
    for number in range(count):
        record = content[header + number * width : header + (number + 1) * width]
        position, row = 1, {}
        for name, length in fields:
            row[name] = record[position : position + length].decode("gbk").strip()
            position += length
        rows.append(row)
    return rows


def test_a_plain_gbk_reader_finds_the_counts_and_areas_of_the_database(demo):
    rows = read_dbf_in_gbk(package_root(demo) / "1空间数据库" / "DXYDTB.dbf")
    count, area = demo.rows("SELECT count(*), sum(area_m2) FROM registry.low_efficiency")[0]
    assert len(rows) == count
    areas = [name for name in rows[0] if name.endswith("MJ")]
    assert any(abs(sum(float(row[name]) for row in rows) - area) < 0.01 * len(rows) for name in areas)
    assert any("低效" in value or "历史" in value for value in rows[0].values())


def test_ogrinfo_finds_the_same(demo):
    folder = package_root(demo) / "1空间数据库"
    for layer, query in (
        ("DXYDTB", "SELECT count(*) FROM registry.low_efficiency"),
        ("LSYLTB", "SELECT count(*) FROM registry.legacy"),
        ("ZKFDY", f"SELECT count(*) FROM result.unit WHERE {FLOW}"),  # noqa: S608 - fixed text
    ):
        text = subprocess.run(
            ["ogrinfo", "-so", "-ro", str(folder / f"{layer}.shp"), layer],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        assert f"Feature Count: {demo.rows(query)[0][0]}" in text
        assert "CGCS2000" in text
        assert "�" not in text
    text = subprocess.run(
        ["ogrinfo", "-ro", "-dialect", "SQLite", "-sql", "SELECT sum(ST_Area(geometry)) AS area FROM ZKFDY", str(folder / "ZKFDY.shp")],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    area = float(re.search(r"area \(Real\) = ([\d.]+)", text).group(1))
    stored = demo.rows(f"SELECT sum(ST_Area(geom)) FROM result.unit WHERE {FLOW}")  # noqa: S608 - fixed text
    assert area == pytest.approx(stored[0][0], rel=1e-6)


def test_geometries_of_the_package_are_those_of_the_parcels(demo):
    with fiona.open(package_root(demo) / "1空间数据库" / "DXYDTB.shp") as layer:
        delivered = sum(shapely.geometry.shape(feature.geometry).area for feature in layer)
        assert layer.crs.to_epsg() == 4548
    stored = demo.rows(
        "SELECT sum(p.planar_m2) FROM registry.low_efficiency r JOIN land.parcel p USING (parcel_id)"
    )[0][0]
    assert delivered == pytest.approx(stored, abs=1e-3)


def test_manifest_holds_and_a_changed_file_is_found(demo, tmp_path):
    assert demo.lowland("package", "check", str(demo.folder / "out/package")).returncode == 0
    target = tmp_path / "成果.zip"
    assert demo.lowland("package", "build", str(target)).returncode == 0
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        archive.extractall(tmp_path / "out")
    manifest = json.loads((tmp_path / "out/manifest.json").read_text(encoding="utf-8"))
    assert manifest["synthetic"] is True
    assert len(names) == len(manifest["files"]) + 1
    for entry in manifest["files"]:
        assert hashlib.sha256((tmp_path / "out" / entry["path"]).read_bytes()).hexdigest() == entry["sha256"]
    victim = next((tmp_path / "out").rglob("DXYDTB.dbf"))
    victim.write_bytes(victim.read_bytes()[:-2] + b"9\x1a")
    done = demo.lowland("package", "check", str(tmp_path / "out"))
    assert done.returncode == 1
    assert "DXYDTB.dbf" in done.stdout


def test_workbooks_open_and_add_up(demo):
    book = openpyxl.load_workbook(next((package_root(demo) / "3统计表格").glob("表1*.xlsx")))
    texts = [
        str(cell.value)
        for sheet in book
        for row in sheet.iter_rows()
        for cell in row
        if cell.value is not None
    ]
    total = demo.rows("SELECT sum(area_m2) FROM registry.low_efficiency")[0][0]
    numbers = [float(text) for text in texts if re.fullmatch(r"[\d.]+", text)]
    assert any(abs(number - total) < 0.05 for number in numbers)


def test_the_map_is_a_picture(demo):
    assert (demo.folder / "out/overview.png").read_bytes().startswith(b"\x89PNG")
