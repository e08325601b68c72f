"""Every command of the program, by a reader and by a town's clerk: what reads works, what writes is refused in one sentence that says who may.

The list of commands is that of the program: a command that is not classed here fails the first test.
"""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import click
import geopandas as gpd
import openpyxl
import psycopg
import pytest
import shapely
from psycopg import sql
from psycopg.conninfo import make_conninfo

from lowland_gis import cli
from lowland_gis.db.migrate import settle_roles
from lowland_gis.db.private import cluster as clusters
from registered import owned, paper
from role_matrix import HERE, accounts

READER, TOWN, PROGRAM = "reader", "town", "program"
# They read or make files, or are of the machine and the owner of the database (who copies it whole), so no role has to do with them.
OF_NO_ROLE = {
    "init", "demo", "doctor", "inspect", "convert", "tabulate", "measures list", "measures show", "rules check", "rules list", "rules show",
    "rules test", "package adopt", "package check", "report template", "update increment", "db backup", "db restore", "db verify", "db down", "db migrate", "db psql", "db service", "db up",
}  # fmt: skip
# How each command that reads is called.
READS = {
    "db roles": [], "db status": [],
    "layers diff": ["parcel", "latest", "latest"], "layers list": [], "layers rejects": ["parcel"], "layers show": ["parcel"],
    "check show": ["{rule}"],
    "classify compare": ["{run}", "latest"], "classify explain": ["{parcel}"], "classify rerun": ["{run}"], "classify todo": [],
    "rules what-if": ["--set", "tax_min=8"],
    "unit export": ["{out}/units.gpkg"], "unit list": [], "unit members": [], "unit metrics": [], "unit sheet": ["{unit}", "{out}/sheet.png"],
    "unit why": ["{parcel}"], "unit potential": ["{unit}"], "unit brief": ["{unit}", "--out", "{out}/brief.docx"],
    "unit changes": ["flow", "--from", "flow"], "unit key-areas": [], "unit planning": [],
    "registry history": ["{parcel}"], "registry list": [], "registry paper": ["{paper}", "{out}/paper.pdf"], "registry problems": [],
    "registry procedure": [], "registry promises": [], "registry show": ["{parcel}"], "registry verify": [],
    "update diff": [],
    "plan check": ["2026"], "plan quotas": ["2026"], "plan show": ["2026"], "plan write": ["2026", "-o", "{out}/plan.xlsx"],
    "package build": ["{out}/package"], "map overview": ["{out}/map.png"],
    "map page": ["{out}/map.html"], "map sheet": ["{parcel}", "{out}/sheet.pdf"], "map sheets": ["{out}/sheets", "--of", "towns"],
    "report due": [], "report bulletin": ["2024-05", "{out}/bulletin.docx"],
    "report midyear": ["2024", "{out}/midyear.docx"], "report annual": ["2024", "{out}/annual.docx"],
    "report evaluation": ["midterm", "{out}/evaluation.docx"],
}  # fmt: skip
# How each command that writes is called, and a role that it must name.
ANALYST, APPROVER, ADMIN = "analyst", "approver", "admin"
_MOVED = ["{parcel}", "--document", "{file}", "--reason", "x"]
WRITES = {
    "run": (ANALYST, ["--from", "measure", "--to", "measure"]),
    "ingest": (ANALYST, ["town", "{folder}/towns.gpkg"]),
    "check run": (ANALYST, []),
    "check accept": (ANALYST, ["{issue}", "--why", "x"]),
    "classify run": (ANALYST, []),
    "unit draft": (ANALYST, ["neu", "--rounds", "0"]),
    "unit edit": (ANALYST, ["neu", "--draft", "flow", "--forbid", "{parcel}"]),
    "unit freeze": (ANALYST, ["--draft", "flow"]),
    "unit import": (ANALYST, ["{folder}/flow.gpkg", "--draft", "flow", "--name", "neu"]),
    "unit withdraw": (ANALYST, ["X", "--reason", "x"]),
    "registry document": (ANALYST, ["{parcel}", "{clause}", "{file}", "--says", "true"]),
    "registry draft": (ANALYST, []),
    "registry promise": (ANALYST, ["{promises}"]),
    **{
        f"registry {move}": (APPROVER, _MOVED)
        for move in ("approve", "ask", "dispose", "file", "resolve", "return", "review", "step", "submit", "withdraw")
    },
    **{f"registry {move}": (ANALYST, _MOVED) for move in ("enter", "notice", "objection", "start", "survey")},
    "update open": (ANALYST, ["2024"]),
    "update close": (ANALYST, ["{out}/changed"]),
    "plan read": (ANALYST, ["2026", "{out}/read.xlsx"]),
    "db grant": (ADMIN, ["{user}", "analyst"]),
    "db revoke": (ADMIN, ["{user}", "reader"]),
}  # fmt: skip
# They write where something has changed, so they are tried when something has.
STAGES = {"run", "check run", "classify run"}
# What a clerk reads of the commands that read; the others are of the whole district.
CLERK_READS = {
    "db roles", "db status", "layers diff", "layers show", "registry history", "registry list", "registry problems", "registry procedure",
    "registry show", "plan check", "plan quotas", "plan show", "plan write",
}  # fmt: skip


