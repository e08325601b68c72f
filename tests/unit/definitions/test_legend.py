"""A project's own legend: colours, order and hatching of its answers; what it leaves out is told, what is wrong is refused."""

from pathlib import Path

import pytest

from lowland_gis.definitions.legend import OWN_LEGEND, legend_doubts, read_legend
from lowland_gis.errors import DefinitionError

TITLES = {"works": "低效厂区", "yard": "低效堆场", "fine": "非低效用地", "open": "待核"}


@pytest.fixture
def own(tmp_path: Path):
    def write(text: str):
        path = tmp_path / OWN_LEGEND
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return read_legend(tmp_path)

    return write


def test_without_a_file_it_is_the_shipped_legend(tmp_path):
    assert read_legend(tmp_path) == read_legend()
    assert read_legend(tmp_path).digest is None


def test_answers_layers_roads_and_paper_are_added_and_changed(own):
    legend = own(
        '[answers.yard]\nfill = "#102080"\nhatch = "//"\n[answers.town]\nfill = "#ff0000"\n'
        '[layers.unit]\noutline = "#00AA00"\n[roads."县道"]\noutline = "#123456"\n[paper]\nink = "#000000"\n'
    )
    yard, town = legend.answers["yard"], legend.answers["town"]
    assert (yard.fill, yard.hatch, yard.title, yard.outline) == ("#102080", "//", "yard", "#0A144F")
    assert (town.fill, town.title) == ("#FF0000", "低效城镇用地")
    assert legend.answers["industrial"] == read_legend().answers["industrial"]
    assert (legend.layers["unit"].outline, legend.layers["unit"].width) == ("#00AA00", 1.5)
    assert (legend.roads["县道"].title, legend.roads["县道"].outline) == ("县道", "#123456")
    assert (legend.paper.ink, legend.paper.mark) == ("#000000", read_legend().paper.mark)
    assert list(legend.answers)[:2] == ["yard", "town"]


def test_its_order_is_that_of_tables_and_what_is_no_low_land_stands_last(own):
    legend = own('[answers.yard]\nfill = "#102080"\n[answers.works]\nfill = "#802010"\n')
    assert legend.in_order(["works", "fine", "yard", "town", "open"], ("fine",)) == [
        "yard",
        "works",
        "town",
        "fine",
        "open",
    ]
    drawn = legend.knowing((), TITLES, ("fine",))
    shown = [name for name in drawn.answers if name in TITLES]
    assert shown == ["yard", "works", "fine", "open"]
    assert drawn.answers["yard"].title == "低效堆场"


def test_the_digest_tells_two_legends_apart(own):
    first = own('[answers.yard]\nfill = "#102080"\n').digest
    assert first is not None
    assert first != own('[answers.yard]\nfill = "#102081"\n').digest


def test_an_answer_without_a_colour_gets_one_of_its_own_and_the_lines_to_add(own):
    taken = read_legend().spare[0].fill
    legend = own(f'[answers.works]\nfill = "{taken}"\n')
    drawn = legend.knowing((), TITLES, ("fine",)).answers
    looks = [(drawn[name].fill, drawn[name].hatch) for name in TITLES]
    assert len(set(looks)) == len(looks)
    # Land that is not low-efficiency does not shine, whatever it is called.
    assert drawn["fine"].fill == read_legend().answers["none"].fill
    (said,) = legend_doubts(legend, TITLES, ("fine",))
    assert said.startswith(
        "The legend has no colour for 2 answer(s) of the rule pack (yard 低效堆场, fine 非低效用地)"
    )
    lines = said.partition("as you like:\n")[2]
    again = own(f'[answers.works]\nfill = "{taken}"\n{lines}\n')
    assert legend_doubts(again, TITLES, ("fine",)) == []
    assert again.answers["yard"].fill == drawn["yard"].fill


def test_a_colour_for_no_answer_and_a_title_beside_the_packs_are_told(own):
    legend = own(
        '[answers.wroks]\nfill = "#102080"\n[answers.works]\nfill = "#112233"\ntitle = "厂"\n'
        '[answers.yard]\nfill = "#332211"\n[answers.fine]\nfill = "#DADADA"\n'
    )
    stated, lost = legend_doubts(legend, TITLES, ("fine",))
    assert "works (低效厂区)" in stated
    assert "wroks, which the rule pack never answers" in lost
    assert "Did you mean 'works'?" in lost
    assert legend_doubts(own('[answers.open]\ntitle = "待查"\n'), {"open": "待查"}) == []


def test_every_fault_of_the_file_is_said_at_once(own):
    with pytest.raises(DefinitionError) as refused:
        own(
            '[answers.works]\nfil = "#112233"\nfill = "red"\nhatch = "?"\n[answers.town]\nwidth = "x"\n'
            '[layers.unitt]\noutline = "#000000"\n[papr]\nink = "blue"\n'
        )
    said = str(refused.value)
    assert "legend.toml: 6 fault(s)" in said
    for part in (
        "[answers.works], fil: there is no such key. Did you mean 'fill'?",
        "papr: there is no such key. Did you mean 'paper'?",
        "[answers.works], fill = 'red': it is no colour; write it as \"#RRGGBB\"",
        "[answers.works], hatch = '?': it is no hatching",
        "[answers.town], width = 'x': it should be a number",
        "[layers], unitt: no map draws such a layer. Did you mean 'unit'?",
    ):
        assert part in said
