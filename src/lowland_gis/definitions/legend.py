"""Read the legend: the one palette of every map, page and report, and what a project changes about it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter

from lowland_gis.analysis.rules.faults import Fault
from lowland_gis.definitions.layer import drawn_layers, layer_definition
from lowland_gis.definitions.reading import FOLDER, parsed, read_toml, validated

# Answers that stand last in a legend: open, none, and parcels without a verdict.
OPEN, NONE, UNJUDGED = "open", "none", "unjudged"
LAST = (OPEN, NONE, UNJUDGED)
HATCHES = ("", "//", "xx", "..")
# Where a project keeps its own colours, relative to lowland.toml.
OWN_LEGEND = Path("definitions") / "legend.toml"
# A line around a colour is that colour, so much darker.
_DARKER = 0.62


def _colour(text: str) -> str:
    if re.fullmatch(r"#[0-9A-Fa-f]{6}|none", text) is None:
        raise ValueError('it is no colour; write it as "#RRGGBB", such as "#8C5FA8", or "none"')
    return text if text == "none" else text.upper()


def _hatching(text: str) -> str:
    if re.fullmatch(r"[/\\|\-+xoO.*]{0,12}", text) is None:
        raise ValueError('it is no hatching; it is made of / \\ | - + x o O . and *, such as "//"')
    return text


Colour = Annotated[str, AfterValidator(_colour)]
Hatching = Annotated[str, AfterValidator(_hatching)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Style(_Model):
    """How one class is drawn; `width` and `dash` are in points, `hatch` in the letters of matplotlib."""

    title: str
    fill: Colour
    outline: Colour
    width: float = Field(default=0.25, gt=0, le=20)
    hatch: Hatching = ""
    dash: tuple[float, ...] = ()


class Paper(_Model):
    """Colours of text and ground."""

    ink: Colour
    quiet: Colour
    ground: Colour
    mark: Colour


class Spare(_Model):
    """The colours of an answer that the legend does not name."""

    fill: Colour
    outline: Colour


class Legend(_Model):
    """Styles of answers (verdict classes), layers and road grades; their order is the order in a legend.

    `spare` are the colours of answers that only the rule pack knows. Of a project's own legend `own` are the answers that it
    colours, in its order, and `digest` tells its content apart.
    """

    answers: dict[str, Style]
    spare: tuple[Spare, ...] = Field(min_length=1)
    layers: dict[str, Style]
    roads: dict[str, Style]
    paper: Paper
    own: tuple[str, ...] = ()
    digest: str | None = None

    def knowing(
        self,
        answers: Iterable[str],
        titles: Mapping[str, str] | None = None,
        not_low: Collection[str] = (),
    ) -> Legend:
        """Return a legend with a style for each of these answers, and for each that has a title.

        `titles` are those of the rule pack: what an answer is called is said there. `not_low` are the answers that mean land that
        is not low-efficiency. One that the palette does not name gets a spare colour that no other has, hatched where these are
        used up, before land that is open or is none; one of `not_low` the colour of none.
        """
        titles = titles or {}
        strange = sorted({*answers, *titles} - self.answers.keys())
        looks = iter(self._looks([name for name in strange if name in not_low], titles))
        quiet = {name: next(looks) for name in strange if name in not_low}
        spares = iter(self._spares())
        spare = {
            name: next(spares).model_copy(update={"title": titles.get(name, name)})
            for name in strange
            if name not in not_low
        }
        named = {
            name: style.model_copy(update={"title": titles.get(name, style.title)})
            for name, style in self.answers.items()
        }
        last = [*LAST, *not_low]
        first = {name: style for name, style in named.items() if name not in last}
        return self.model_copy(update={"answers": {**first, **spare, **quiet, **named}})

    def in_order(self, answers: Iterable[str], not_low: Collection[str] = ()) -> list[str]:
        """Return answers in the order of the project's own legend; what it does not name follows as it came, what is last stays last."""
        last = (*LAST, *not_low)
        place = {name: number for number, name in enumerate(self.own)}
        return sorted(answers, key=lambda name: (name in last, place.get(name, len(place))))

    def _looks(self, names: Iterable[str], titles: Mapping[str, str]) -> Iterator[Style]:
        """Yield styles of answers that mean land that is not low: that of none, hatched where it is taken."""
        none = self.answers[NONE]
        start = 1 if NONE in titles else 0
        for number, name in enumerate(names, start=start):
            hatch = HATCHES[number % len(HATCHES)]
            yield none.model_copy(update={"title": titles.get(name, name), "hatch": hatch})

    def _spares(self) -> Iterator[Style]:
        """Yield spare styles without end, those first that no answer has."""
        taken = {(style.fill, style.hatch) for style in self.answers.values()}
        looks = [(colours, hatch) for hatch in HATCHES for colours in self.spare]
        free = [look for look in looks if (look[0].fill, look[1]) not in taken] or looks
        while True:
            for colours, hatch in free:
                yield Style(title="", fill=colours.fill, outline=colours.outline, hatch=hatch)


class StyleChange(_Model):
    """What a project says of one answer, layer or road grade; the rest stays as it is."""

    title: str | None = None
    fill: Colour | None = None
    outline: Colour | None = None
    width: float | None = Field(default=None, gt=0, le=20)
    hatch: Hatching | None = None
    dash: tuple[float, ...] | None = None

    @property
    def said(self) -> dict[str, Any]:
        """Return what is said, with an outline where only the fill is."""
        said = self.model_dump(exclude_none=True)
        if "fill" in said and "outline" not in said:
            said["outline"] = _darker(said["fill"])
        return said


