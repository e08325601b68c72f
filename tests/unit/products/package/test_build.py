"""A package is whole, exact and repeatable, or it is not there."""

import hashlib
import json
import signal
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
import shapely

from full_disk import full_disk
from lowland_gis.definitions.package import package_definition, package_names
from lowland_gis.errors import DefinitionError, InputRefusedError, UsageError
from lowland_gis.products.package import staging
from lowland_gis.products.package.build import PackageNames, build, check

HERE = Path(__file__).parent
NAMES = PackageNames("120113", "北辰区", 2024)
PROVENANCE = {"synthetic": True, "runs": {"classify": 7}}
ROOT = "北辰区(120113)低效用地2024"
CRS = "EPSG:4548"


def lots(n):
    return [shapely.box(500000 + 100 * i, 4340000, 500080 + 100 * i, 4340050 + i) for i in range(n)]


def frames():
    n = 6
    codes = [f"120113101001GB{i:05d}" for i in range(n)]
    place = {"town_code": ["120113101", "120113100"] * 3, "town_name": ["北仓镇", "天穆镇"] * 3}
    areas = {
        "area_m2": [80.0 * (50 + i) for i in range(n)],
        "area_mu": [80.0 * (50 + i) * 0.0015 for i in range(n)],
    }
    low = {
        "parcel_id": codes,
        **place,
        "kind": ["industrial", "town", "village"] * 2,
        "kind_title": ["低效工业用地", "低效城镇用地", "低效村庄用地"] * 2,
        "rule": "R1",
        "rule_title": "亩均税收低",
        **areas,
        "location": ["=1+1", "示例路1号", None, "-", "@x", "+8"],
        "land_use": "0601",
        "ownership": "10",
    }
    legacy = {
        "parcel_id": codes[:3],
        **{key: values[:3] for key, values in place.items()},
        "retention": ["yes", "no", "open"],
        "retention_title": ["符合保留条件", "不符合保留条件", "待核"],
        "failed": ["", "占用永久基本农田；突破生态保护红线", ""],
        "unknown": ["", "", "规划用途"],
        **{key: values[:3] for key, values in areas.items()},
        "location": None,
    }
    problem = {
        "parcel_id": [codes[2], codes[2]],
        "town_code": "120113101",
        "town_name": "北仓镇",
        "entry_id": [8, 3],
        "question_title": "能否保留",
        "clause_title": ["规划用途", "房屋安全"],
        "needed": "控规图则",
        "office": "规资分局",
    }
    unit = {
        "unit_id": ["120113101-001"],
        "town_code": "120113101",
        "town_name": "北仓镇",
        "n_parcels": 3,
        "area_m2": 25000.0,
        "area_mu": 37.5,
        "low_share": 0.91234,
        "compactness": 0.5,
    }
    return {
        "low_efficiency": gpd.GeoDataFrame(low, geometry=lots(n), crs=CRS),
        "legacy": gpd.GeoDataFrame(legacy, geometry=lots(3), crs=CRS),
        "problem": pd.DataFrame(problem),
        "unit": gpd.GeoDataFrame(unit, geometry=[shapely.box(500000, 4340000, 500300, 4340100)], crs=CRS),
    }


def make(target, given=None, **options):
    return build(
        frames() if given is None else given,
        options.pop("definition", package_definition("example_city", Path())),
        options.pop("names", NAMES),
        target,
        provenance=PROVENANCE,
        **options,
    )


def digests(folder):
    return {
        p.relative_to(folder): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in folder.rglob("*")
        if p.is_file()
    }


