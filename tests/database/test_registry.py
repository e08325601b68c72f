"""The registry by commands: the whole life of a parcel of each kind, what is refused and how, and that the database refuses it by itself."""

import datetime as dt
import hashlib
import json
import re
from concurrent.futures import ThreadPoolExecutor

import openpyxl
import psycopg
import pytest

from lowland_gis.cli import main
from lowland_gis.db import guards
from lowland_gis.definitions.states import procedure
from lowland_gis.errors import MoveRefusedError
from lowland_gis.pipeline.base.papers import register
from lowland_gis.pipeline.base.procedure import read_procedure
from lowland_gis.pipeline.base.project import open_project
from lowland_gis.pipeline.registry.moves import Typed, record_move
from lowland_gis.pipeline.registry.subjects import Asked
from registered import PROJECT, TOWN, deliver_parcels, paper

PARCELS = [f"12011310100{number}GB0000{number}" for number in range(10)]


@pytest.fixture(scope="module")
def folder(module_database, tmp_path_factory):
    made = tmp_path_factory.mktemp("registry")
    (made / "lowland.toml").write_text(PROJECT.format(dsn=module_database), encoding="utf-8")
    deliver_parcels(module_database, PARCELS)
    return made


@pytest.fixture
def lowland(folder, capsys, monkeypatch):
    monkeypatch.delenv("LOWLAND_DSN", raising=False)

    def run(*arguments, code=0):
        with pytest.raises(SystemExit) as left:
            main(["--project", str(folder / "lowland.toml"), "registry", *map(str, arguments)])
        said = capsys.readouterr()
        assert left.value.code == code, said.out + said.err
        return said.out + said.err

    return run


@pytest.fixture
def project(folder, monkeypatch):
    monkeypatch.delenv("LOWLAND_DSN", raising=False)
    return open_project(folder)


def stands(lowland, parcel, register="low_efficiency"):
    found = json.loads(lowland("show", parcel, "--json"))
    return next(entry for entry in found if entry["register"] == register)


# What is typed, one line a move: verb, state that is reached, day, whether a paper and a reason are given.
LIVES = {
    "low_efficiency": [
        ("survey", "survey", "2024-02-01", False, False),
        ("enter", "draft", "2024-02-10", False, False),
        ("notice", "notice", "2024-03-01", True, False),
        ("objection", "objection", "2024-03-03", True, False),
        ("resolve", "notice", "2024-03-05", True, False),
        ("approve", "determined", "2024-03-08", True, False),
        ("submit", "submitted", "2024-03-10", True, False),
        ("return", "returned", "2024-03-12", True, True),
        ("submit", "submitted", "2024-03-20", True, False),
        ("review", "reviewed", "2024-03-25", True, False),
        ("file", "filed", "2024-03-31", True, False),
        ("start", "redevelopment", "2024-06-01", True, False),
        ("dispose", "disposed", "2025-06-01", True, False),
    ],
    "legacy": [
        ("step", "listed", "2024-02-01", False, False),
        ("step", "checked_on_map", "2024-02-02", True, False),
        ("return", "listed", "2024-02-03", False, True),
        ("step", "checked_on_map", "2024-02-04", True, False),
        ("step", "checked_on_site", "2024-02-05", True, False),
        ("approve", "kept", "2024-02-06", True, False),
        ("step", "consented", "2024-02-07", True, False),
        ("step", "completed", "2024-02-08", True, False),
        ("file", "registered", "2024-02-09", True, False),
    ],
    "problem": [
        ("enter", "open", "2024-02-01", False, False),
        ("ask", "asked", "2024-02-02", True, False),
        ("resolve", "settled", "2024-02-03", True, False),
        ("enter", "open", "2024-02-04", False, False),
        ("withdraw", "dropped", "2024-02-05", False, True),
    ],
    "project": [
        ("enter", "not_started", "2024-02-01", False, False),
        ("start", "in_progress", "2024-02-02", True, False),
        ("dispose", "done", "2024-02-03", True, False),
    ],
    "plan": [
        ("enter", "drafted", "2023-12-01", True, False),
        ("return", "drafted", "2023-12-10", False, True),
        ("approve", "consolidated", "2023-12-20", True, False),
        ("start", "running", "2024-01-01", False, False),
        ("review", "evaluated", "2024-11-30", True, False),
    ],
    "disposal": [
        ("start", "to_reserve", "2024-02-01", True, False),
        ("step", "reserved", "2024-02-02", True, False),
        ("step", "to_develop", "2024-02-03", False, False),
        ("step", "developed", "2024-02-04", True, False),
    ],
}