class PaperChange(_Model):
    """Other colours of text and ground."""

    ink: Colour | None = None
    quiet: Colour | None = None
    ground: Colour | None = None
    mark: Colour | None = None


class LegendChanges(_Model):
    """What a project's `definitions/legend.toml` adds to the shipped legend and changes about it.

    The order of answers in the file is their order on maps and in tables; land that is open, none or without a verdict stands last.
    """

    answers: dict[str, StyleChange] = {}
    layers: dict[str, StyleChange] = {}
    roads: dict[str, StyleChange] = {}
    paper: PaperChange = PaperChange()


ADAPTER = TypeAdapter(Legend)
_CHANGES = TypeAdapter(LegendChanges)


def read_legend(folder: Path | None = None) -> Legend:
    """Read the shipped legend, with what the project in a folder changes about it.

    Raises:
        DefinitionError: the project's legend is wrong; with every fault.
    """
    shipped = _with_drawn(read_toml(FOLDER / "legend.toml", ADAPTER))
    path = None if folder is None else folder / OWN_LEGEND
    if path is None or not path.exists():
        return shipped
    content = parsed(path)
    known = tuple(name for name in shipped.layers)
    layers = content.get("layers")
    strange = [
        Fault("[layers]", name, None, "no map draws such a layer", known)
        for name in (layers if isinstance(layers, dict) else ())
        if name not in known
    ]
    changes = validated(content, _CHANGES, path, beside=strange)
    return _changed(shipped, changes).model_copy(
        update={"digest": hashlib.sha256(path.read_bytes()).hexdigest()}
    )


def _with_drawn(legend: Legend) -> Legend:
    """Return a legend that has a style for every layer that the map draws, also for one that only a project has."""
    plain = Style(title="", fill="none", outline=legend.paper.quiet, width=0.8)
    bare = {
        key: plain.model_copy(update={"title": layer_definition(key).title})
        for key, drawn in drawn_layers().items()
        if key not in legend.layers and drawn.way != "classes"
    }
    return legend.model_copy(update={"layers": legend.layers | bare})


def _changed(legend: Legend, changes: LegendChanges) -> Legend:
    spares = iter(legend._spares())  # noqa: SLF001 - a legend of the same module
    answers: dict[str, Style] = {}
    for name, change in changes.answers.items():
        if name in legend.answers:
            answers[name] = legend.answers[name].model_copy(update=change.said)
        elif change.fill is not None:
            answers[name] = Style(**{"title": name, **change.said})
        elif change.said:
            answers[name] = next(spares).model_copy(update={"title": name, **change.said})
    roads = dict(legend.roads)
    for grade, change in changes.roads.items():
        shape = legend.roads.get(grade) or next(iter(legend.roads.values())).model_copy(
            update={"title": grade}
        )
        roads[grade] = shape.model_copy(update=change.said)
    return legend.model_copy(
        update={
            "answers": {**answers, **{name: style for name, style in legend.answers.items() if name not in answers}},
            "layers": {
                name: style.model_copy(update=changes.layers[name].said) if name in changes.layers else style
                for name, style in legend.layers.items()
            },
            "roads": roads,
            "paper": legend.paper.model_copy(update=changes.paper.model_dump(exclude_none=True)),
            "own": tuple(changes.answers),
        }
    )  # fmt: skip


def _darker(colour: str) -> str:
    if colour == "none":
        return colour
    parts = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return "#" + "".join(f"{round(part * _DARKER):02X}" for part in parts)


def legend_doubts(legend: Legend, titles: Mapping[str, str], not_low: Collection[str] = ()) -> list[str]:
    """Return what a person should know of a legend beside the answers of a rule pack: no colour, or no such answer.

    `titles` are the answers of the pack with theirs.
    """
    doubts = []
    bare = [name for name in titles if name not in legend.answers]
    if bare:
        drawn = legend.knowing((), titles, not_low).answers
        named = ", ".join(f"{name} {titles[name]}" for name in bare)
        lines = "\n".join(
            f'[answers.{name}]\nfill = "{drawn[name].fill}"\noutline = "{drawn[name].outline}"'
            + (f'\nhatch = "{drawn[name].hatch}"' if drawn[name].hatch else "")
            for name in bare
        )
        doubts.append(
            f"The legend has no colour for {len(bare)} answer(s) of the rule pack ({named}), so maps draw them in spare ones."
            f" To choose, add to {OWN_LEGEND}, changed as you like:\n{lines}"
        )
    stated = [
        f"{name} ({titles[name]})"
        for name in legend.own
        if name in titles and name not in LAST and legend.answers[name].title not in (name, titles[name])
    ]
    if stated:
        doubts.append(
            f"The titles of answers are those of the rule pack; those of {OWN_LEGEND} are not used for {', '.join(stated)}."
        )
    lost = [name for name in legend.own if name not in titles and name not in LAST]
    if lost:
        given = Fault("", lost[0], None, "", tuple(titles)).nearest
        hint = f" Did you mean {given!r}?" if given else ""
        doubts.append(
            f"{OWN_LEGEND} colours {', '.join(lost)}, which the rule pack never answers, so nothing is drawn so.{hint}"
            f" Its answers: {', '.join(titles)}."
        )
    return doubts
