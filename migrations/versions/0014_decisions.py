"""What people decide: entries of the registers and their events, papers with their files, the procedure, and a chain over every row.

Rows that are there already become the first events of their entries, with their own days and authors; papers that are known by their digest
only are marked so. Functions, triggers and views stand in the SQL file of the same name.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# A procedure without events under it stands in the definitions, so nothing is lost with it.
LOST_GOING_DOWN = {
    "events of entries (registry.event)": "SELECT count(*) FROM registry.event WHERE move_id IS NOT NULL",
    "papers with their file (registry.paper)": "SELECT count(*) FROM registry.paper WHERE has_file",
}

# What was registered before: register, table, subject, matter, state of a row → state of its entry (the first stands for any other).
BEFORE = (
    (
        "low_efficiency",
        "low_efficiency",
        "parcel_id",
        "''::text",
        {"draft": "draft", "withdrawn": "withdrawn"},
        "NULL",
    ),
    ("legacy", "legacy", "parcel_id", "''::text", {"draft": "draft", "withdrawn": "withdrawn"}, "NULL"),
    (
        "problem",
        "problem",
        "parcel_id",
        "question || ': ' || clause",
        {"draft": "open", "withdrawn": "dropped"},
        "NULL",
    ),
    ("unit", "unit", "number", "''::text", {"frozen": "frozen", "withdrawn": "withdrawn"}, "reason"),
)
# The words are of this file.
# ruff: noqa: S608
OLDER = ("low_efficiency", "legacy", "problem", "unit", "document")
FUNCTIONS = (
    "take_turn()",
    "append_links(text, bigint[], bytea[])",
    "check_event()",
    "check_entry()",
    "check_paper()",
    "check_move()",
    "check_lineage()",
    "link_procedure()",
    "link_move()",
    "link_paper()",
    "link_entry()",
    "link_lineage()",
    "link_event()",
)
MEANINGS = {
    "low_efficiency": "low-efficiency land database (低效用地数据库); append-only, the newest row of a parcel holds",
    "legacy": "historical-legacy problem database (历史遗留问题数据库); append-only, the newest row of a parcel holds",
    "problem": None,
}
STATE_BEFORE = "state of the entry, for example draft (草案)"


def _recorded():
    return (
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="when it was recorded, by the clock of the database",
        ),
        sa.Column(
            "recorded_by",
            sa.Text(),
            server_default=sa.text("session_user"),
            nullable=False,
            comment="role of the database that recorded it",
        ),
    )


def _take_over(register, table, subject, matter, states, reason):
    """Make an entry of each subject and an event of each row; a state of which nothing is known is kept beside the first one."""
    known = " ".join(f"WHEN '{before}' THEN '{after}'" for before, after in states.items())
    first, olds = next(iter(states.values())), ", ".join(f"'{before}'" for before in states)
    op.execute(f"""
        INSERT INTO registry.entry (register, subject, matter, ordinal, town_code, recorded_at, recorded_by)
        SELECT '{register}', subject, matter, 1, town_code, recorded_at, recorded_by FROM (
            SELECT DISTINCT ON ({subject}, {matter}) {subject} AS subject, {matter} AS matter, town_code, recorded_at, recorded_by, entry_id
            FROM registry.{table} ORDER BY {subject}, {matter}, entry_id
        ) AS oldest ORDER BY entry_id
    """)
    op.execute(f"""
        INSERT INTO registry.event (entry_id, version, move, from_state, to_state, on_date, reason, content, run_id, drafted_row,
            recorded_at, recorded_by)
        SELECT entry_id, row_number() OVER by_entry, 'taken_over', lag(reached) OVER by_entry, reached,
            (recorded_at AT TIME ZONE 'Asia/Shanghai')::date, reason, content, run_id, row_no, recorded_at, recorded_by
        FROM (
            SELECT entry.entry_id, CASE state {known} ELSE '{first}' END AS reached, {reason} AS reason, run_id, before.entry_id AS row_no,
                CASE WHEN state NOT IN ({olds}) THEN jsonb_build_object('state_before', state) END AS content,
                before.recorded_at, before.recorded_by
            FROM registry.{table} AS before JOIN registry.entry ON entry.register = '{register}' AND entry.subject = {subject}
                AND entry.matter = {matter}
        ) AS row_of WINDOW by_entry AS (PARTITION BY entry_id ORDER BY row_no) ORDER BY row_no
    """)


def _take_over_papers():
    op.execute("""
        INSERT INTO registry.paper (sha256, has_file, file_name, size_bytes, recorded_at, recorded_by)
        SELECT sha256, false, file_name, size_bytes, recorded_at, recorded_by FROM (
            SELECT DISTINCT ON (sha256) * FROM registry.document ORDER BY sha256, entry_id
        ) AS oldest ORDER BY entry_id
    """)


def _guard():
    text = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().connection.driver_connection.execute(text)


def upgrade() -> None:
    op.create_table(
        "entry",
        sa.Column(
            "entry_id",
            sa.BigInteger(),
            sa.Identity(always=True),
            nullable=False,
            comment="number of the entry; never given again",
        ),
        sa.Column(
            "register",
            sa.Text(),
            nullable=False,
            comment="register (库): low_efficiency, legacy, problem, unit, plan, project or disposal",
        ),
        sa.Column(
            "subject",
            sa.Text(),
            nullable=False,
            comment="what it is of: code of a parcel, number of a unit or project, code of a town",
        ),
        sa.Column(
            "matter",
            sa.Text(),
            nullable=False,
            comment="what of the subject: of a problem its question and clause, of a plan the year; else no letter",
        ),
        sa.Column(
            "ordinal",
            sa.Integer(),
            nullable=False,
            comment="how many times the subject has been in the register with this one",
        ),
        sa.Column(
            "town_code",
            sa.Text(),
            nullable=True,
            comment="town (镇街代码) that it lay in when it was entered",
        ),
        *_recorded(),
        sa.PrimaryKeyConstraint("entry_id", name="pk_entry"),
        sa.UniqueConstraint(
            "register",
            "subject",
            "matter",
            "ordinal",
            deferrable=True,
            initially="DEFERRED",
            name="uq_entry_register",
        ),
        schema="registry",
        comment="entries of the registers (库): what is registered; its events say where it stands",
    )
    op.create_index("ix_entry_subject", "entry", ["subject"], unique=False, schema="registry")
    op.create_table(
        "link",
        sa.Column(
            "link_no", sa.BigInteger(), nullable=False, comment="place in the chain, from 1 without a gap"
        ),
        sa.Column("table_name", sa.Text(), nullable=False, comment="table of the row"),
        sa.Column("row_no", sa.BigInteger(), nullable=False, comment="key of the row"),
        sa.Column("row_sha256", postgresql.BYTEA(), nullable=False, comment="SHA-256 of the row"),
        sa.Column(
            "head",
            postgresql.BYTEA(),
            nullable=False,
            comment="SHA-256 of the head before, the table, the key and the digest of the row",
        ),
        sa.PrimaryKeyConstraint("link_no", name="pk_link"),
        schema="registry",
        comment="the chain over every row of the registry, in the order in which they were recorded: each head is the digest of the head before and a row",
    )
    op.create_table(
        "paper",
        sa.Column(
            "paper_id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="number of the row"
        ),
        sa.Column("sha256", sa.Text(), nullable=False, comment="SHA-256 of the file"),
        sa.Column(
            "has_file",
            sa.Boolean(),
            nullable=False,
            comment="whether the file is kept here; a paper known by its digest only has none",
        ),
        sa.Column("file_name", sa.Text(), nullable=False, comment="name of the file when it came"),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False, comment="size of the file [byte]"),
        sa.Column("content", postgresql.BYTEA(), nullable=True, comment="the file"),
        *_recorded(),
        sa.PrimaryKeyConstraint("paper_id", name="pk_paper"),
        sa.UniqueConstraint(
            "sha256", "has_file", deferrable=True, initially="DEFERRED", name="uq_paper_sha256"
        ),
        schema="registry",
        comment="papers (文件) by the digest of their content, with the file itself where it is known",
    )
    op.create_table(
        "procedure",
        sa.Column(
            "procedure_id",
            sa.BigInteger(),
            sa.Identity(always=True),
            nullable=False,
            comment="number of the procedure",
        ),
        sa.Column("digest", sa.Text(), nullable=False, comment="SHA-256 of its content"),
        sa.Column(
            "content",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="registers with their states and moves, as states.toml gives them",
        ),
        sa.Column(
            "weaker",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="where it asks for less than the shipped one, with the document that lets it",
        ),
        *_recorded(),
        sa.PrimaryKeyConstraint("procedure_id", name="pk_procedure"),
        schema="registry",
        comment="procedures (办理程序): which moves there are, from a day on; append-only, the newest holds",
    )
    op.create_table(
        "lineage",
        sa.Column(
            "lineage_id",
            sa.BigInteger(),
            sa.Identity(always=True),
            nullable=False,
            comment="number of the row",
        ),
        sa.Column("entry_id", sa.BigInteger(), nullable=False, comment="the entry"),
        sa.Column("part_of", sa.BigInteger(), nullable=False, comment="an earlier entry that it was part of"),
        *_recorded(),
        sa.ForeignKeyConstraint(["entry_id"], ["registry.entry.entry_id"], name="fk_lineage_entry_id"),
        sa.ForeignKeyConstraint(["part_of"], ["registry.entry.entry_id"], name="fk_lineage_part_of"),
        sa.PrimaryKeyConstraint("lineage_id", name="pk_lineage"),
        schema="registry",
        comment="lineage of entries (沿革): which entries an entry was part of before",
    )
    op.create_index("ix_lineage_entry_id", "lineage", ["entry_id"], unique=False, schema="registry")
    op.create_index("ix_lineage_part_of", "lineage", ["part_of"], unique=False, schema="registry")
    op.create_table(
        "move",
        sa.Column(
            "move_id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="number of the row"
        ),
        sa.Column("procedure_id", sa.BigInteger(), nullable=False, comment="procedure that it is of"),
        sa.Column("register", sa.Text(), nullable=False, comment="register (库) that it is of"),
        sa.Column("name", sa.Text(), nullable=False, comment="name of the move"),
        sa.Column("title", sa.Text(), nullable=False, comment="what the move is called (中文)"),
        sa.Column("verb", sa.Text(), nullable=False, comment="what is typed for it"),
        sa.Column(
            "from_state",
            sa.Text(),
            nullable=True,
            comment="state that it leaves; empty where it puts a subject into the register",
        ),
        sa.Column("to_state", sa.Text(), nullable=False, comment="state that it reaches"),
        sa.Column("roles", postgresql.ARRAY(sa.Text()), nullable=False, comment="roles that may record it"),
        sa.Column("document", sa.Text(), nullable=True, comment="paper without which it is refused"),
        sa.Column("needs_reason", sa.Boolean(), nullable=False, comment="whether a reason must be given"),
        sa.Column(
            "days",
            sa.Integer(),
            nullable=False,
            comment="whole days that must lie between the move `since` and this one [d]",
        ),
        sa.Column("since", sa.Text(), nullable=True, comment="move from which the days are counted"),
        sa.Column(
            "ends",
            sa.Boolean(),
            nullable=False,
            comment="whether no move leads on from the state that it reaches",
        ),
        *_recorded(),
        sa.ForeignKeyConstraint(
            ["procedure_id"], ["registry.procedure.procedure_id"], name="fk_move_procedure_id"
        ),
        sa.PrimaryKeyConstraint("move_id", name="pk_move"),
        schema="registry",
        comment="moves of the procedures, one row for each state that a move leaves; the database refuses what is none of the newest procedure",
    )
    op.create_index("ix_move_procedure_id", "move", ["procedure_id"], unique=False, schema="registry")
    op.create_table(
        "event",
        sa.Column(
            "event_id",
            sa.BigInteger(),
            sa.Identity(always=True),
            nullable=False,
            comment="number of the event",
        ),
        sa.Column("entry_id", sa.BigInteger(), nullable=False, comment="entry that was moved"),
        sa.Column(
            "version",
            sa.Integer(),
            nullable=False,
            comment="number of the event among those of its entry, from 1",
        ),
        sa.Column(
            "move_id",
            sa.BigInteger(),
            nullable=True,
            comment="move under the procedure of the day; empty where it was taken over from before moves were kept",
        ),
        sa.Column("move", sa.Text(), nullable=False, comment="name of the move"),
        sa.Column("from_state", sa.Text(), nullable=True, comment="state before; empty with the first event"),
        sa.Column("to_state", sa.Text(), nullable=False, comment="state after"),
        sa.Column("on_date", sa.Date(), nullable=False, comment="day from which it counts"),
        sa.Column(
            "document_sha256", sa.Text(), nullable=True, comment="SHA-256 of the paper that it rests on"
        ),
        sa.Column("document_no", sa.Text(), nullable=True, comment="number of that paper (文号)"),
        sa.Column("reason", sa.Text(), nullable=True, comment="why, where a reason was given"),
        sa.Column(
            "content",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="what else was stated with the move, by name",
        ),
        sa.Column("run_id", sa.BigInteger(), nullable=True, comment="run that it rests on"),
        sa.Column(
            "drafted_row",
            sa.BigInteger(),
            nullable=True,
            comment="row of the table of the register with its figures",
        ),
        sa.Column(
            "account",
            sa.Text(),
            nullable=True,
            comment="account at the machine that it was typed on, as the program said; not proven",
        ),
        *_recorded(),
        sa.ForeignKeyConstraint(["entry_id"], ["registry.entry.entry_id"], name="fk_event_entry_id"),
        sa.ForeignKeyConstraint(["move_id"], ["registry.move.move_id"], name="fk_event_move_id"),
        sa.PrimaryKeyConstraint("event_id", name="pk_event"),
        sa.UniqueConstraint(
            "entry_id", "version", deferrable=True, initially="DEFERRED", name="uq_event_entry_id"
        ),
        schema="registry",
        comment="events of entries: each move, who recorded it, when, on which paper; append-only, the newest version of an entry holds",
    )
    op.alter_column(
        "legacy",
        "state",
        existing_type=sa.TEXT(),
        comment="what the program drafted: draft (草案), or withdrawn; where an entry stands is in registry.current_entry",
        existing_comment="state of the entry, for example draft (草案)",
        existing_nullable=False,
        schema="registry",
    )
    op.create_table_comment(
        "legacy",
        "figures of the historical-legacy problem database (历史遗留问题数据库); append-only, the newest row of a parcel holds",
        existing_comment="historical-legacy problem database (历史遗留问题数据库); append-only, the newest row of a parcel holds",
        schema="registry",
    )
    op.alter_column(
        "low_efficiency",
        "state",
        existing_type=sa.TEXT(),
        comment="what the program drafted: draft (草案), or withdrawn; where an entry stands is in registry.current_entry",
        existing_comment="state of the entry, for example draft (草案)",
        existing_nullable=False,
        schema="registry",
    )
    op.create_table_comment(
        "low_efficiency",
        "figures of the low-efficiency land database (低效用地数据库); append-only, the newest row of a parcel holds",
        existing_comment="low-efficiency land database (低效用地数据库); append-only, the newest row of a parcel holds",
        schema="registry",
    )
    op.alter_column(
        "problem",
        "state",
        existing_type=sa.TEXT(),
        comment="what the program drafted: draft (草案), or withdrawn; where an entry stands is in registry.current_entry",
        existing_comment="state of the entry, for example draft (草案)",
        existing_nullable=False,
        schema="registry",
    )
    for register in BEFORE:
        _take_over(*register)
    _take_over_papers()
    _guard()


def downgrade() -> None:
    for view in ("state_day", "current_entry"):
        op.execute(f"DROP VIEW registry.{view}")
    for table in ("event", "lineage", "entry", "paper", "move", "procedure", "link"):
        op.drop_table(table, schema="registry")
    for table in OLDER:
        op.execute(f"DROP TRIGGER take_turn ON registry.{table}")
        op.execute(f"DROP TRIGGER link_rows ON registry.{table}")
        op.execute(f"DROP FUNCTION registry.link_{table}()")
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION registry.{function}")
    op.execute(
        "CREATE OR REPLACE FUNCTION registry.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION '% is append-only: add a new row instead', TG_TABLE_NAME; END $$"
    )
    for table, meaning in MEANINGS.items():
        if meaning:
            op.create_table_comment(table, meaning, schema="registry")
        op.alter_column(table, "state", comment=STATE_BEFORE, schema="registry")