def test_layers_come_back_with_all_rows_and_areas(tmp_path):
    report = make(tmp_path / "out")
    given = frames()
    assert [(layer.name, layer.rows) for layer in report.layers] == [
        ("DXYDTB", 6),
        ("LSYLTB", 3),
        ("ZKFDY", 1),
        ("WTQD", 2),
    ]
    low = gpd.read_file(tmp_path / "out" / report.layers[0].path)
    assert low["TBMJ"].tolist() == given["low_efficiency"]["area_m2"].tolist()
    assert low.geometry.area.sum() == given["low_efficiency"].geometry.area.sum()
    assert low["DXLXDM"].tolist() == ["01", "02", "03"] * 2
    assert low["ZL"].iloc[0] == "=1+1"
    assert low.crs.to_epsg() == 4548
    problems = gpd.read_file(tmp_path / "out" / report.layers[3].path)
    assert sorted(problems["DHTK"]) == ["房屋安全", "规划用途"]
    assert not (tmp_path / "out" / ROOT / "1空间数据库" / "WTQD.shp").exists()


def test_tables_agree_with_the_layers(tmp_path):
    make(tmp_path / "out")
    book = openpyxl.load_workbook(
        tmp_path / "out" / ROOT / "3统计表格" / "表1 北辰区(120113)低效用地汇总表.xlsx"
    )
    rows = list(book["低效用地汇总"].iter_rows(min_row=4, values_only=True))
    total = frames()["low_efficiency"]["area_m2"].sum()
    assert rows[-1] == (None, "合计", None, 6, total, round(total / 10000, 4), round(total * 0.0015, 4))
    assert [row[4] for row in rows if row[2] == "小计"] == [12720.0, 12480.0]
    assert rows[0][:2] == ("120113100", "天穆镇")


def test_dictionary_and_manifest_describe_every_field(tmp_path):
    report = make(tmp_path / "out")
    definition = package_definition("example_city", Path())
    book = openpyxl.load_workbook(tmp_path / "out" / ROOT / "1空间数据库" / "北辰区(120113)数据字典.xlsx")
    described = [(row[0], row[2]) for row in book["字段"].iter_rows(min_row=4, values_only=True)]
    assert described == [(layer.name, field.name) for layer in definition.layers for field in layer.fields]
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["synthetic"] is True
    assert manifest["example"] is True
    assert manifest["provenance"] == PROVENANCE
    assert {file["path"] for file in manifest["files"]} == {file.path for file in report.files}
    assert [layer["crs"] for layer in manifest["layers"]] == [CRS, CRS, CRS, None]


def test_same_content_gives_the_same_bytes_in_any_row_order(tmp_path):
    shuffled = {name: frame.iloc[::-1] for name, frame in frames().items()}
    shuffled["problem"] = shuffled["problem"].assign(entry_id=[90, 91])  # not written, so without effect
    make(tmp_path / "a")
    make(tmp_path / "b", shuffled)
    assert digests(tmp_path / "a") == digests(tmp_path / "b")
    make(tmp_path / "a.zip")
    make(tmp_path / "b.zip", shuffled)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_zip_holds_what_the_folder_holds(tmp_path):
    make(tmp_path / "a")
    make(tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        archive.extractall(tmp_path / "unzipped")
        assert {member.date_time for member in archive.infolist()} == {(2024, 1, 1, 0, 0, 0)}
        assert archive.namelist() == sorted(archive.namelist())
        for member in archive.infolist():
            member.filename.encode("gbk")
    assert digests(tmp_path / "a") == digests(tmp_path / "unzipped")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "a.zip", "unzipped"]


def test_check_is_silent_on_a_whole_package_and_names_each_difference(tmp_path):
    make(tmp_path / "a")
    make(tmp_path / "a.zip")
    assert check(tmp_path / "a") == ()
    assert check(tmp_path / "a.zip") == ()
    folder = tmp_path / "a" / ROOT / "1空间数据库"
    (folder / "WTQD.dbf").unlink()
    (folder / "extra.txt").write_text("x")
    with (folder / "DXYDTB.dbf").open("r+b") as stream:
        stream.seek(600)
        stream.write(b"\xff")
    assert check(tmp_path / "a") == (
        f"{ROOT}/1空间数据库/extra.txt: not in the manifest",
        f"{ROOT}/1空间数据库/DXYDTB.dbf: changed since it was built",
        f"{ROOT}/1空间数据库/WTQD.dbf: missing",
    )
    (tmp_path / "b.zip").write_bytes(b"no zip")
    with pytest.raises(UsageError, match="readable zip"):
        check(tmp_path / "b.zip")


