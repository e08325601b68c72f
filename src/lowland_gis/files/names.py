"""Names of fields as a file gives them."""

from __future__ import annotations


def unique(names: list[str]) -> list[str]:
    """Keep fields of the same name apart: the second one gets _2 behind it, and so on."""
    seen: dict[str, int] = {}
    apart = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        apart.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return apart
