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


@dataclass(frozen=True)
class Descent:
    """Rows of lineage, each an entry and one that it was part of: those that the registers lack, and those that would close a circle."""

    rows: tuple[tuple[int, int], ...]
    circular: tuple[tuple[int, int], ...]


def descent(changes: Sequence[Became], entries: Iterable[Entry], known: Iterable[tuple[int, int]]) -> Descent:
    """Return the rows of lineage that the registers lack.

    An entry was part of the entries of its parents in the same register. What is linked already is not linked again, and an entry never to
    itself: a merged parcel that kept the number of the older entry goes on as that entry, and was part of the later ones by now too. Lineage
    goes in no circle; of parcels that went over into each other the later entry is part of the older one, and the other way is left out.

    >>> rows = [Entry(1, "low_efficiency", "A", 7, "filed", False), Entry(9, "low_efficiency", "B", 1, "draft", False)]
    >>> descent([Became("split", ("A",), ("B", "C"))], rows, [])
    Descent(rows=((9, 1),), circular=())
    """
    before = _Linked(known)
    rows, circular = [], []
    # What is part of an older entry comes first, so that this is what holds where two went over into each other.
    for row in sorted(_links(changes, entries), key=lambda row: row[1] > row[0]):
        if row in before:
            continue
        if before.reaches(row[1], row[0]):
            circular.append(row)
            continue
        before.add(row)
        rows.append(row)
    return Descent(tuple(rows), tuple(circular))


class _Linked:
    """Rows of lineage, and what they lead to."""

    def __init__(self, rows: Iterable[tuple[int, int]]) -> None:
        self.parts: dict[int, set[int]] = {}
        for row in rows:
            self.add(row)

    def __contains__(self, row: tuple[int, int]) -> bool:
        return row[1] in self.parts.get(row[0], ())

    def add(self, row: tuple[int, int]) -> None:
        self.parts.setdefault(row[0], set()).add(row[1])

    def reaches(self, entry: int, sought: int) -> bool:
        """Return whether an entry was part of another, by way of any number of others."""
        seen, left = {entry}, [entry]
        while left:
            ahead = self.parts.get(left.pop(), set()) - seen
            seen |= ahead
            left += ahead
        return sought in seen


def _links(changes: Sequence[Became], entries: Iterable[Entry]) -> Iterator[tuple[int, int]]:
    """Yield each entry with those of the parcels that it came from, in the same register, by parcel and register."""
    of: dict[tuple[str, str], Entry] = {(entry.register, entry.subject): entry for entry in entries}
    registers = sorted({register for register, _ in of})
    for child, olds in sorted(parents(changes).items()):
        for register in registers:
            entry = of.get((register, child))
            for old in olds:
                before = of.get((register, old))
                if entry is not None and before is not None and entry.entry_id != before.entry_id:
                    yield entry.entry_id, before.entry_id


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