BROKEN_MANIFESTS = {
    "empty": (b"", "manifest.json: empty"),
    "cut": (b'{"files": [', "manifest.json: no JSON"),
    "a list": (b"[1]", "manifest.json: it has no list of files"),
    "no files": (b"{}", "manifest.json: it has no list of files"),
    "files of another kind": (b'{"files": {"a": 1}}', "manifest.json: it has no list of files"),
    "no digests": (
        b'{"files": [{"path": "a"}]}',
        "manifest.json: file 1 of its list has no path or no digest",
    ),
    "no entries": (b'{"files": [7]}', "manifest.json: file 1 of its list"),
    "in GBK": ('{"a": "成果"}'.encode("gbk"), "manifest.json: not in UTF-8"),
    "in UTF-16": ('{"a": "成果"}'.encode("utf-16"), "manifest.json: not in UTF-8"),
    "nested": (b"[" * 100_000, "manifest.json: no JSON that can be read"),
    "a long number": (b'{"files": ' + b"9" * 5_000 + b"}", "manifest.json: no JSON that can be read"),
}


@pytest.mark.parametrize(("content", "said"), BROKEN_MANIFESTS.values(), ids=BROKEN_MANIFESTS)
def test_a_manifest_that_cannot_be_read_is_a_finding(tmp_path, content, said):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/manifest.json").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("manifest.json", content)
    for target in ("a", "a.zip"):
        (finding,) = check(tmp_path / target)
        assert finding.startswith(said)
        assert finding.endswith("so nothing says what the package should hold")


def test_a_manifest_with_a_mark_in_front_is_read(tmp_path):
    make(tmp_path / "a")
    manifest = tmp_path / "a/manifest.json"
    manifest.write_bytes(b"\xef\xbb\xbf" + manifest.read_bytes())
    assert check(tmp_path / "a") == ()


def test_a_damaged_member_of_a_zip_is_a_finding(tmp_path):
    make(tmp_path / "a.zip")
    inside = f"{ROOT}/1空间数据库/DXYDTB.dbf"
    content = bytearray((tmp_path / "a.zip").read_bytes())
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        info = archive.getinfo(inside)
    start = info.header_offset + 30 + len(inside.encode()) + info.compress_size // 2
    content[start : start + 8] = bytes(8)
    (tmp_path / "a.zip").write_bytes(content)
    (finding,) = check(tmp_path / "a.zip")
    assert finding.startswith(f"{inside}: damaged or locked, so it cannot be unpacked")


class _InGbk(zipfile.ZipInfo):
    """A member whose name is written as Chinese Windows does, without the mark of UTF-8."""

    def _encodeFilenameFlags(self):  # noqa: N802 - the name is the library's
        return self.filename.replace("/", self.separator).encode("gbk"), 0


def repacked(source, target, separator):
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for info in old.infolist():
            member = _InGbk(info.filename)
            member.separator = separator
            new.writestr(member, old.read(info))
    with zipfile.ZipFile(target) as made:
        assert all(info.flag_bits & 0x800 == 0 for info in made.infolist())


def test_a_package_that_chinese_windows_packed_again_is_whole(tmp_path):
    """It writes names in GBK, without the mark of UTF-8, and some of its programs with backslashes."""
    make(tmp_path / "a.zip")
    repacked(tmp_path / "a.zip", tmp_path / "b.zip", "/")
    assert check(tmp_path / "b.zip") == ()
    repacked(tmp_path / "a.zip", tmp_path / "c.zip", "\\")
    assert check(tmp_path / "c.zip") == ()


