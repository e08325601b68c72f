"""`lowland db backup | restore | verify`: one file with everything, read again and restored as a whole or not at all."""

from __future__ import annotations

from pathlib import Path

import click

from lowland_gis.cli import Session
from lowland_gis.cli.outputs import InputPath, OutputPath, overwrite_option
from lowland_gis.cli.progress import progress
from lowland_gis.cli.tables import Rows, json_option, show
from lowland_gis.errors import listed

head_option = click.option(
    "--head",
    help="A head of the registry's chain that was kept elsewhere; the chain in it must pass through it.",
)


def add_backups(group: click.Group) -> None:
    """Add the commands to the group of the database."""
    for command in (backup, restore, verify):
        group.add_command(command)


@click.command()
@click.argument("file", type=OutputPath(dir_okay=False))
@click.option(
    "--without-results",
    is_flag=True,
    help="Leave out results that no entry of the registry rests on; lowland run makes them anew.",
)
@overwrite_option
@click.pass_obj
def backup(session: Session, file: Path, *, without_results: bool, overwrite: bool) -> None:
    """Write everything into FILE: land, registry with its papers, results, settings and definitions (备份).

    It is one state of the database, also beside a running ingest. Prints the head of the registry's chain: keep it elsewhere.
    """
    from lowland_gis.db.place import connect_string
    from lowland_gis.pipeline.backup.project_files import project_files, readable
    from lowland_gis.pipeline.backup.write import write_backup

    server = connect_string(session.project_dir, session.dsn)
    found = project_files(session.project_file, readable(lambda: session.settings))
    with session.outputs.writing(file, overwrite=overwrite), progress(session, "backup") as watch:
        written = write_backup(server, found, file, results=not without_results, watch=watch)
    said = written.manifest
    session.tell(
        f"{len(said.tables)} tables with {said.rows:,} rows and {len(said.files)} files of the project, {written.size / 1e6:,.1f} MB → {file}"
    )
    if said.left_out:
        session.tell(f"Not in it:\n{listed(said.left_out, shown=len(said.left_out))}")
    if said.n_findings:
        session.tell(
            f"The registry in it has {said.n_findings:,} findings, and they will be there again. See: lowland registry verify"
        )
    click.echo(f"registry head {said.registry_head or '(nothing is recorded)'}")


@click.command()
@click.argument("file", type=InputPath(dir_okay=False))
@head_option
@click.option("--yes", is_flag=True, help="Let go what a newer schema cannot hold, without being asked.")
@click.pass_context
def restore(ctx: click.Context, file: Path, *, head: str | None, yes: bool) -> None:
    """Restore FILE into the project's empty database, all of it or nothing (恢复).

    Files of the project are written where there are none. Exit code 1 when roles or rules of rows that the backup tells are missing
    here, or a file of the project is here with another content.
    """
    from lowland_gis.cli.db import asked, enforce_procedure, told
    from lowland_gis.db.place import connect_string
    from lowland_gis.pipeline.backup.restore import restore_backup
    from lowland_gis.pipeline.registry.verify import head_given

    session: Session = ctx.obj
    server = connect_string(session.project_dir, session.dsn)
    srid = session.settings.project.srid if session.project_file.is_file() else None
    with progress(session, "restore") as watch:
        done = restore_backup(
            file, server, session.project_file, srid=srid, head=head_given(head), agreed=told if yes else asked, watch=watch
        )  # fmt: skip
    said = done.manifest
    session.tell(
        f"{len(said.tables)} tables with {said.rows:,} rows were restored and compared row by row, as of {said.made_at} by {said.made_by}"
        f" (lowland {said.program}, revision {said.revision})."
    )
    if (said.postgresql, said.postgis) != (done.postgresql, done.postgis):
        session.tell(
            f"It was made under PostgreSQL {said.postgresql} with PostGIS {said.postgis}; here are {done.postgresql} and {done.postgis}."
            " Rows are the same; whether results made anew are is said by: lowland classify rerun latest"
        )
    enforce_procedure(session, server)
    for what, names in (
        ("Missing here", done.missing),
        ("Left as they are, since they are here with another content", done.other_files),
        (
            "The registry is not as it was recorded, as the backup says",
            tuple(map(_finding, done.proof.findings)),
        ),
    ):
        if names:
            session.tell(f"{what}:\n{listed(names, shown=40)}")
    click.echo(f"registry head {said.registry_head or '(nothing was recorded)'}")
    if done.missing or done.other_files or done.proof.findings:
        ctx.exit(1)


@click.command()
@click.argument("file", type=InputPath(dir_okay=False))
@head_option
@json_option
@click.pass_context
def verify(ctx: click.Context, file: Path, *, head: str | None, as_json: bool) -> None:
    """Read all of FILE and prove the registry in it, without a database (核验). Exit code 1 when a row is not as it was recorded.

    A file that is not what was written is refused with 3. That it can be restored is proved by restoring it.
    """
    from lowland_gis.pipeline.backup.read import verify_backup
    from lowland_gis.pipeline.registry.verify import head_given

    session: Session = ctx.obj
    with progress(session, "verify") as watch:
        done = verify_backup(file, head=head_given(head), watch=watch)
    said, proof = done.manifest, done.proof
    show(Rows(("table", "rows"), tuple((table.name, table.rows) for table in said.tables)), as_json=as_json)
    session.tell(
        f"Made {said.made_at} by {said.made_by} with lowland {said.program}, revision {said.revision}, PostgreSQL {said.postgresql}, PostGIS"
        f" {said.postgis}; results: {said.results}; files: {', '.join(part.path or '' for part in said.files) or 'none'}"
    )
    if proof.findings:
        session.tell(
            f"The registry is not as it was recorded:\n{listed(list(map(_finding, proof.findings)), shown=40)}"
        )
    if proof.passes is not None:
        session.tell(
            f"The chain {'passes' if proof.passes else 'does not pass'} through the head that was given."
        )
    if not as_json:
        click.echo(f"registry head {proof.head or '(nothing is recorded)'}")
    if not proof.sound:
        ctx.exit(1)


def _finding(found: tuple[str, int | None, str]) -> str:
    table, number, what = found
    return f"{table}{'' if number is None else f' row {number:,}'}: {what}"
