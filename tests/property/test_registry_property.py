"""Random moves by random roles: the registry takes what the procedure allows to each, nothing else, and loses nothing."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from itertools import count
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from lowland_gis.analysis.registry.procedure import Register
from lowland_gis.db import guards
from lowland_gis.db.private import cluster as clusters
from lowland_gis.pipeline.base.procedure import read_procedure, take_up_procedure
from lowland_gis.pipeline.base.project import open_project
from moved_by_roles import KNOWN, OWNER, PARCELS, PROGRAM, MovesByRoles
from registered import PROJECT, as_superuser, deliver_parcels, owned, paper
from role_matrix import HERE, THERE, accounts

BOUNDED = settings(
    max_examples=int(os.environ.get("LOWLAND_REGISTRY_EXAMPLES", "5")),
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
    report_multiple_bugs=False,
    derandomize=True,
    database=None,
)


@pytest.fixture(scope="module")
def district(
    new_database: Callable[[], AbstractContextManager[str]],
    cluster: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, Any]]:
    """A database with parcels of two towns, the shipped procedure and an account of each role, to each of which a connection is kept."""
    folder = tmp_path_factory.mktemp("moves")
    with ExitStack() as stack:
        stack.enter_context(pytest.MonkeyPatch.context()).delenv("LOWLAND_DSN", raising=False)
        dsn = stack.enter_context(new_database())
        (folder / "lowland.toml").write_text(PROJECT.format(dsn=dsn), encoding="utf-8")
        deliver_parcels(dsn, PARCELS[HERE])
        with psycopg.connect(dsn) as connection:
            # Deliveries of a layer follow each other; as parts of one they lie side by side.
            connection.execute("UPDATE land.layer_version SET part = 'a'")
        deliver_parcels(dsn, PARCELS[THERE], THERE)
        project = open_project(folder)
        with project.transaction() as connection:
            connection.execute("UPDATE land.layer_version SET part = 'b' WHERE part IS NULL")
            take_up_procedure(connection)
            connection.execute(
                "INSERT INTO registry.paper (sha256, has_file, file_name, size_bytes) VALUES (%s, false, 'x.pdf', 1)",
                [KNOWN],
            )
            force = read_procedure(connection)
        people = {**stack.enter_context(accounts(dsn)), PROGRAM: dsn, OWNER: owned(dsn)}
        clusters.known(cluster)
        document = paper(folder, "x")
        yield {
            "force": force,
            "projects": {who: replace(project, dsn=as_who) for who, as_who in people.items()},
            "connections": {
                who: stack.enter_context(psycopg.connect(as_who, autocommit=True)) for who, as_who in people.items()
            },
            "document": document,
            "digest": hashlib.sha256(document.read_bytes()).hexdigest(),
            "fresh": count(),
        }  # fmt: skip


def machine(district: dict[str, Any], kind: type[MovesByRoles] = MovesByRoles) -> Any:
    """The state machine on a database."""
    return type("OnDatabase", (kind,), dict(district))


def test_random_moves_of_random_roles_are_answered_as_the_procedure_says_and_lose_no_event(district):
    run_state_machine_as_test(machine(district), settings=BOUNDED)


def test_of_a_model_that_allows_what_the_procedure_forbids_the_moves_are_refused(district):
    class Lenient(MovesByRoles):
        """Goes by a procedure in which every move leads on from every state."""

        def registers(self) -> dict[str, Register]:
            return {
                name: register.model_copy(
                    update={
                        "move": {
                            each: move.model_copy(update={"first": True, "leaves": tuple(register.state)})
                            for each, move in register.move.items()
                        }
                    }
                )
                for name, register in self.force.registers.items()
            }

    with pytest.raises(AssertionError, match="was to be answered with None, and was with"):
        run_state_machine_as_test(machine(district, Lenient), settings=BOUNDED)


def test_without_the_guard_of_roles_somebody_moves_who_may_not(district):
    off = guards.CHECK_EVENT.replace("WHEN NOT (rule.roles &&", "WHEN false AND NOT (rule.roles &&")
    assert off != guards.CHECK_EVENT
    owner = district["connections"][OWNER]
    owner.execute(f"CREATE OR REPLACE FUNCTION registry.check_event() {off}")
    try:
        with pytest.raises(AssertionError, match="was to be answered with LR011, and was with None"):
            run_state_machine_as_test(machine(district), settings=BOUNDED)
    finally:
        owner.execute(f"CREATE OR REPLACE FUNCTION registry.check_event() {guards.CHECK_EVENT}")


def test_without_the_guard_of_moves_a_forbidden_state_is_reached(district):
    with as_superuser(district["projects"][PROGRAM].dsn) as connection:
        connection.execute("ALTER TABLE registry.event DISABLE TRIGGER check_rows")
        try:
            with pytest.raises(AssertionError, match="was to be answered with LR0.., and was with None"):
                run_state_machine_as_test(machine(district), settings=BOUNDED)
        finally:
            connection.execute("ALTER TABLE registry.event ENABLE TRIGGER check_rows")


def test_an_event_that_is_lost_behind_the_registry_is_missed(district):
    """The last of these tests: the registry stays without a row."""

    class Robbed(MovesByRoles):
        """Who looks removes the newest event of a parcel, as only a superuser can."""

        def look(self, who: str) -> None:
            with as_superuser(self.projects[PROGRAM].dsn) as connection:
                connection.execute(
                    "DELETE FROM registry.event WHERE event_id = (SELECT max(event_id) FROM registry.event JOIN registry.entry"
                    " USING (entry_id) WHERE subject = ANY(%s))",
                    [self.parcels],
                )

    with pytest.raises(AssertionError, match="is not what the model says|the chain does not verify"):
        run_state_machine_as_test(machine(district, Robbed), settings=BOUNDED)