@pytest.mark.parametrize("register", LIVES)
def test_the_whole_life_of_a_parcel_by_commands_alone(lowland, folder, register):
    subject = {"plan": TOWN, "project": "P-2024-1"}.get(register, PARCELS[0])
    if register == "low_efficiency":
        assert "no such parcel" in lowland("survey", "120113999999GB00001", code=3)
    for number, (verb, reached, day, needs_paper, needs_reason) in enumerate(LIVES[register]):
        given = [subject, "--register", register, "--on", day]
        given += ["--to", reached] if register in ("disposal", "legacy") else []
        given += ["--document", paper(folder, f"{register}-{verb}-{number}")] if needs_paper else []
        given += ["--reason", "依据不足"] if needs_reason else []
        lowland(verb, *given)
        found = stands(lowland, subject, register)
        assert (found["state"], found["version"]) == (reached, number + 1)
    assert found["first_on"] == LIVES[register][0][2]
    assert [event["to_state"] for event in found["events"]] == [move[1] for move in LIVES[register]]
    assert [event["on_date"] for event in found["events"]] == [move[2] for move in LIVES[register]]
    shown = lowland("show", subject)
    assert all(move[2] in shown for move in LIVES[register])
    assert lowland("verify").splitlines()[-1].count("head") == 1


BY_OWN_COMMANDS = ("unit", "promise")


def test_every_register_of_the_procedure_has_its_life_here():
    """Units and promises have commands of their own, which keep more than an event; their lives are tested beside these."""
    assert set(procedure()) == {*LIVES, *BY_OWN_COMMANDS}
    for name, content in procedure().items():
        reached = {move[1] for move in LIVES.get(name, [])}
        assert reached & set(content.final) or name in (*BY_OWN_COMMANDS, "problem"), name


def test_a_unit_is_moved_by_the_commands_of_units_only(lowland):
    for verb in ("withdraw", "start"):
        said = lowland(verb, "U-001", "--register", "unit", "--reason", "x", code=2)
        assert "lowland unit withdraw NUMBER --reason TEXT" in said


def test_the_page_says_what_is_due_next_and_from_whom(lowland, folder):
    parcel = PARCELS[1]
    lowland("survey", parcel, "--on", "2024-02-01")
    lowland("enter", parcel, "--on", "2024-02-02")
    lowland(
        "notice",
        parcel,
        "--on",
        "2024-03-01",
        "--document",
        paper(folder, "n1"),
        "--document-no",
        "津北辰公告〔2024〕1号",
    )
    shown = lowland("show", parcel)
    assert "公示（notice） since 2024-03-01; in the register since 2024-02-01; version 3" in shown
    assert (
        "区政府认定: 区人民政府, recorded by 审批（approver）; needs paper 认定文件; not before 2024-03-08"
        in shown
    )
    assert "津北辰公告〔2024〕1号 n1.pdf" in shown


REFUSED = [
    (["file"], "stands at draft 草案, from where file is no move; allowed: draft 形成草案, notice 公示, withdraw 撤销草案"),
    (["notice", "--on", "2024-03-01"], "公示 needs a paper（公示文本）: give it with --document FILE"),
    (["withdraw", "--on", "2024-03-01"], "needs a reason: give it with --reason TEXT"),
    (["enter", "--on", "2024-01-01"], "2024-01-01 lies before the move before it, which counts from 2024-02-02"),
    (["enter", "--version", "1"], "it is at version 2 by now, and not at 1"),
    (["enter", "--version", "3"], "it is at version 2 by now, and not at 3"),
    (["step"], "step is no move of this register"),
    (["enter", "--register", "nonsense"], "There is no register 'nonsense'"),
    (["enter", "--to", "nowhere"], "there is no state 'nowhere'"),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "said"), REFUSED, ids=[" ".join(typed) for typed, _ in REFUSED])
def test_what_cannot_be_is_refused_and_nothing_is_recorded(lowland, typed, said):
    parcel = PARCELS[2]
    if "2024" not in lowland("history", parcel, code=0 if REFUSED.index((typed, said)) else 2):
        lowland("survey", parcel, "--on", "2024-02-01")
        lowland("enter", parcel, "--on", "2024-02-02")
    before = lowland("verify")
    code = 2 if "There is no" in said or "no state" in said or "no move of this" in said else 3
    assert said in lowland(typed[0], parcel, *typed[1:], code=code)
    assert lowland("verify") == before


