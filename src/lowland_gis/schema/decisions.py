"""Tables and views of `registry` with the decisions themselves: entries, their events, what these rest on, and the chain over all."""

from __future__ import annotations

from lowland_gis.schema.model import CHAIN, REGISTRY, Column, Table, View, identity

RECORDED = (
    Column("recorded_at", "timestamp", "when it was recorded, by the clock of the database", filled="now()"),
    Column("recorded_by", "text", "role of the database that recorded it", filled="session_user"),
)
_ENTRY = "registry.entry.entry_id"

PROCEDURE = Table(
    REGISTRY,
    "procedure",
    "procedures (办理程序): which moves there are, from a day on; append-only, the newest holds",
    ("procedure_id",),
    (
        identity("procedure_id", "number of the procedure"),
        Column("digest", "text", "SHA-256 of its content"),
        Column("content", "json", "registers with their states and moves, as states.toml gives them"),
        Column(
            "weaker", "json", "where it asks for less than the shipped one, with the document that lets it"
        ),
        *RECORDED,
    ),
)

MOVE = Table(
    REGISTRY,
    "move",
    "moves of the procedures, one row for each state that a move leaves; the database refuses what is none of the newest procedure",
    ("move_id",),
    (
        identity("move_id", "number of the row"),
        Column("procedure_id", "bigint", "procedure that it is of", references="registry.procedure.procedure_id", indexed=True),
        Column("register", "text", "register (库) that it is of"),
        Column("name", "text", "name of the move"),
        Column("title", "text", "what the move is called (中文)"),
        Column("verb", "text", "what is typed for it"),
        Column("from_state", "text", "state that it leaves; empty where it puts a subject into the register", nullable=True),
        Column("to_state", "text", "state that it reaches"),
        Column("roles", "texts", "roles that may record it"),
        Column("document", "text", "paper without which it is refused", nullable=True),
        Column("needs_reason", "boolean", "whether a reason must be given"),
        Column("days", "integer", "whole days that must lie between the move `since` and this one", unit="d"),
        Column("since", "text", "move from which the days are counted", nullable=True),
        Column("ends", "boolean", "whether no move leads on from the state that it reaches"),
        *RECORDED,
    ),
)  # fmt: skip

ENTRY = Table(
    REGISTRY,
    "entry",
    "entries of the registers (库): what is registered; its events say where it stands",
    ("entry_id",),
    (
        identity("entry_id", "number of the entry; never given again"),
        Column("register", "text", "register (库): low_efficiency, legacy, problem, unit, plan, project or disposal"),
        Column("subject", "text", "what it is of: code of a parcel, number of a unit or project, code of a town", indexed=True),
        Column("matter", "text", "what of the subject: of a problem its question and clause, of a plan the year; else no letter"),
        Column("ordinal", "integer", "how many times the subject has been in the register with this one"),
        Column("town_code", "text", "town (镇街代码) that it lay in when it was entered", nullable=True),
        *RECORDED,
    ),
    unique_at_end=(("register", "subject", "matter", "ordinal"),),
)  # fmt: skip

LINEAGE = Table(
    REGISTRY,
    "lineage",
    "lineage of entries (沿革): which entries an entry was part of before",
    ("lineage_id",),
    (
        identity("lineage_id", "number of the row"),
        Column("entry_id", "bigint", "the entry", references=_ENTRY, indexed=True),
        Column("part_of", "bigint", "an entry that it was part of before", references=_ENTRY, indexed=True),
        *RECORDED,
    ),
)

PAPER = Table(
    REGISTRY,
    "paper",
    "papers (文件) by the digest of their content, with the file itself where it is known",
    ("paper_id",),
    (
        identity("paper_id", "number of the row"),
        Column("sha256", "text", "SHA-256 of the file"),
        Column(
            "has_file", "boolean", "whether the file is kept here; a paper known by its digest only has none"
        ),
        Column("file_name", "text", "name of the file when it came"),
        Column("size_bytes", "bigint", "size of the file", unit="byte"),
        Column("content", "bytes", "the file", nullable=True),
        *RECORDED,
    ),
    unique_at_end=(("sha256", "has_file"),),
)

