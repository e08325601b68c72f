"""Random moves of random entries, by commands and by hand: the registry takes what the procedure allows, and nothing else, and loses nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from lowland_gis.analysis.registry.procedure import Register
from lowland_gis.errors import LowlandError
from lowland_gis.pipeline.base.procedure import InForce, read_procedure, take_up_procedure
from lowland_gis.pipeline.base.project import Project, open_project
from lowland_gis.pipeline.registry.moves import Typed, record_move
from lowland_gis.pipeline.registry.subjects import Asked
from lowland_gis.pipeline.registry.verify import verify
from registered import as_superuser, deliver_parcels, paper

PROJECT = """
dsn = {dsn!r}
[project]
name = "试验"
district_code = "120113"
district_name = "北辰区"
crs = "EPSG:4548"
as_of = 2023-12-31
"""
FIRST_DAY = dt.date(2024, 1, 1)
REGISTERS = ["low_efficiency", "legacy", "problem", "disposal"]
PARCELS = [f"120113101{number:03}GB00001" for number in range(600)]
SHA = "0" * 63 + "1"
BOUNDED = settings(
    max_examples=6,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
    derandomize=True,
    database=None,
)


class Moves(RuleBasedStateMachine):
    """The registry beside a model of it: what each entry has gone through, event by event."""

    project: Project
    force: InForce
    document: Path
    fresh = count()

    def __init__(self) -> None:
        super().__init__()
        self.parcels = [PARCELS[next(self.fresh)] for _ in range(2)]
        # Register and parcel → its events: move, state that was reached, day.
        self.events: dict[tuple[str, str], list[tuple[str, str, dt.date]]] = {}

    def stands(self, name: str, parcel: str) -> str | None:
        """Return the state that the model has of an entry."""
        held = self.events.get((name, parcel))
        return held[-1][1] if held else None

    def allows(
        self,
        register: Register,
        name: str,
        parcel: str,
        move: str,
        day: dt.date,
        *,
        document: bool,
        reason: bool,
    ) -> bool:
        """Say by the procedure alone whether a move may be recorded."""
        held, asked = self.events.get((name, parcel), []), register.move[move]
        days = [on for done, _, on in held if done == asked.since]
        return (
            move in register.allowed(self.stands(name, parcel))
            and (document or asked.document is None)
            and (reason or not asked.reason)
            and (not held or day >= held[-1][2])
            and (not asked.days or (bool(days) and day >= days[-1] + dt.timedelta(days=asked.days)))
        )

    @rule(
        name=st.sampled_from(REGISTERS), which=st.integers(0, 1), data=st.data(), later=st.integers(-2, 12),
        document=st.sampled_from([True, True, False]), reason=st.booleans(), behind=st.sampled_from([0, 0, 0, 1]),
    )  # fmt: skip
    def command(
        self, *, name: str, which: int, data: Any, later: int, document: bool, reason: bool, behind: int
    ) -> None:
        """Record a move as a command does; `behind` is how many versions ago it was looked at."""
        register, parcel = self.force.registers[name], self.parcels[which]
        state, day = self.stands(name, parcel), self._day(name, parcel, later)
        ways = register.allowed(state)
        move = data.draw(
            st.sampled_from(sorted(ways)) if ways and later % 4 else st.sampled_from(sorted(register.move))
        )
        wanted = self.allows(register, name, parcel, move, day, document=document, reason=reason)
        version = len(self.events.get((name, parcel), []))
        typed = Typed(
            register.verb(move), name, register.move[move].reaches, day, self.document if document else None,
            reason="依据" if reason else None,
        )  # fmt: skip
        asked = Asked(
            (parcel,),
            matter="税收" if name == "problem" else None,
            version=version - behind if version >= behind else None,
        )
        wanted = wanted and not (behind and version >= behind)
        self._done(name, parcel, move, day, wanted, lambda: record_move(self.project, typed, asked))

    @rule(
        name=st.sampled_from(REGISTERS), which=st.integers(0, 1), data=st.data(), later=st.integers(-1, 9),
        document=st.booleans(), reason=st.booleans(), ahead=st.sampled_from([1, 1, 1, 0, 2]),
    )  # fmt: skip
    def by_hand(
        self, *, name: str, which: int, data: Any, later: int, document: bool, reason: bool, ahead: int
    ) -> None:
        """Insert an event of an entry as somebody would in psql: any move, with any version."""
        parcel = self.parcels[which]
        held = self.events.get((name, parcel))
        if not held:
            return
        register, day = self.force.registers[name], self._day(name, parcel, later)
        moves = [(move, before) for of, move, before in self.force.numbers if of == name]
        move, before = data.draw(st.sampled_from(sorted(moves, key=str)))
        wanted = (
            ahead == 1
            and before == held[-1][1]
            and self.allows(register, name, parcel, move, day, document=document, reason=reason)
        )

        def insert() -> None:
            with self.project.transaction() as connection:
                connection.execute(
                    "INSERT INTO registry.event (entry_id, version, move_id, move, from_state, to_state, on_date, document_sha256, reason)"
                    " SELECT entry_id, %s, %s, %s, %s, %s, %s, %s, %s FROM registry.entry WHERE register = %s AND subject = %s",
                    [len(held) + ahead, self.force.numbers[name, move, before], move, before, register.move[move].reaches, day,
                     SHA if document else None, "依据" if reason else None, name, parcel],
                )  # fmt: skip

        self._done(name, parcel, move, day, wanted, insert)

    def _day(self, name: str, parcel: str, later: int) -> dt.date:
        held = self.events.get((name, parcel))
        return (held[-1][2] if held else FIRST_DAY) + dt.timedelta(days=later)

    def _done(
        self, name: str, parcel: str, move: str, day: dt.date, wanted: bool, work: Callable[[], object]
    ) -> None:
        said = None
        try:
            work()
        except LowlandError as refused:
            said = str(refused)
        if said is not None:
            assert not wanted, f"{name} {parcel} {move} was refused: {said}"
            return
        assert wanted, f"{name} {parcel} {move} was taken, though the procedure does not allow it"
        reaches = self.force.registers[name].move[move].reaches
        self.events.setdefault((name, parcel), []).append((move, reaches, day))

    @invariant()
    def nothing_is_lost(self) -> None:
        """Every event is there as it was recorded, in its order, and no other."""
        with psycopg.connect(self.project.dsn) as connection:
            rows = connection.execute(
                "SELECT register, subject, move, to_state, on_date FROM registry.event JOIN registry.entry USING (entry_id)"
                " WHERE subject = ANY(%s) ORDER BY register, subject, version",
                [self.parcels],
            ).fetchall()
        found: dict[tuple[str, str], list[tuple[str, str, dt.date]]] = {}
        for name, subject, move, reached, day in rows:
            found.setdefault((name, subject), []).append((move, reached, day))
        assert found == self.events

    def teardown(self) -> None:
        """The chain is whole."""
        assert [each for each in verify(self.project).findings if each.row_no is not None] == []


@pytest.fixture
def machine(
    new_database: Callable[[], AbstractContextManager[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """The state machine on a database with parcels and the shipped procedure."""
    monkeypatch.delenv("LOWLAND_DSN", raising=False)
    with new_database() as dsn:
        (tmp_path / "lowland.toml").write_text(PROJECT.format(dsn=dsn), encoding="utf-8")
        deliver_parcels(dsn, PARCELS)
        project = open_project(tmp_path)
        with project.transaction() as connection:
            take_up_procedure(connection)
            connection.execute(
                "INSERT INTO registry.paper (sha256, has_file, file_name, size_bytes) VALUES (%s, false, 'x.pdf', 1)",
                [SHA],
            )
            held = read_procedure(connection)

        class OnDatabase(Moves):
            fresh = count()

        OnDatabase.project, OnDatabase.force, OnDatabase.document = project, held, paper(tmp_path, "x")
        yield OnDatabase


def test_random_moves_reach_no_forbidden_state_and_lose_no_event(machine: Any) -> None:
    run_state_machine_as_test(machine, settings=BOUNDED)


def test_without_its_guard_random_moves_reach_a_forbidden_state(machine: Any) -> None:
    with as_superuser(machine.project.dsn) as connection:
        connection.execute("ALTER TABLE registry.event DISABLE TRIGGER check_rows")
    with pytest.raises(AssertionError, match="though the procedure does not allow it"):
        run_state_machine_as_test(machine, settings=BOUNDED)
