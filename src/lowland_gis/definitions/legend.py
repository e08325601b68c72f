"""Read the legend: the one palette of every map, page and report."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from lowland_gis.definitions.reading import FOLDER, read_toml
from lowland_gis.errors import DefinitionError

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


class Legend(_Model):
    """Styles of answers (verdict classes), layers and road grades; their order is the order in a legend."""

    answers: dict[str, Style]
    layers: dict[str, Style]
    roads: dict[str, Style]
    paper: Paper

    def answer(self, answer: str) -> Style:
        """Return the style of an answer.

        Raises:
            DefinitionError: the legend has none, so the class could not be told apart.
        """
        if answer not in self.answers:
            raise DefinitionError(
                f"legend.toml: the answer {answer} has no colour, so a map could not show it. "
                f"Add [answers.{answer}]; there are: {', '.join(self.answers)}."
            )
        return self.answers[answer]


ADAPTER = TypeAdapter(Legend)


def read_legend() -> Legend:
    """Read the shipped legend."""
    return read_toml(FOLDER / "legend.toml", ADAPTER)