def test_a_notice_period_is_kept(lowland, folder):
    parcel = PARCELS[3]
    lowland("survey", parcel, "--on", "2024-02-01")
    lowland("enter", parcel, "--on", "2024-02-01")
    lowland("notice", parcel, "--on", "2024-02-28", "--document", paper(folder, "n"))
    early = lowland("approve", parcel, "--on", "2024-03-05", "--document", paper(folder, "a"), code=3)
    assert "区政府认定 may be made 7 days after 公示（2024-02-28）, so from 2024-03-06 on" in early
    lowland("approve", parcel, "--on", "2024-03-06", "--document", paper(folder, "a"))
    twice = lowland("approve", parcel, "--on", "2024-03-07", "--document", paper(folder, "a"), code=3)
    assert "stands at determined 认定" in twice


def test_a_list_moves_as_a_whole_or_not_at_all(lowland, folder):
    parcels = PARCELS[4:7]
    file = folder / "list.csv"
    file.write_text("宗地代码\n" + "\n".join(parcels) + "\n", encoding="utf-8")
    lowland("survey", "--file", file, "--on", "2024-02-01", "--dry-run")
    lowland("history", parcels[0], code=2)
    lowland("survey", "--file", file, "--on", "2024-02-01")
    lowland("enter", parcels[0], "--on", "2024-02-02")
    said = lowland("notice", "--file", file, "--on", "2024-03-01", "--document", paper(folder, "n"), code=3)
    assert "it stands at survey 调查, from where notice is no move" in said
    assert stands(lowland, parcels[0])["state"] == "draft"
    lowland(
        "list", "--register", "low_efficiency", "--state", "survey", "-o", folder / "open.csv", "--overwrite"
    )
    lowland("enter", parcels[1], "--on", "2024-02-02")
    assert f"{parcels[1]}: it is at version 2 by now, and not at 1" in lowland(
        "enter", "--file", folder / "open.csv", "--on", "2024-02-02", code=3
    )
    lowland("enter", parcels[2], "--on", "2024-02-02")
    file.write_text("宗地代码\n" + "\n".join([*parcels, parcels[0]]) + "\n", encoding="utf-8")
    assert f"named more than once:\n  - {parcels[0]}" in lowland("notice", "--file", file, code=3)


def book(folder, rows, merge=None):
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    if merge:
        made.active.merge_cells(merge)
    made.save(folder / "list.xlsx")
    return folder / "list.xlsx"


ONE, TWO = PARCELS[7:9]
SPOILT = {
    "codes as numbers": ([["ZDDM"], [120113101001], [120113101002]], None, "row 2: the code is a number"),
    "digits lost": ([["ZDDM"], [1.2011310100100001e18], [TWO]], None, "ZDDM: .* its last ones are lost \\(sheet row 2\\)"),
    "merged": ([["ZDDM", "备注"], [ONE, "a"], [None, "b"]], "A2:A3", "ZDDM: the cell is merged .* \\(sheet row 3\\)"),
    "formula": ([["ZDDM"], ["=B2"], [TWO]], None, "ZDDM: the formula =B2 has no stored result.*\\(sheet row 2\\)"),
    "error": ([["ZDDM"], ["#REF!"], [TWO]], None, "ZDDM: the cell holds the error #REF! \\(sheet row 2\\)"),
    "formula of a version": ([["ZDDM", "version"], [ONE, "=1+1"], [TWO, 0]], None, "version: the formula .*\\(sheet row 2\\)"),
    "version that is none": ([["ZDDM", "version"], [ONE, 0], [TWO, 0.5]], None, "the version is no whole number in row\\(s\\) 3"),
    "version that is a day": ([["ZDDM", "version"], [ONE, dt.date(2024, 1, 1)], [TWO, 0]], None, "the version is no whole number"),
    "two columns of codes": ([["ZDDM", "宗地代码"], [ONE, TWO]], None, "more than one column says what is meant \\(ZDDM, 宗地代码\\)"),
    "no column of codes": ([["名称"], [ONE]], None, "no column says what is meant"),
    "truth": ([["ZDDM"], [True], [TWO]], None, "True: there is no such parcel"),
}  # fmt: skip


@pytest.mark.parametrize("what", SPOILT)
def test_a_list_that_a_spreadsheet_has_spoilt_is_refused_with_its_cell_and_nothing_recorded(
    lowland, folder, what
):
    rows, merge, said = SPOILT[what]
    refused = lowland("survey", "--file", book(folder, rows, merge), code=3)
    assert re.search(said, refused), refused
    for parcel in (ONE, TWO):
        lowland("history", parcel, code=2)


