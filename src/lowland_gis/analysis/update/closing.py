"""What closing an update asks for: lineage of entries, entries whose land is gone, and what is filed as changed only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from lowland_gis.analysis.update.lineage import MERGED, REGROUPED, REMOVED, RENUMBERED, SPLIT

# Where a change says which parcels came from which.
DESCENT = (SPLIT, MERGED, REGROUPED, RENUMBERED)
_WORDS = {
    REMOVED: "宗地已灭失",
    SPLIT: "宗地已分割为 {new}",
    MERGED: "宗地已合并为 {new}",
    REGROUPED: "宗地已重组为 {new}",
    RENUMBERED: "宗地已变更编号为 {new}",
}
_NOT_LOW = "按本年度数据和规则不再认定为低效用地"


class OrphanedError(ValueError):
    """A parcel came from others, and nothing says from which."""


@dataclass(frozen=True)
class Became:
    """A change as far as descent goes: its kind, the parcels before and after."""

    kind: str
    old: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """An entry of a register: its number, register, parcel, version and state, and whether any move leads on from there."""

    entry_id: int
    register: str
    subject: str
    version: int
    state: str
    ended: bool


@dataclass(frozen=True)
class Proposal:
    """An entry that people are asked to withdraw, and why; nobody withdraws it for them."""

    register: str
    subject: str
    version: int
    state: str
    reason: str


def parents(changes: Iterable[Became]) -> dict[str, tuple[str, ...]]:
    """Return new parcel → the parcels that it came from.

    Raises:
        OrphanedError: a split, merge, regrouping or another number names none of these, or none that came from them.
    """
    found: dict[str, tuple[str, ...]] = {}
    for change in changes:
        if change.kind not in DESCENT:
            continue
        if not change.old or not change.new:
            raise OrphanedError(
                f"{change.kind}: {'、'.join(change.new or change.old)} – nothing says {'from' if change.new else 'into'} which"
            )
        for code in change.new:
            found[code] = change.old
    return found


def lineage_rows(
    changes: Sequence[Became], entries: Iterable[Entry], known: Iterable[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Return the rows (entry, earlier entry that it was part of) that the registers lack.

    An entry was part of the entries of its parents in the same register. What is linked already is not linked again, and an entry never
    to itself or to a later one: a merged parcel that kept the number of the older entry goes on as that entry.

    >>> rows = [Entry(1, "low_efficiency", "A", 7, "filed", False), Entry(9, "low_efficiency", "B", 1, "draft", False)]
    >>> lineage_rows([Became("split", ("A",), ("B", "C"))], rows, [])
    [(9, 1)]
    """
    of: dict[tuple[str, str], Entry] = {(entry.register, entry.subject): entry for entry in entries}
    registers = sorted({register for register, _ in of})
    there = set(known)
    found = []
    for child, olds in sorted(parents(changes).items()):
        for register in registers:
            entry = of.get((register, child))
            for old in olds:
                before = of.get((register, old))
                if entry is None or before is None or before.entry_id >= entry.entry_id:
                    continue
                row = entry.entry_id, before.entry_id
                if row not in there:
                    there.add(row)
                    found.append(row)
    return found


def proposals(
    changes: Sequence[Became], entries: Iterable[Entry], present: Mapping[str, bool], low: str
) -> list[Proposal]:
    """Return the entries that stand on land that is no parcel any more, or, in the register `low`, is not low-efficient any more.

    `present` gives each parcel of the new state, and whether it is low-efficient or still to be settled.
    """
    gone = dict(_gone(changes))
    found = []
    for entry in entries:
        if entry.ended:
            continue
        if entry.subject not in present:
            reason = gone.get(entry.subject, _WORDS[REMOVED])
        elif entry.register == low and not present[entry.subject]:
            reason = _NOT_LOW
        else:
            continue
        found.append(Proposal(entry.register, entry.subject, entry.version, entry.state, reason))
    return sorted(found, key=lambda proposal: (proposal.register, proposal.subject))


def _gone(changes: Iterable[Became]) -> Iterator[tuple[str, str]]:
    for change in changes:
        if change.kind in _WORDS:
            for code in change.old:
                if code not in change.new:
                    yield code, _WORDS[change.kind].format(new="、".join(change.new))
