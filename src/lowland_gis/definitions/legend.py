"""Read the legend: the one palette of every map, page and report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from lowland_gis.definitions.reading import FOLDER, read_toml

# Answers that stand last in a legend: open, none, and parcels without a verdict.
OPEN, NONE, UNJUDGED = "open", "none", "unjudged"
LAST = (OPEN, NONE, UNJUDGED)
HATCHES = ("", "//", "xx", "..")

Colour = Annotated[str, Field(pattern=r"^(#[0-9A-F]{6}|none)$")]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Style(_Model):
    """How one class is drawn; `width` and `dash` are in points, `hatch` in the letters of matplotlib."""

    title: str
    fill: Colour
    outline: Colour
    width: float = Field(default=0.25, gt=0, le=20)
    hatch: str = Field(default="", pattern=r"^[/\\|\-+xoO.*]*$")
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

    `spare` are the colours of answers that only the rule pack knows.
    """

    answers: dict[str, Style]
    spare: tuple[Spare, ...] = Field(min_length=1)
    layers: dict[str, Style]
    roads: dict[str, Style]
    paper: Paper

    def knowing(self, answers: Iterable[str], titles: Mapping[str, str] | None = None) -> Legend:
        """Return a legend with a style for each of these answers, and for each that has a title.

        `titles` are those of the rule pack: what an answer is called is said there. One that the palette does not name gets a
        spare colour, hatched where these are used up, before land that is open or is none.
        """
        titles = titles or {}
        strange = sorted({*answers, *titles} - self.answers.keys())
        spare = {
            answer: self._spare(number, titles.get(answer, answer)) for number, answer in enumerate(strange)
        }
        named = {
            name: style.model_copy(update={"title": titles.get(name, style.title)})
            for name, style in self.answers.items()
        }
        first = {name: style for name, style in named.items() if name not in LAST}
        return self.model_copy(update={"answers": {**first, **spare, **named}})

    def _spare(self, number: int, title: str) -> Style:
        again, place = divmod(number, len(self.spare))
        colours = self.spare[place]
        return Style(
            title=title, fill=colours.fill, outline=colours.outline, hatch=HATCHES[again % len(HATCHES)]
        )


ADAPTER = TypeAdapter(Legend)


def read_legend() -> Legend:
    """Read the shipped legend."""
    return read_toml(FOLDER / "legend.toml", ADAPTER)