def test_a_list_to_which_a_spreadsheet_added_columns_blank_rows_and_a_total_is_read_rightly(lowland, folder):
    rows = [
        ["备注", " ZDDM ", "面积", "version"],
        ["=1+1", f"{ONE} ", 1, 0.0],
        [None] * 4,
        ["b", TWO, 2, "0"],
        [None, "合计", 3, None],
    ]
    said = lowland("survey", "--file", book(folder, rows), "--dry-run")
    assert ONE in said
    assert TWO in said
    assert "2 would be recorded" in said


def test_a_whole_town_moves_in_one_transaction(lowland, folder, project, module_database):
    codes = [f"120113102{number:03}GB00001" for number in range(300)]
    deliver_parcels(module_database, [*PARCELS, *codes], town="120113102")
    file = folder / "town.csv"
    file.write_text("parcel_id\n" + "\n".join(codes) + "\n", encoding="utf-8")
    lowland("survey", "--file", file, "--on", "2024-02-01")
    lowland("enter", "--town", "120113102", "--on", "2024-02-02")
    said = lowland("notice", "--town", "120113102", "--on", "2024-02-03", "--document", paper(folder, "t"))
    assert "300 recorded; the first 20 are shown" in said
    with psycopg.connect(module_database) as connection:
        row = connection.execute(
            "SELECT count(*), count(DISTINCT recorded_at) FROM registry.current_entry WHERE town_code = '120113102' AND state = 'notice'"
        ).fetchone()
        assert row == (300, 1)
    assert "has no entry from where notice leads on" in lowland("notice", "--town", "120113102", code=2)


def test_of_two_at_once_one_is_told_that_the_other_was_first(project):
    parcel = PARCELS[7]
    record_move(project, Typed("survey", on=dt.date(2024, 2, 1)), Asked((parcel,)))

    def draft(_):
        try:
            record_move(project, Typed("draft", on=dt.date(2024, 2, 2)), Asked((parcel,), version=1))
        except MoveRefusedError as refused:
            return str(refused)
        return "done"

    with ThreadPoolExecutor(4) as people:
        said = sorted(people.map(draft, range(4)))
    assert said.count("done") == 1
    assert all("somebody has recorded another move since" in words for words in said if words != "done")


def test_a_paper_is_kept_once_with_its_file_and_comes_out_again(lowland, folder, project, tmp_path):
    """One that was known by its digest only gets its file when somebody has it; until then that is said, not refused."""
    file = paper(folder, "消防意见书")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    with psycopg.connect(project.dsn) as connection:
        connection.execute(
            "INSERT INTO registry.paper (sha256, has_file, file_name, size_bytes) VALUES (%s, false, '旧.pdf', 1)",
            [digest],
        )
    assert "Of the paper 旧.pdf only the digest is known" in lowland(
        "paper", digest[:12], tmp_path / "out.pdf", code=2
    )
    for parcel in PARCELS[:2]:
        assert register(project, parcel, "paper_fire", file, says=True).sha256 == digest
    lowland("paper", digest[:12], tmp_path / "out.pdf")
    assert (tmp_path / "out.pdf").read_bytes() == file.read_bytes()
    with psycopg.connect(project.dsn) as connection:
        row = connection.execute(
            "SELECT count(*), count(content) FROM registry.paper WHERE sha256 = %s", [digest]
        )
        assert row.fetchone() == (2, 1)
        with pytest.raises(psycopg.Error, match="not the file that its digest names") as refused:
            connection.execute(
                "INSERT INTO registry.paper (sha256, has_file, file_name, size_bytes, content) VALUES ('ab', true, 'x', 1, 'x')"
            )
        assert refused.value.sqlstate == guards.NOT_ITSELF
    assert "There is no paper" in lowland("paper", "fff0", tmp_path / "none.pdf", code=2)


def by_hand(connection, entry, **changes):
    """Insert an event as somebody would in psql; what is not said is as it has to be."""
    move = changes.pop("move", "notice")
    moves = connection.execute(
        "SELECT move_id, from_state, to_state FROM registry.move WHERE register = 'low_efficiency' AND name = %s ORDER BY from_state = 'draft' DESC",
        [move],
    ).fetchone()
    row = {
        "entry_id": entry, "version": 3, "move_id": moves[0], "move": move, "from_state": moves[1], "to_state": moves[2],
        "on_date": dt.date(2024, 3, 1), "document_sha256": SHA, **changes,
    }  # fmt: skip
    connection.execute(
        f"INSERT INTO registry.event ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))})",  # noqa: S608
        list(row.values()),
    )