@dataclass
class Answer:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str


@dataclass
class Office:
    """The demo on a database of its own, as several people work in it."""

    folder: Path
    dsns: dict[str, str]
    named: dict[str, str]

    def lowland(self, who: str, *arguments: str) -> Answer:
        """Run a command as somebody whose settings name his account."""
        file = self.folder / "lowland.toml"
        lines = [line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("dsn")]
        file.write_text("\n".join([f"dsn = {json.dumps(self.dsns[who])}", *lines]), encoding="utf-8")
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as left:
            cli.main(["--project", str(file), *arguments])
        return Answer(int(left.value.code or 0), out.getvalue(), err.getvalue())

    def called(self, who: str, name: str, arguments: list[str]) -> Answer:
        """Run a command with what stands for its arguments."""
        out = self.folder / who
        out.mkdir(exist_ok=True)
        user = psycopg.conninfo.conninfo_to_dict(self.dsns[who])["user"]
        named = {**self.named, "folder": self.folder, "out": out, "user": user}
        return self.lowland(who, *name.split(), *(each.format(**named) for each in arguments))


@pytest.fixture(scope="module")
def office(demo, cluster, tmp_path_factory) -> Iterator[Office]:
    folder, name = tmp_path_factory.mktemp("office"), "office_of_roles"
    shutil.copy(demo.folder / "lowland.toml", folder / "lowland.toml")
    admin = psycopg.connect(
        make_conninfo(clusters.superuser_dsn(cluster), dbname="postgres"), autocommit=True
    )
    admin.execute(
        sql.SQL("CREATE DATABASE {} OWNER lowland_lowland_owner TEMPLATE acceptance_demo").format(
            sql.Identifier(name)
        )
    )
    try:
        with pytest.MonkeyPatch.context() as patched:
            patched.delenv("LOWLAND_DSN", raising=False)
            dsn = make_conninfo(clusters.dsn(cluster), dbname=name)
            settle_roles(owned(dsn), dsn)
            with accounts(dsn) as people:
                clusters.known(cluster)
                place = Office(folder, {PROGRAM: dsn, **people}, {})
                place.named = _named(place, demo.folder, dsn)
                yield place
    finally:
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
        admin.close()