EVENT = Table(
    REGISTRY,
    "event",
    "events of entries: each move, who recorded it, when, on which paper; append-only, the newest version of an entry holds",
    ("event_id",),
    (
        identity("event_id", "number of the event"),
        Column("entry_id", "bigint", "entry that was moved", references=_ENTRY),
        Column("version", "integer", "number of the event among those of its entry, from 1"),
        Column("move_id", "bigint", "move under the procedure of the day; empty where it was taken over from before moves were kept",
               nullable=True, references="registry.move.move_id"),
        Column("move", "text", "name of the move"),
        Column("from_state", "text", "state before; empty with the first event", nullable=True),
        Column("to_state", "text", "state after"),
        Column("on_date", "date", "day from which it counts"),
        Column("document_sha256", "text", "SHA-256 of the paper that it rests on", nullable=True),
        Column("document_no", "text", "number of that paper (文号)", nullable=True),
        Column("reason", "text", "why, where a reason was given", nullable=True),
        Column("content", "json", "what else was stated with the move, by name", nullable=True),
        Column("run_id", "bigint", "run that it rests on", nullable=True),
        Column("drafted_row", "bigint", "row of the table of the register with its figures", nullable=True),
        Column("account", "text", "account at the machine that it was typed on, as the program said; not proven", nullable=True),
        *RECORDED,
    ),
    unique_at_end=(("entry_id", "version"),),
)  # fmt: skip

LINK = Table(
    REGISTRY,
    CHAIN,
    "the chain over every row of the registry, in the order in which they were recorded: each head is the digest of the head before and a row",
    ("link_no",),
    (
        Column("link_no", "bigint", "place in the chain, from 1 without a gap"),
        Column("table_name", "text", "table of the row"),
        Column("row_no", "bigint", "key of the row"),
        Column("row_sha256", "bytes", "SHA-256 of the row"),
        Column("head", "bytes", "SHA-256 of the head before, the table, the key and the digest of the row"),
    ),
)

_BY_NAME = {column.name: column for column in (*ENTRY.columns, *EVENT.columns)}
_FIRST_ON = Column("first_on", "date", "day of its first event")
_STATE = Column("state", "text", "state that it is in")
_SINCE = Column("since", "date", "day on which it came into that state")

CURRENT_ENTRY = View(
    REGISTRY,
    "current_entry",
    "where each entry of the registers stands",
    (
        *(_BY_NAME[name] for name in ("entry_id", "register", "subject", "matter", "ordinal", "town_code", "version")),
        _STATE,
        _SINCE,
        _FIRST_ON,
        *(_BY_NAME[name] for name in (
            "move", "on_date", "document_sha256", "document_no", "reason", "run_id", "drafted_row", "account", "recorded_at",
            "recorded_by",
        )),
    ),
    """
    SELECT entry.entry_id, entry.register, entry.subject, entry.matter, entry.ordinal, entry.town_code, newest.version,
        newest.to_state AS state, came.on_date AS since, first.on_date AS first_on, newest.move, newest.on_date, newest.document_sha256,
        newest.document_no, newest.reason, newest.run_id, newest.drafted_row, newest.account, newest.recorded_at, newest.recorded_by
    FROM registry.entry
    JOIN LATERAL (
        SELECT * FROM registry.event WHERE event.entry_id = entry.entry_id ORDER BY event.version DESC LIMIT 1
    ) AS newest ON true
    JOIN LATERAL (
        SELECT event.on_date FROM registry.event
        WHERE event.entry_id = entry.entry_id AND event.from_state IS DISTINCT FROM event.to_state ORDER BY event.version DESC LIMIT 1
    ) AS came ON true
    JOIN registry.event AS first ON first.entry_id = entry.entry_id AND first.version = 1
""",
)  # fmt: skip

STATE_DAY = View(
    REGISTRY,
    "state_day",
    "the days on which each entry came into each of its states",
    (
        _BY_NAME["entry_id"],
        Column("state", "text", "a state that it was in"),
        Column("first_on", "date", "day on which it first came into it"),
        Column("last_on", "date", "day on which it last came into it"),
        Column("times", "bigint", "how many times it came into it"),
    ),
    """
    SELECT entry_id, to_state AS state, min(on_date) AS first_on, max(on_date) AS last_on, count(*) AS times
    FROM registry.event WHERE from_state IS DISTINCT FROM to_state GROUP BY entry_id, to_state
""",
)
