"""A project's own definitions: read over the shipped ones, each with its origin; what is wrong is told all at once."""

from pathlib import Path

import pytest

from lowland_gis.definitions import own
from lowland_gis.definitions.check import checks
from lowland_gis.definitions.codes import code_names, code_sets, domain_names
from lowland_gis.definitions.layer import layer_definition, layer_keys
from lowland_gis.definitions.measure import measure_origin, measures
from lowland_gis.definitions.package import package_definition
from lowland_gis.definitions.reading import FOLDER
from lowland_gis.definitions.rule_pack import pack_names, rule_pack
from lowland_gis.definitions.take_up import take_up
from lowland_gis.errors import DefinitionError

NOISE = """
key = "noise"
title = "噪声区"
family = "plan"
geometry = "polygon"
stored = "feature"
code = "DJ"
tabulate = "code"
document = "示例"
field = [ { name = "DJ", title = "等级", type = "text" } ]
"""
MEASURE = '[noise_share]\nkind = "overlap"\nlayers = ["noise"]\ncodes = "all"\ntitle = "噪声占比"\n'
CHECK = """
[noise_class]
kind = "mandatory"
suite = "attributes"
title = "等级为空"
message = "{subject} is empty{detail}"
severity = "error"
source = "示例"
fields = { noise = ["DJ"] }
"""


@pytest.fixture
def project(tmp_path: Path):
    """A project's folder; what a test takes up is put back behind it."""
    yield tmp_path
    own.use(own.SHIPPED)


