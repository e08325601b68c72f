"""`lowland db`: start, stop and look at the project's database, and connect other programs to it."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import click

from lowland_gis.cli.accounts import grant, list_roles, revoke
from lowland_gis.cli.db_backup import add_backups
from lowland_gis.cli.outputs import InputPath
from lowland_gis.errors import listed

if TYPE_CHECKING:
    from lowland_gis.db.private import cluster as clusters
    from lowland_gis.db.roles import Settled
    from lowland_gis.db.server import Facts
    from lowland_gis.settings import Settings

NOT_OURS = "LOWLAND_DSN names a server that is not the project's own; it is left as it is."


class Project(Protocol):
    """What these commands need to know of the project at hand."""

    @property
    def project_dir(self) -> Path:
        """The folder of lowland.toml."""

    @property
    def dsn(self) -> str | None:
        """The connection string of a server that takes the place of the private cluster."""

    @property
    def settings(self) -> Settings:
        """The settings of the project."""


@click.group()
def db() -> None:
    """Start, stop and look at the project's database (数据库)."""


add_backups(db)
for account_command in (grant, revoke, list_roles):
    db.add_command(account_command)


@db.command()
@click.option(
    "--take-over",
    type=InputPath(file_okay=False),
    help="The database that this project had before its folder was moved; lowland db status says where it is.",
)
@click.pass_obj
def up(project: Project, take_over: Path | None) -> None:
    """Start the private PostGIS, made where there is none; prints what other programs need to connect."""
    from lowland_gis.db.private import cluster as clusters
    from lowland_gis.db.server import ensure_postgis, without_password

    cluster = _cluster(project)
    if project.dsn:
        ensure_postgis(project.dsn)
    else:
        note = clusters.status(cluster).note
        clusters.up(cluster, take_over=take_over)
        if note is not None and take_over is None:
            click.echo(note, err=True)
    server = project.dsn or clusters.dsn(cluster)
    click.echo(f"The database answers: {without_password(server)}", err=True)
    if not project.dsn:
        _settle(server)
    enforce_procedure(project, server)
    _echo_service(project, cluster)


def _settle(server: str) -> None:
    """Give the private database the roles and privileges of this program, which may be a newer one than it was made by."""
    from lowland_gis.db.migrate import as_owner, settle_roles
    from lowland_gis.db.revision import current_revision, newest_revision

    if current_revision(server) == newest_revision():
        settle_roles(as_owner(server), server)


@db.command()
@click.option("--to", "target", default="head", show_default=True, help="The revision to reach.")
@click.option("--yes", is_flag=True, help="Let go what the newer schema cannot hold, without being asked.")
@click.pass_obj
def migrate(project: Project, target: str, *, yes: bool) -> None:
    """Bring the database to the newest schema; two at once queue.

    What a step would take away is named before, and goes only with a yes: on a terminal you are asked, elsewhere it needs --yes.
    An older schema is reached only where it has a place for every row.
    """
    from lowland_gis.db.migrate import bring
    from lowland_gis.db.private import cluster as clusters
    from lowland_gis.db.revision import current_revision

    server = clusters.connect_string(project.project_dir, project.dsn)
    settled = bring(server, project.settings.project.srid, target, told if yes else asked)
    if settled is not None and settled.missing:
        _ask_administrator(settled)
    click.echo(f"The database is at revision {current_revision(server)}.", err=True)
    enforce_procedure(project, server)


@db.command()
@click.pass_obj
def down(project: Project) -> None:
    """Stop the private PostGIS; the data stays."""
    from lowland_gis.db.private import cluster as clusters

    if project.dsn:
        click.echo(NOT_OURS, err=True)
    elif clusters.down(_cluster(project)):
        click.echo("The database is stopped; its data stays. Start it again with: lowland db up", err=True)
    else:
        click.echo("The database was not running.", err=True)


@db.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def status(project: Project, *, as_json: bool) -> None:
    """Show whether the database runs, where it lies and which versions it has."""
    from lowland_gis.db.private import cluster as clusters

    shown = _server(project.dsn) if project.dsn else _private(clusters.status(_cluster(project)))
    if as_json:
        click.echo(json.dumps(shown, ensure_ascii=False))
    else:
        width = max(len(name) for name in shown)
        click.echo(
            "\n".join(f"{name:<{width}}  {value}" for name, value in shown.items() if value is not None)
        )


@db.command()
@click.pass_obj
def psql(project: Project) -> None:
    """Open psql on the project's database."""
    from lowland_gis.db.private import cluster as clusters

    clusters.psql(_cluster(project), project.dsn)


@db.command()
@click.pass_obj
def service(project: Project) -> None:
    """Write the connection service for psql, ogr2ogr and QGIS, and print the line that makes it known."""
    _echo_service(project, _cluster(project))


def _ask_administrator(settled: Settled) -> None:
    """Print the SQL that makes the roles which this account may not make, and say what is missing without them."""
    click.echo(
        f"The server has no roles {', '.join(settled.missing)} of this database, and this account may make none (CREATEROLE), so nobody but"
        " the owner can work in it yet. Ask the server's administrator to type in psql what is printed, then type again: lowland db migrate",
        err=True,
    )
    click.echo(settled.making())


def told(lost: list[str]) -> bool:
    """Say what goes, and let it."""
    from lowland_gis.db.migrate import LOSS

    click.echo(f"{LOSS}\n{listed(lost, shown=len(lost))}", err=True)
    return True


def asked(lost: list[str]) -> bool:
    """Ask a person at a terminal; anything else is no agreement."""
    if not sys.stdin.isatty():
        return False
    told(lost)
    return click.confirm("Go on, and let them go?", err=True)


def enforce_procedure(project: Project, server: str) -> None:
    """Have the database enforce the project's procedure; a command of the database works also where that has faults."""
    from lowland_gis.pipeline.base.procedure import enforce

    said = enforce(server, project.project_dir)
    if said is not None:
        click.echo(said, err=True)


def _cluster(project: Project) -> clusters.Cluster:
    from lowland_gis.db.private import cluster as clusters

    return clusters.locate(project.project_dir, env=os.environ)


def _echo_service(project: Project, cluster: clusters.Cluster) -> None:
    from lowland_gis.db.private import cluster as clusters

    path = clusters.service_file(cluster, project.dsn)
    click.echo(f"export PGSERVICEFILE={shlex.quote(str(path))}")


def _private(found: clusters.ClusterStatus) -> dict[str, object]:
    return {
        "kind": "private",
        "state": found.state,
        "dsn": found.dsn,
        "pid": found.pid,
        "data_dir": str(found.data_dir),
        "log": str(found.log),
        "note": found.note,
    } | _versions(found.facts)


def _server(dsn: str) -> dict[str, object]:
    from lowland_gis.db.server import facts_of, without_password

    return {"kind": "server", "state": "running", "dsn": without_password(dsn)} | _versions(facts_of(dsn))


def _versions(facts: Facts | None) -> dict[str, object]:
    if facts is None:
        return {"postgresql": None, "postgis": None, "size_bytes": None}
    return {"postgresql": facts.postgresql, "postgis": facts.postgis, "size_bytes": facts.size_bytes}
