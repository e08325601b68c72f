"""What GDAL says while it reads: nothing of it reaches the terminal raw."""

from __future__ import annotations

import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

# Values of a .dbf are held against their bytes, and every one that GDAL has mended is listed with its row; measures are left out.
_KNOWN = re.compile(r"parsed incompletely|Measured|Invalid .* value .* of field|truncated to")
_MOST = 20
# The filters of warnings belong to the whole process.
_ONE_AT_A_TIME = threading.RLock()


@dataclass
class GdalWords:
    """Distinct warnings in the order that they came; `more` counts those that are not kept."""

    said: dict[str, None] = field(default_factory=dict)
    more: int = 0

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Keep what is said meanwhile."""
        with _ONE_AT_A_TIME:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                yield
            for item in caught:
                words = " ".join(str(item.message).split())
                if words in self.said or _KNOWN.search(words):
                    continue
                if len(self.said) < _MOST:
                    self.said[words] = None
                else:
                    self.more += 1

    def doubts(self) -> list[tuple[str, str]]:
        """Return what was said as doubts about a delivery."""
        told = [("gdal_warning", f"GDAL says of it: {words}") for words in self.said]
        return told + ([("gdal_warning", f"GDAL says {self.more} more things of it")] if self.more else [])