def write(project: Path, name: str, text: str) -> None:
    path = project / own.OWN_FOLDER / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def shipped(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def refusal(project: Path) -> str:
    before = own.in_use()
    with pytest.raises(DefinitionError) as refused:
        take_up(project)
    assert own.in_use() == before
    assert refused.value.exit_code == 6
    return str(refused.value)


def test_a_project_without_a_folder_has_the_shipped_definitions(project):
    assert take_up(project) == own.SHIPPED
    assert own.origin_of("layers/parcel.toml") == "shipped"
    assert measure_origin("eco_share") == "shipped"


def test_a_layer_a_measure_a_check_and_codes_are_added(project):
    before = (set(layer_keys()), set(measures()), set(checks()), set(code_sets()))
    write(project, "layers/noise.toml", NOISE)
    write(project, "measures.toml", MEASURE)
    write(project, "checks.toml", CHECK)
    write(project, "codes/noise_class.csv", "code,name\n1,静\n")
    write(
        project,
        "codes/sets.toml",
        '[loud]\nkind = "listed"\ntitle = "吵"\ndocument = "示例"\ncodes = ["4*"]\n',
    )
    write(project, "rules/quiet.toml", "")
    take_up(project)
    after = (set(layer_keys()), set(measures()), set(checks()), set(code_sets()))
    assert [now - then for now, then in zip(after, before, strict=True)] == [
        {"noise"}, {"noise_share"}, {"noise_class"}, {"loud"},
    ]  # fmt: skip
    assert layer_definition("noise").title == "噪声区"
    assert code_names("noise_class") == {"1": "静"}
    assert "quiet" in pack_names()
    assert own.origin_of("layers/noise.toml") == "own"
    assert measure_origin("noise_share") == "own"
    own.use(own.SHIPPED)
    assert (set(layer_keys()), set(measures())) == before[:2]


def test_a_definition_of_the_same_name_takes_the_place_of_the_shipped_one(project):
    title = measures()["eco_share"].title
    write(
        project,
        "measures.toml",
        '[eco_share]\nkind = "overlap"\nlayers = ["eco_redline"]\ncodes = "all"\ntitle = "红线"\n',
    )
    more = '{ name = "FL", title = "分类", type = "text" },\n]'
    write(project, "layers/river.toml", shipped("layers/river.toml").rstrip().removesuffix("]") + more)
    take_up(project)
    assert measures()["eco_share"].title == "红线" != title
    assert list(measures()).index("eco_share") < len(measures()) - 1
    assert (
        measure_origin("eco_share") == own.origin_of("layers/river.toml") == "own, instead of the shipped one"
    )
    assert layer_definition("river").field[-1].name == "FL"


def test_rule_packs_and_packages_of_the_folder_are_called_by_their_names(project):
    write(
        project,
        "rules/quiet.toml",
        shipped("rules/example_general.toml").replace('"example_general"', '"quiet"'),
    )
    write(
        project,
        "packages/own_city.toml",
        shipped("packages/example_city.toml").replace('"example_city"', '"own_city"'),
    )
    take_up(project)
    assert rule_pack("quiet", Path()).name == "quiet"
    assert package_definition("own_city", Path()).name == "own_city"
    own.use(own.SHIPPED)
    for read, name in ((rule_pack, "quiet"), (package_definition, "own_city")):
        with pytest.raises(DefinitionError, match=name):
            read(name, Path())


def test_own_domains_take_the_place_of_those_they_name(project):
    before = domain_names("JZLX")
    write(project, "codes/domain_codes.csv", shipped("codes/domain_codes.csv").splitlines()[0] + "\n")
    header = shipped("codes/domain_codes.csv").splitlines()[0].split(",")
    row = {"domain": "QSXZ", "code": "77", "name": "待定"}
    write(
        project,
        "codes/domain_codes.csv",
        "\n".join([",".join(header), ",".join(row.get(name, "") for name in header)]),
    )
    take_up(project)
    assert domain_names("QSXZ") == {"77": "待定"}
    assert domain_names("JZLX") == before


def test_the_digest_of_each_kind_is_that_of_its_files(project):
    write(project, "measures.toml", MEASURE.replace("noise", "eco_redline"))
    first = own.own_definitions(project)
    write(project, "legend.toml", "")
    assert own.own_definitions(project) == first
    write(project, "layers/noise.toml", NOISE)
    second = own.own_definitions(project)
    assert second.digest(own.MEASURES) == first.digest(own.MEASURES) != {}
    assert second.digest(own.LAYERS) != first.digest(own.LAYERS) == {}
    write(project, "layers/noise.toml", NOISE + "\n# other\n")
    assert own.own_definitions(project).digest(own.LAYERS) != second.digest(own.LAYERS)


def test_every_fault_of_every_file_is_told_at_once(project):
    write(project, "layers/noise.toml", NOISE.replace('code = "DJ"', 'code = "DJX"'))
    write(project, "layers/river.toml", NOISE.replace('"noise"', '"river"'))
    write(project, "layers/odd.toml", NOISE.replace("noise", "odd").replace("title", "titel", 1))
    write(
        project,
        "measures.toml",
        MEASURE.replace('["noise"]', '["noize"]')
        + '[no_unit]\nkind = "attribute"\nfield = "RJ"\ntitle = "r"\n',
    )
    write(project, "checks.toml", CHECK.replace('["DJ"]', '["DJJ"]'))
    write(project, "codes/landuse_san2019.csv", "code,name\n0101,水田\n0101,水田\n")
    write(
        project,
        "codes/sets.toml",
        '[x]\nkind = "marked"\ntitle = "x"\ndocument = "x"\ntable = "landuse_er209"\ncolumn = "y"\n',
    )
    write(project, "mesures.toml", "")
    write(project, "legend.toml", '[answers.x]\nfill = "blue"\n')
    said = refusal(project)
    for part in (
        "definitions/layers/noise.toml:\n  - code = 'DJX': the layer has no such field. Did you mean 'DJ'?",
        "the shipped layer has MC, and measures and checks rest on it",
        "titel: there is no such key. Did you mean 'title'?",
        "[noise_share], layers = 'noize': there is no such layer. Did you mean 'noise'?",
        "[no_unit], unit: it is no unit that we know",
        "[no_unit], field = 'RJ': the layer parcel has no such field. Did you mean 'RJL'?",
        "[noise_class], fields.noise = 'DJJ': the layer noise has no such field. Did you mean 'DJ'?",
        "is_construction: this column is missing",
        "[x], table = 'landuse_er209': there is no such code list. Did you mean 'landuse_er2009'?",
        "mesures.toml: nothing of this name is read. Did you mean 'measures.toml'?",
        "definitions/legend.toml:\n  - [answers.x], fill = 'blue': it is no colour",
    ):
        assert part in said, part
    assert said.count("Mend them and try again.") == 1
    assert len([line for line in said.splitlines() if line.startswith("  - ")]) == int(
        said.split("definitions: ")[1].split()[0]
    )


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("layers/Noise-1.toml", NOISE.replace('"noise"', '"Noise-1"'), "a name has small letters"),
        ("layers/other.toml", NOISE, "the file is called other.toml"),
        ("layers/noise.toml", NOISE.replace('"feature"', '"parcel"'), "only the layer parcel is stored so"),
        ("layers/noise.toml", NOISE.replace('"feature"', '"raster"'), "a raster is stored as raster"),
        ("layers/noise.toml", NOISE + "[", "not readable as TOML"),
        ("layers/noise.toml", NOISE.replace('type = "text"', 'type = "text", synonyms = ["dj"]'), "stands twice"),
        ("layers/noise.toml", NOISE.replace('type = "text"', 'type = "text", codes = "nois"'), "no such code list"),
        ("layers/noise.toml", NOISE.replace('type = "text"', 'type = "number", unit = "mu2"'), "no unit that we know"),
        ("codes/x.csv", "code,nam\n1,a\n", "name: this column is missing"),
        ("codes/x.csv", "code,name\n1,a\n1,b\n", "code = '1': this code stands twice"),
        ("codes/x.csv", "code,name\n,a\n", "line 2, code: a code and a name are needed"),
        ("measures.toml", MEASURE.replace('"overlap"', '"overlay"'), "Did you mean 'overlap'?"),
        ("measures.toml", MEASURE.replace('["noise"]', '["parcel"]'), "its overlaps are not tabulated"),
        ("measures.toml", '[hot]\nkind = "raster"\nlayer = "rastr"\ntitle = "x"\nunit = "m"\n', "Did you mean 'raster'?"),
        ("checks.toml", CHECK.replace("noise =", "nois ="), "layers that are not known: nois"),
    ],
)  # fmt: skip
def test_one_fault_is_told_in_its_place(project, name, text, told):
    write(project, name, text)
    assert told in refusal(project)