def test_a_member_of_another_size_is_not_unpacked(tmp_path):
    """As one that says it is a table, and unpacks to a full disk."""
    make(tmp_path / "a.zip")
    inside = f"{ROOT}/1空间数据库/DXYDTB.dbf"
    with (
        zipfile.ZipFile(tmp_path / "a.zip") as old,
        zipfile.ZipFile(tmp_path / "b.zip", "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for info in old.infolist():
            new.writestr(info.filename, bytes(9_000_000) if info.filename == inside else old.read(info))
    assert check(tmp_path / "b.zip") == (f"{inside}: changed since it was built",)


def test_a_folder_whose_manifest_is_broken_is_not_replaced(tmp_path):
    make(tmp_path / "a")
    (tmp_path / "a/manifest.json").write_text("[]")
    with pytest.raises(UsageError, match="it has no list of files"):
        make(tmp_path / "a", replace=True)


def spoilt(column, row, value):
    given = frames()
    low = given["low_efficiency"]
    low[column] = low[column].astype(object)
    low.loc[low.index[row], column] = value
    return given


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (spoilt("location", 2, "长" * 101), "202 bytes in GBK, the field holds 200"),
        (spoilt("location", 2, "𠮷祥路"), "GBK does not have"),
        (spoilt("rule", 2, None), "missing, though the field is required"),
        (spoilt("kind", 2, "other"), "not in its code list"),
        (spoilt("area_m2", 2, 1e14), "more than the 15 places"),
        (spoilt("parcel_id", 2, "120113101001GB00000"), "stands 2 times"),
        (spoilt("geometry", 2, None), "no geometry"),
        ({**frames(), "unit": frames()["unit"].drop(columns="area_mu")}, "no such column"),
        ({**frames(), "unit": frames()["unit"].to_crs("EPSG:4549")}, "EPSG:4549, the package in EPSG:4548"),
        (
            {**frames(), "unit": pd.DataFrame(frames()["unit"].drop(columns="geometry"))},
            "the frame unit has none",
        ),
        ({name: frame for name, frame in frames().items() if name != "unit"}, "no frame unit"),
    ],
)
def test_misfit_leaves_nothing_behind(tmp_path, given, reason):
    with pytest.raises(InputRefusedError, match=reason):
        make(tmp_path / "out.zip", given)
    assert list(tmp_path.iterdir()) == []


def test_all_misfits_are_counted_and_five_shown(tmp_path):
    given = frames()
    given["low_efficiency"]["location"] = "长" * 150
    with pytest.raises(
        InputRefusedError,
        match=r"(?s)6 fault.*DXYDTB.ZL: more bytes in GBK than the 200 that the field holds – 6 times: row 0 .*row 4 [^\n]* … and 1 more",
    ):
        make(tmp_path / "out", given)


@pytest.mark.parametrize(
    "names", [("12011", "北辰区", 2024), ("120113", "北/辰", 2024), ("120113", "北辰区", 1)]
)
def test_names_that_cannot_name_files(tmp_path, names):
    with pytest.raises(InputRefusedError):
        make(tmp_path / "out", names=PackageNames(*names))


def test_existing_target_is_kept_unless_replaced(tmp_path):
    make(tmp_path / "out")
    before = digests(tmp_path / "out")
    smaller = {**frames(), "low_efficiency": frames()["low_efficiency"].iloc[:2]}
    with pytest.raises(UsageError, match="exists"):
        make(tmp_path / "out", smaller)
    assert digests(tmp_path / "out") == before
    assert make(tmp_path / "out", smaller, replace=True).layers[0].rows == 2
    assert check(tmp_path / "out") == ()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_folder_that_is_no_package_is_never_replaced(tmp_path):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "thesis.txt").write_text("x")
    with pytest.raises(UsageError, match="no package"):
        make(tmp_path / "work", replace=True)
    assert (tmp_path / "work" / "thesis.txt").exists()


