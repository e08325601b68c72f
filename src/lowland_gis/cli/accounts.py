"""`lowland db grant | revoke | roles`: who may do what at the database."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click

from lowland_gis.cli.tables import json_option, show
from lowland_gis.db.role_names import ROLES
from lowland_gis.errors import NotAllowedError

if TYPE_CHECKING:
    from lowland_gis.cli import Session

T = TypeVar("T")
_PERSON = click.argument("person")
_ROLE = click.argument("role", type=click.Choice(ROLES))
_TOWN = click.option("--town", metavar="CODE", help="The town (镇街代码) of a town clerk.")


@click.command()
@_PERSON
@_ROLE
@_TOWN
@click.pass_obj
def grant(session: Session, person: str, role: str, town: str | None) -> None:
    """Give a person a role (授予角色): reader, town (with --town), analyst, approver or admin.

    The account is made where there is none and it may be made; where not, the SQL for the server's administrator is printed.
    """
    from lowland_gis.db import roles
    from lowland_gis.db.server import without_password

    server = _server(session)
    made = _saying_statements(lambda: roles.grant(server, person, role, town))
    if session.dsn is None:
        _make_known(session)
    where = without_password(_as_person(server, person))
    click.echo(
        f"{person} is {role}{f' of {town}' if town else ''}. To work so: LOWLAND_DSN='{where}'", err=True
    )
    if made and session.dsn is not None:
        click.echo(
            f"The account is new and has no password; give it one in lowland db psql: \\password {person}",
            err=True,
        )


@click.command()
@_PERSON
@_ROLE
@_TOWN
@click.pass_obj
def revoke(session: Session, person: str, role: str, town: str | None) -> None:
    """Take a role from a person (收回角色); the account stays."""
    from lowland_gis.db import roles

    _saying_statements(lambda: roles.revoke(_server(session), person, role, town))
    click.echo(f"{person} is no longer {role}{f' of {town}' if town else ''}.", err=True)


@click.command("roles")
@json_option
@click.pass_obj
def list_roles(session: Session, as_json: bool) -> None:
    """List who has which role (角色); who is no admin sees his own."""
    import pandas as pd

    from lowland_gis.db import roles

    rows = [(person, role, " ".join(towns)) for person, role, towns in roles.accounts(_server(session))]
    show(pd.DataFrame(rows, columns=["person", "role", "towns"]), as_json=as_json)


def _server(session: Session) -> str:
    """Return where roles are given: of a private database it is its owner who does it."""
    from lowland_gis.db.place import connect_string

    server = connect_string(session.project_dir, session.dsn)
    if session.dsn is not None:
        return server
    from lowland_gis.db.private import cluster

    return cluster.owner_dsn(cluster.locate(session.project_dir, env=os.environ))


def _make_known(session: Session) -> None:
    from lowland_gis.db.private import cluster

    cluster.known(cluster.locate(session.project_dir, env=os.environ))


def _as_person(server: str, person: str) -> str:
    from psycopg.conninfo import make_conninfo

    return make_conninfo(server, user=person)


def _saying_statements(work: Callable[[], T]) -> T:
    """Do something; where only an administrator can, the SQL for him goes to stdout."""
    try:
        return work()
    except NotAllowedError as error:
        if error.statements is not None:
            click.echo(error.statements)
        raise