def test_a_list_in_another_encoding_says_how_to_save_it(project):
    write(project, "codes/x.csv", "")
    (project / own.OWN_FOLDER / "codes" / "x.csv").write_bytes("code,name\n1,水田\n".encode("gb18030"))
    assert "iconv -f GB18030 -t UTF-8" in refusal(project)


def test_a_list_as_excel_saves_it_is_read(project):
    write(project, "codes/x.csv", "")
    (project / own.OWN_FOLDER / "codes" / "x.csv").write_bytes("code,name\r\n1,水田\r\n".encode("utf-8-sig"))
    take_up(project)
    assert code_names("x") == {"1": "水田"}


def test_the_commands_that_mend_a_project_work_with_wrong_definitions(project, lowland_in):
    write(project, "measures.toml", MEASURE)
    assert lowland_in(project, "measures", "list")[0] == 6
    assert lowland_in(project, "measures", "list", "--help")[0] == 0
    assert lowland_in(project, "db", "--help")[0] == 0
    write(project, "layers/noise.toml", NOISE)
    code, printed = lowland_in(project, "measures", "show", "noise_share", "--json")
    assert (code, '"from": "own"' in printed) == (0, True)


@pytest.fixture
def lowland_in(capsys):
    """Run a command in this process on a project; gives its exit code and what it printed."""
    from lowland_gis.cli import main

    def run(project: Path, *words: str) -> tuple[int, str]:
        file = project / "lowland.toml"
        file.write_text(
            '[project]\nname = "x"\ndistrict_code = "120113"\ndistrict_name = "x"\nas_of = 2024-01-01\n',
            encoding="utf-8",
        )
        with pytest.raises(SystemExit) as left:
            main(["--project", str(file), *words])
        return int(left.value.code or 0), capsys.readouterr().out

    return run