@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_failure_at_the_last_step_leaves_the_old_package(tmp_path, monkeypatch, name):
    make(tmp_path / name)
    before = (tmp_path / name).stat().st_ino

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(staging, "_deliver", full)
    with pytest.raises(InputRefusedError, match="No space"):
        make(tmp_path / name, replace=True)
    assert (tmp_path / name).stat().st_ino == before
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_killed_builds_leave_nothing_under_the_name_and_are_swept(tmp_path):
    script = textwrap.dedent(
        """
        import os, signal, sys
        sys.path[:0] = sys.argv[2:]
        import test_build
        from pathlib import Path
        from lowland_gis.products.package import build
        build._write_workbooks = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        test_build.make(Path(sys.argv[1]), replace=True)
        """
    )
    target = tmp_path / "out"
    command = [sys.executable, "-c", script, str(target), str(HERE), str(HERE.parents[2])]
    killed = subprocess.run(command, check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert not target.exists()
    assert (tmp_path / ".out.lowland-part").exists()
    make(target)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_swap_killed_half_way_is_undone(tmp_path):
    make(tmp_path / "out")
    (tmp_path / ".out.lowland-part").mkdir()
    (tmp_path / "out").rename(tmp_path / ".out.lowland-part" / "previous")
    with pytest.raises(UsageError, match="exists"):
        make(tmp_path / "out")
    assert check(tmp_path / "out") == ()


def test_two_builds_at_once_do_not_mix(tmp_path):
    with staging.staged(tmp_path / "out", refuse=lambda _: None) as product:
        with pytest.raises(UsageError, match="another build"):
            make(tmp_path / "out")
        assert product.parent.exists()
        product.mkdir()
    assert (tmp_path / "out").is_dir()


def test_paths_with_hostile_characters(tmp_path):
    target = tmp_path / "北辰 50% #1!zip?" / "a&b'c.zip"
    assert make(target).target == target
    assert check(target) == ()


def test_shipped_definitions_are_read_and_marked():
    assert "example_city" in package_names()
    assert all(package_definition(name, Path()).example for name in package_names())


TEXT = (HERE.parents[3] / "src/lowland_gis/definitions/packages/example_city.toml").read_text(
    encoding="utf-8"
)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('name = "DXYDTB"', 'name = "低效用地图斑"', "DBF name|1 to 10"),
        ("length = 19", "length = 255", "length 1 to 254"),
        ("decimals = 2", "decimals = 14", "decimals need"),
        ('column = "town_code"', "", "either column or text"),
        ('text = "{district_code}"', 'text = "{district_code.__class__}"', "may stand in braces"),
        ('folder = "1空间数据库"', 'folder = "../x"', "no file name"),
        ('root = "', 'root = "/', "no file name"),
        ('layer = "WTQD"', 'layer = "NONE"', "layer = 'NONE': there is no layer NONE in this definition"),
        ('area = "TBMJ"', 'area = "ZL"', "no field ZL of type N"),
        (
            'frame = "legacy"',
            'frame = "legasy"',
            "frame = 'legasy': there is no such frame. Did you mean 'legacy'",
        ),
        (
            'column = "kind"',
            'column = "knd"',
            r"\(DXLXDM\), column = 'knd': the frame low_efficiency has no such column. Did you mean 'kind'",
        ),
        ('key = "parcel_id"', 'key = "entry_id"', "key = 'entry_id': it is the column of no field"),
        (
            'frame = "problem"\ngeometry = "none"',
            'frame = "problem"\ngeometry = "polygon"',
            "has no outlines",
        ),
        ('unit = "m²"', "", r"\(TBMJ\), unit: it is missing; its column area_m2 is in m².*m², 亩, 公顷"),
        ('unit = "m²"', 'unit = "宗"', r"\(TBMJ\), unit = '宗': its column area_m2 is in m²"),
        ('name = "RDGZ"', 'name = "RDYJ"', "fields = 'RDYJ': two fields stand twice"),
        ('code = "01"', 'code = "0001"', "does not fit the field"),
        ("example = true", "example = 1", "example = 1: it should be true or false"),
        ("example = true", "exemplary = true", "Did you mean .example"),
        ("example = true", "example = ", "TOML"),
    ],
)
def test_wrong_definition_is_refused_with_the_place(tmp_path, old, new, reason):
    assert old in TEXT
    path = tmp_path / "own.toml"
    path.write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DefinitionError, match=reason):
        package_definition("own.toml", tmp_path)