def _named(place: Office, demo: Path, dsn: str) -> dict[str, str]:
    """Return what stands in the arguments, and make what they need: checks that ran, a paper, promises of the clerk's town, files."""
    said = place.lowland(PROGRAM, "check", "run")
    assert said.code in (0, 1), said.err
    file = paper(place.folder, "公示")
    with psycopg.connect(dsn) as connection:

        def first(query: str, *parameters: str) -> str:
            row = connection.execute(query, parameters).fetchone()
            assert row is not None, query
            return str(row[0])

        parcel = first(
            "SELECT max(subject) FROM registry.current_entry JOIN result.member ON parcel_id = subject WHERE unit_id IS NOT NULL"
            " AND register = 'low_efficiency' AND state = 'draft' AND town_code = %s",
            HERE,
        )
        named = {
            "parcel": parcel,
            "unit": first("SELECT min(unit_id) FROM result.unit"),
            "run": first("SELECT min(run_id) FROM result.run WHERE stage = 'classify'"),
            "rule": "overlap",
            "issue": first("SELECT min(issue_id) FROM land.current_issue"),
            "clause": "paper_fire",
            "file": str(file),
            # A parcel that stands in no register of low-efficiency land.
            "fresh": first(
                "SELECT max(parcel_id) FROM land.current_parcel WHERE town_code = %s AND parcel_id NOT IN"
                " (SELECT subject FROM registry.entry)",
                HERE,
            ),
            "promises": str(_promises_of(demo, HERE)),
        }
        towns = connection.execute(
            "SELECT attributes, ST_AsBinary(geom) FROM land.current_feature WHERE layer = 'town' ORDER BY row_no"
        ).fetchall()
    frame = gpd.GeoDataFrame(
        [row[0] for row in towns], geometry=shapely.from_wkb([row[1] for row in towns]), crs=4548
    )
    frame.assign(XZQMC="新镇").to_file(place.folder / "towns.gpkg", engine="pyogrio")
    said = place.lowland(PROGRAM, "registry", "notice", parcel, "--document", str(file))
    assert said.code == 0, said.err
    with psycopg.connect(dsn) as connection:
        named["paper"] = str(connection.execute("SELECT max(sha256) FROM registry.paper").fetchone()[0])
    said = place.lowland(PROGRAM, "unit", "export", str(place.folder / "flow.gpkg"))
    assert said.code == 0, said.err
    return named


def _promises_of(demo: Path, town: str) -> Path:
    """Return a table of those contracts of the demo whose parcels all lie in a town."""
    book = openpyxl.load_workbook(demo / "promises" / "承诺.xlsx")
    sheet = book.active
    rows = list(sheet.iter_rows(values_only=True))
    number, parcel = rows[0].index("合同编号"), rows[0].index("宗地代码")
    elsewhere = {row[number] for row in rows[1:] if not str(row[parcel]).startswith(town)}
    for place in range(len(rows), 1, -1):
        if rows[place - 1][number] in elsewhere:
            sheet.delete_rows(place)
    assert sheet.max_row > 1
    book.save(demo / "promises" / "本镇.xlsx")
    return demo / "promises" / "本镇.xlsx"


def every_command(group: click.Group, *path: str) -> Iterator[str]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from every_command(command, *path, name)
        else:
            yield " ".join((*path, name))


def test_every_command_is_classed():
    """A new command belongs into READS (a reader may), WRITES (with a role that may) or OF_NO_ROLE."""
    assert set(every_command(cli.lowland)) == OF_NO_ROLE | set(READS) | set(WRITES)


def test_a_reader_may_call_every_command_that_reads(office):
    wrong = {}
    for name, arguments in READS.items():
        said = office.called(READER, name, arguments)
        # Nothing to compare is open in the demo, which is told to everybody.
        if (name, said.code) != ("update diff", 2) and (said.code not in (0, 1) or "may not" in said.err):
            wrong[name] = (said.code, said.err)
    assert not wrong, "\n".join(f"{name}: {said}" for name, said in wrong.items())


