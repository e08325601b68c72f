"""Read which policy tools a planning sheet offers by kind of land."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from lowland_gis.definitions.reading import FOLDER, read_toml


class PolicyTools(BaseModel):
    """Tools by kind, and the public-benefit share that the sheet compares with, each with its document."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    document: str
    public_benefit: str
    public_benefit_share: float = Field(ge=0, le=1)
    tools: dict[str, tuple[str, ...]]

    def of(self, kinds: list[str]) -> tuple[str, ...]:
        """Return the tools of some kinds, each once, in their order."""
        return tuple(dict.fromkeys(tool for kind in kinds for tool in self.tools.get(kind, ())))


ADAPTER = TypeAdapter(PolicyTools)


def read_policy_tools() -> PolicyTools:
    """Read the shipped table."""
    return read_toml(FOLDER / "policy_tools.toml", ADAPTER)