AREA_FIELD = """unit = "m²"
meaning = "椭球面积"
column = "area_m2"
"""


@pytest.mark.parametrize(
    ("unit", "column", "written"),
    [
        ("亩", "area_m2", 6.0),
        ("亩", "area_mu", 6.0),
        ("公顷", "area_m2", 0.4),
        ("平方米", "area_mu", 4000.0),
    ],
)
def test_an_area_is_written_in_the_unit_of_its_field_and_summed_in_square_metres(
    tmp_path, unit, column, written
):
    assert AREA_FIELD in TEXT
    own = AREA_FIELD.replace('"m²"', f'"{unit}"').replace("area_m2", column)
    (tmp_path / "own.toml").write_text(TEXT.replace(AREA_FIELD, own, 1), encoding="utf-8")
    make(tmp_path / "P", definition=package_definition("own.toml", tmp_path))
    rows = gpd.read_file(next((tmp_path / "P").rglob("DXYDTB.shp")))
    assert rows["TBMJ"][0] == pytest.approx(written, abs=0.005)
    book = openpyxl.load_workbook(next((tmp_path / "P").rglob("表1*.xlsx")))
    total = list(book["低效用地汇总"].values)[-1]
    places = 0.005 * 6 * (10000 if unit == "公顷" else 2000 / 3)
    assert total[1:5] == ("合计", None, 6, pytest.approx(sum(80.0 * (50 + i) for i in range(6)), abs=places))


def test_the_sum_of_a_field_without_a_unit_of_area_is_refused(tmp_path):
    text = TEXT.replace('area = "TBMJ"', 'area = "ZDS"', 1).replace('name = "MJMU"', 'name = "ZDS"', 1)
    text = text.replace(
        'unit = "亩"\nmeaning = "1 亩 = 2000/3 m²"\ncolumn = "area_mu"', 'unit = "宗"\ncolumn = "run_id"', 1
    )
    (tmp_path / "own.toml").write_text(text, encoding="utf-8")
    with pytest.raises(DefinitionError, match="DXYDTB.ZDS has the unit 宗, so its areas cannot be summed"):
        package_definition("own.toml", tmp_path)


