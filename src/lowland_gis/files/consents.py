"""What the bureau has to say of a file before it is read, because no reading of it can tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Consents:
    """Answers of the bureau; None where it was not asked.

    `gcj02` "no": the coordinates of a KML are not those of a map of the internet. `conversion` "done": the parameters that a
    coordinate text records (转换参数) have been applied already, so the coordinates are of the system that it names.
    """

    gcj02: Literal["no"] | None = None
    conversion: Literal["done"] | None = None


NONE = Consents()