SHA = "0" * 63 + "1"
BY_HAND = {
    "another state before": ({"from_state": "survey"}, guards.FORBIDDEN, "is none of the procedure in force; it stands at draft"),
    "another state after": ({"to_state": "filed"}, guards.FORBIDDEN, "none of the procedure"),
    "no move": ({"move_id": None}, guards.FORBIDDEN, "none of the procedure"),
    "another name": ({"move": "file", "from_state": "draft"}, guards.FORBIDDEN, "none of the procedure"),
    "no paper": ({"document_sha256": None}, guards.NO_DOCUMENT, "needs a paper: 公示文本"),
    "an unknown paper": ({"document_sha256": "f" * 64}, guards.NO_PAPER, "no paper sha256:ffff"),
    "no reason": ({"move": "withdraw_draft", "from_state": "draft"}, guards.NO_REASON, "needs a reason"),
    "the same version": ({"version": 2}, guards.STALE, "somebody has recorded another move"),
    "a later version": ({"version": 4}, guards.STALE, "somebody has recorded another move"),
    "an earlier day": ({"on_date": dt.date(2024, 1, 1)}, guards.WRONG_DAY, "before the move before it"),
    "a day to come": ({"on_date": dt.date(2999, 1, 1)}, guards.WRONG_DAY, "in the future"),
    "somebody else": ({"recorded_by": "somebody"}, guards.NOT_ITSELF, "said by the database"),
    "another time": ({"recorded_at": dt.datetime(2020, 1, 1, tzinfo=dt.UTC)}, guards.NOT_ITSELF, "said by the database"),
}  # fmt: skip


@pytest.mark.parametrize("what", BY_HAND)
def test_the_database_refuses_it_in_one_sentence_with_a_number_of_its_own(project, what):
    parcel = PARCELS[8]
    changes, number, said = BY_HAND[what]
    with psycopg.connect(project.dsn) as connection:
        entry = connection.execute(
            "SELECT entry_id FROM registry.entry WHERE subject = %s", [parcel]
        ).fetchone()
    if entry is None:
        record_move(project, Typed("survey", on=dt.date(2024, 2, 1)), Asked((parcel,)))
        record_move(project, Typed("draft", on=dt.date(2024, 2, 2)), Asked((parcel,)))
    with psycopg.connect(project.dsn) as connection:
        (entry,) = connection.execute(
            "SELECT entry_id FROM registry.entry WHERE subject = %s", [parcel]
        ).fetchone()
        connection.execute(
            "INSERT INTO registry.paper (sha256, has_file, file_name, size_bytes) SELECT %s, false, 'x.pdf', 1"
            " WHERE NOT EXISTS (SELECT FROM registry.paper WHERE sha256 = %s)",
            [SHA, SHA],
        )
        with connection.transaction(force_rollback=True):
            by_hand(connection, entry)  # as it has to be, nothing is refused
        connection.commit()
        with pytest.raises(psycopg.Error, match=said) as refused:
            by_hand(connection, entry, **changes)
        assert refused.value.sqlstate == number
    with pytest.raises(MoveRefusedError, match=said), project.transaction() as connection:
        by_hand(connection, entry, **changes)


def test_a_parcel_is_in_a_register_once_until_it_has_ended_there(project):
    parcel = PARCELS[9]
    record_move(project, Typed("survey", on=dt.date(2024, 2, 1)), Asked((parcel,)))
    for ordinal in (1, 2):
        with (
            psycopg.connect(project.dsn) as connection,
            pytest.raises(psycopg.Error, match="in the register already and has not ended") as refused,
        ):
            connection.execute(
                "INSERT INTO registry.entry (register, subject, matter, ordinal) VALUES ('low_efficiency', %s, '', %s)",
                [parcel, ordinal],
            )
        assert refused.value.sqlstate == guards.ENTERED


def test_nobody_adds_a_move_to_the_procedure_in_force(project):
    with psycopg.connect(project.dsn) as connection:
        force = read_procedure(connection)
        with pytest.raises(psycopg.Error, match="recorded with its procedure, not later"):
            connection.execute(
                "INSERT INTO registry.move (procedure_id, register, name, title, verb, from_state, to_state, roles, needs_reason, days, ends)"
                " VALUES (%s, 'low_efficiency', 'x', 'x', 'x', 'draft', 'filed', ARRAY['town'], false, 0, false)",
                [force.procedure_id],
            )