def test_every_fault_of_a_definition_comes_with_its_place_and_the_nearest_name(tmp_path):
    text = TEXT
    for old, new in (
        ('frame = "legacy"', 'frame = "legasy"'),
        ('column = "kind"', 'column = "knd"'),
        ('key = "parcel_id"', 'key = "entry_id"'),
        ('layer = "WTQD"', 'layer = "WTQ"'),
        ("length = 19", 'length = "x"'),
        ("example = true", "exampel = true"),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    (tmp_path / "own.toml").write_text(text, encoding="utf-8")
    with pytest.raises(DefinitionError) as refused:
        package_definition("own.toml", tmp_path)
    for part in (
        "own.toml: 7 fault(s)",
        "exampel: there is no such key. Did you mean 'example'?",
        "example: it is missing",
        "length = 'x': it should be a whole number",
        "[[layers]] 2 (LSYLTB), frame = 'legasy': there is no such frame. Did you mean 'legacy'?",
        "column = 'knd': the frame low_efficiency has no such column. Did you mean 'kind'?",
        "[[layers]] 1 (DXYDTB), key = 'entry_id': it is the column of no field",
        "layer = 'WTQ': there is no layer WTQ in this definition. Did you mean 'WTQD'?",
    ):
        assert part in str(refused.value)


def test_faults_that_are_the_same_are_one_with_a_count_and_the_first_places(tmp_path):
    (tmp_path / "own.toml").write_text(TEXT.replace("title =", "titel ="), encoding="utf-8")
    with pytest.raises(DefinitionError) as refused:
        package_definition("own.toml", tmp_path)
    said = str(refused.value).splitlines()
    assert len(said) < 20
    assert any(
        "titel: there is no such key" in line
        and "41 times: [[layers]] 1, [[fields]] 1; [[layers]] 1, [[fields]] 2" in line
        for line in said
    )
    # A list is not called empty because its entries were refused.
    assert "at least 1 entry" not in str(refused.value)


def test_a_definition_that_names_nothing_of_ours_is_one_sentence(tmp_path):
    (tmp_path / "own.toml").write_text('[form]\nbureau = "x"\n[[sheet]]\na = 1\n', encoding="utf-8")
    with pytest.raises(
        DefinitionError,
        match=r"it names nothing of ours \(form, sheet\), so .* take the shipped one as the pattern",
    ):
        package_definition("own.toml", tmp_path)


def test_unknown_definition_gets_the_nearest_names():
    with pytest.raises(DefinitionError, match="example_city"):
        package_definition("exampel_city", Path())
    with pytest.raises(DefinitionError, match="absent"):
        package_definition("absent.toml", Path())


@pytest.mark.parametrize("name", ["out", "out.zip"])
@pytest.mark.parametrize("there", [False, True])
def test_a_full_disk_is_named_and_leaves_what_was_there(tmp_path, name, there):
    """Wherever it happens: in the geometries, the tables, the workbooks, the manifest or the zip."""
    if there:
        make(tmp_path / name)
    before = digests(tmp_path)
    refusals = []
    for room in (0, 50, 150, 400, 1_000, 2_000, 5_000, 7_000, 20_000):
        try:
            with full_disk(room):
                make(tmp_path / name, replace=True)
        except InputRefusedError as refused:
            refusals.append((str(refused), digests(tmp_path)))
    assert len(refusals) >= 6
    assert {f"{name}: cannot be written" in text for text, _ in refusals} == {True}
    assert [left for _, left in refusals] == [before] * len(refusals)


def test_a_package_with_something_of_somebody_in_it_is_kept(tmp_path):
    make(tmp_path / "out")
    (tmp_path / "out" / "notes.txt").write_text("read this")
    with pytest.raises(UsageError, match=r"(?s)notes\.txt: not in the manifest.*--overwrite"):
        make(tmp_path / "out", replace=True)
    assert (tmp_path / "out" / "notes.txt").read_text() == "read this"
    make(tmp_path / "out", overwrite=True)
    assert not (tmp_path / "out" / "notes.txt").exists()


@pytest.mark.parametrize("content", ["other", "changed", "no zip"])
def test_a_zip_that_is_no_package_as_it_was_built_is_kept(tmp_path, content):
    target = tmp_path / "out.zip"
    make(target)
    if content == "changed":
        with zipfile.ZipFile(target, "a") as archive:
            archive.writestr("notes.txt", "read this")
    elif content == "other":
        with zipfile.ZipFile(target, "w") as archive:
            archive.writestr("manifest.json", '{"files": []}')
    else:
        target.write_bytes(b"no zip")
    before = target.read_bytes()
    with pytest.raises(UsageError, match="not as lowland built it"):
        make(target, replace=True)
    assert target.read_bytes() == before
    make(target, overwrite=True)
    assert check(target) == ()


@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_a_link_to_a_package_stays_a_link(tmp_path, name):
    (tmp_path / "far").mkdir()
    (tmp_path / name).symlink_to(tmp_path / "far" / name)
    make(tmp_path / name)
    make(tmp_path / name, replace=True)
    assert (tmp_path / name).is_symlink()
    assert check(tmp_path / "far" / name) == ()
    assert [path.name for path in (tmp_path / "far").iterdir()] == [name]