@pytest.mark.parametrize("who", [READER, TOWN])
def test_what_writes_is_refused_in_one_sentence_that_says_who_may(office, who):
    """A clerk's own moves are tried below; here he tries what is not his."""
    mine = (
        {"objection", "ask", "enter", "start", "step", "survey", "notice", "withdraw", "promise"}
        if who == TOWN
        else set()
    )
    before, wrong = _counts(office), {}
    for name, (role, arguments) in WRITES.items():
        # To a clerk there is no unit to be withdrawn, and nothing to draft, before it comes to roles.
        nothing = who == TOWN and name in {"plan read", "unit withdraw", "registry draft"}
        if name.removeprefix("registry ") in mine or name in STAGES or nothing:
            continue
        if name == "plan read":
            form = office.called(who, "plan write", ["2026", "-o", "{out}/read.xlsx"])
            assert form.code == 0, form.err
        said = office.called(who, name, arguments)
        denied = (
            said.code == 3
            and said.err.count("Error: ") == 1
            and "Nothing was" in said.err
            and role in said.err
        )
        # What is refused for its state is told before it comes to roles.
        before_roles = said.code == 3 and "nothing was recorded" in said.err and name.startswith("registry ")
        if not denied and not (who == TOWN and before_roles):
            wrong[name] = (said.code, said.err)
    assert not wrong, "\n".join(f"{name}: {said}" for name, said in wrong.items())
    assert _counts(office) == before


def test_a_clerk_reads_what_is_of_his_town_and_is_told_who_reads_the_rest(office):
    wrong = {}
    for name, arguments in READS.items():
        said = office.called(TOWN, name, arguments)
        if name in CLERK_READS:
            right = said.code in (0, 1) and "may not" not in said.err
        else:
            right = said.code == 3 and said.err.count("Error: ") == 1 and READER in said.err
        if not right:
            wrong[name] = (said.code, said.err)
    assert not wrong, "\n".join(f"{name}: {said}" for name, said in wrong.items())


def test_a_clerk_records_the_moves_of_his_role_and_no_other(office):
    paper_ = ["--document", "{file}"]
    for name, arguments in (
        ("registry survey", ["{fresh}"]),
        ("registry objection", ["{parcel}", *paper_]),
        ("registry enter", ["{fresh}", "--register", "problem", "--matter", "税收"]),
        ("registry ask", ["{fresh}", "--register", "problem", "--matter", "税收", *paper_]),
        ("registry step", ["{fresh}", "--register", "legacy", "--to", "listed"]),
        ("registry start", ["{fresh}", "--register", "disposal", "--to", "to_reserve", *paper_]),
        ("registry promise", ["{promises}"]),
    ):
        said = office.called(TOWN, name, arguments)
        assert said.code == 0, (name, said)
    said = office.called(TOWN, "registry resolve", ["{parcel}", *paper_])
    assert said.code == 3
    assert "the move resolve is recorded by approver" in said.err
    said = office.called("town elsewhere", "registry survey", ["{fresh}"])
    assert said.code == 3
    assert "of another town than yours" in said.err


@pytest.mark.parametrize("who", [READER, TOWN])
def test_stages_that_have_something_to_do_are_refused(office, who):
    """Runs last: another day to judge for, and then another delivery of the towns."""
    file = office.folder / "lowland.toml"
    text = file.read_text(encoding="utf-8")
    assert "as_of = 2023-12-31" in text
    file.write_text(text.replace("as_of = 2023-12-31", "as_of = 2022-12-31"), encoding="utf-8")
    try:
        said = [office.lowland(who, "classify", "run")]
    finally:
        file.write_text(text, encoding="utf-8")
    delivered = office.lowland(PROGRAM, "ingest", "town", str(office.folder / "towns.gpkg"))
    assert delivered.code == 0, delivered.err
    before = _counts(office)
    said += [
        office.lowland(who, "check", "run"),
        office.lowland(who, "run", "--from", "tabulate", "--to", "tabulate"),
    ]
    for each in said:
        assert each.code == 3, each
        assert f"{who}) may not do this" in each.err, each
        assert ANALYST in each.err, each
    assert _counts(office) == before


def _counts(office: Office) -> list[tuple[object, ...]]:
    with psycopg.connect(office.dsns[PROGRAM]) as connection:
        return connection.execute(
            "SELECT (SELECT count(*) FROM registry.link), (SELECT max(run_id) FROM result.run), (SELECT count(*) FROM land.source)"
        ).fetchall()
