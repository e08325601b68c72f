"""What the database refuses of the registry, and how it links every row into the chain: functions and triggers, as texts.

A refusal is one sentence and has a number of its own (SQLSTATE of class LR), by which `db.connect` knows it.
"""

# All of the SQL here is of words and names of this program.
# ruff: noqa: S608
from __future__ import annotations

from collections.abc import Iterator

from lowland_gis import schema
from lowland_gis.db.chain import chained_tables, head_of, row_digest, row_key
from lowland_gis.db.connect import OWN_REFUSALS
from lowland_gis.schema.model import CHAIN, Table

# The class of our own numbers; below it what is refused.
CLASS = OWN_REFUSALS
(
    FORBIDDEN,
    NO_DOCUMENT,
    NO_REASON,
    TOO_EARLY,
    STALE,
    WRONG_DAY,
    APPEND_ONLY,
    NOT_ITSELF,
    ENTERED,
    NO_PAPER,
    NO_ROLE,
) = (f"{CLASS}{number:03}" for number in range(1, 12))

REFUSE_CHANGE = f"""
RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: add a new row instead', TG_TABLE_NAME USING ERRCODE = '{APPEND_ONLY}';
END $$
"""

# One at a time records in the registry, so that the chain has no fork and who comes second sees what the first one did.
TAKE_TURN = f"""
RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    LOCK TABLE registry.{CHAIN} IN SHARE ROW EXCLUSIVE MODE;
    RETURN NULL;
END $$
"""

# The same, for who looks before he writes and has no right to lock a table that he may not change.
AWAIT_TURN = f"""
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    LOCK TABLE registry.{CHAIN} IN SHARE ROW EXCLUSIVE MODE;
END $$
"""

APPEND_LINKS = f"""
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    place bigint := 0;
    top bytea := '';
    heads bytea[];
    fresh record;
BEGIN
    SELECT link_no, head INTO place, top FROM registry.{CHAIN} ORDER BY link_no DESC LIMIT 1;
    FOR fresh IN SELECT * FROM unnest(numbers, digests) AS row_of (row_no, digest) LOOP
        top := {head_of("coalesce(top, '')", "name", "fresh.row_no", "fresh.digest")};
        heads := heads || top;
    END LOOP;
    INSERT INTO registry.{CHAIN} (link_no, table_name, row_no, row_sha256, head)
    SELECT coalesce(place, 0) + nth, name, row_no, digest, new_head
    FROM unnest(numbers, digests, heads) WITH ORDINALITY AS row_of (row_no, digest, new_head, nth);
END $$
"""

# Which of two different faults of an event is told does not matter, as long as it is always the same one.
CHECK_EVENT = f"""
RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wrong record;
    mine text[] := lowland.my_roles();
    towns text[] := ARRAY(SELECT lowland.my_towns());
BEGIN
    SELECT * INTO wrong FROM (
        SELECT fresh.*, rule.roles, entry.town_code, rule.document, rule.days, rule.since, before.on_date AS day_before, before.to_state AS stands,
            concat_ws(' ', entry.register, entry.subject, nullif(entry.matter, '')) AS label,
            earliest.free_on,
            CASE
                WHEN fresh.version <> coalesce(before.version, 0) + 1 OR fresh.version < 1 OR EXISTS (
                    SELECT FROM registry.event AS other
                    WHERE other.entry_id = fresh.entry_id AND other.version = fresh.version AND other.event_id <> fresh.event_id
                ) THEN '{STALE}'
                WHEN rule.move_id IS NULL OR rule.procedure_id <> (SELECT max(procedure_id) FROM registry.procedure)
                    OR (rule.register, rule.name, rule.to_state) <> (entry.register, fresh.move, fresh.to_state)
                    OR rule.from_state IS DISTINCT FROM fresh.from_state OR before.to_state IS DISTINCT FROM fresh.from_state
                    THEN '{FORBIDDEN}'
                WHEN NOT (rule.roles && array_remove(mine, 'town') OR '{{town}}' <@ rule.roles AND '{{town}}' <@ mine
                    AND (entry.town_code = ANY (towns)) IS TRUE) THEN '{NO_ROLE}'
                WHEN rule.document IS NOT NULL AND fresh.document_sha256 IS NULL THEN '{NO_DOCUMENT}'
                WHEN fresh.document_sha256 IS NOT NULL
                    AND NOT EXISTS (SELECT FROM registry.paper WHERE paper.sha256 = fresh.document_sha256) THEN '{NO_PAPER}'
                WHEN rule.needs_reason AND trim(coalesce(fresh.reason, '')) = '' THEN '{NO_REASON}'
                WHEN fresh.on_date < before.on_date OR fresh.on_date > current_date + 1 THEN '{WRONG_DAY}'
                WHEN fresh.on_date < earliest.free_on THEN '{TOO_EARLY}'
            END AS fault
        FROM fresh
        JOIN registry.entry ON entry.entry_id = fresh.entry_id
        LEFT JOIN registry.move AS rule ON rule.move_id = fresh.move_id
        LEFT JOIN registry.event AS before ON before.entry_id = fresh.entry_id AND before.version = fresh.version - 1
        LEFT JOIN LATERAL (
            SELECT coalesce(max(kept.on_date) + rule.days, 'infinity') AS free_on FROM registry.event AS kept
            WHERE kept.entry_id = fresh.entry_id AND kept.move = rule.since
        ) AS earliest ON rule.days > 0
    ) AS looked_at
    WHERE fault IS NOT NULL ORDER BY event_id LIMIT 1;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION USING ERRCODE = wrong.fault, MESSAGE = CASE wrong.fault
        WHEN '{STALE}' THEN format('%s: somebody has recorded another move of it since (this one would be number %s); look again with lowland registry show', wrong.label, wrong.version)
        WHEN '{FORBIDDEN}' THEN format('%s: the move %s from %s to %s is none of the procedure in force; it stands at %s', wrong.label, wrong.move, coalesce(wrong.from_state, 'nothing'), wrong.to_state, coalesce(wrong.stands, 'nothing'))
        WHEN '{NO_ROLE}' THEN format('%s: the move %s is recorded by %s; %s is %s', wrong.label, wrong.move,
            array_to_string(array_replace(wrong.roles, 'town', 'town (of ' || coalesce(wrong.town_code, 'no town known') || ')'), ' or '), session_user,
            coalesce(nullif(array_to_string(array_remove(mine, 'reader') || towns, ', '), ''), 'none of them'))
        WHEN '{NO_DOCUMENT}' THEN format('%s: the move %s needs a paper: %s', wrong.label, wrong.move, wrong.document)
        WHEN '{NO_PAPER}' THEN format('%s: there is no paper sha256:%s in the registry', wrong.label, wrong.document_sha256)
        WHEN '{NO_REASON}' THEN format('%s: the move %s needs a reason', wrong.label, wrong.move)
        WHEN '{WRONG_DAY}' THEN format('%s: %s lies in the future, or before the move before it (%s)', wrong.label, wrong.on_date, wrong.day_before)
        WHEN '{TOO_EARLY}' THEN format('%s: the move %s may be made %s days after %s, so not before %s', wrong.label, wrong.move, wrong.days, wrong.since, wrong.free_on)
    END;
END $$
"""

CHECK_ENTRY = f"""
RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wrong record;
BEGIN
    SELECT fresh.* INTO wrong FROM fresh
    LEFT JOIN registry.current_entry AS last ON last.register = fresh.register AND last.subject = fresh.subject
        AND last.matter = fresh.matter AND last.ordinal = fresh.ordinal - 1
    WHERE fresh.ordinal < 1
        OR EXISTS (
            SELECT FROM registry.entry AS other WHERE other.register = fresh.register AND other.subject = fresh.subject
                AND other.matter = fresh.matter AND other.ordinal = fresh.ordinal AND other.entry_id <> fresh.entry_id
        )
        OR (fresh.ordinal > 1 AND (last.state IS NULL OR EXISTS (
            SELECT FROM registry.move WHERE move.register = last.register AND move.from_state = last.state
                AND move.procedure_id = (SELECT max(procedure_id) FROM registry.procedure)
        )))
    ORDER BY fresh.entry_id LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '%: it is in the register already and has not ended there', concat_ws(' ', wrong.register, wrong.subject, nullif(wrong.matter, ''))
            USING ERRCODE = '{ENTERED}';
    END IF;
    RETURN NULL;
END $$
"""

CHECK_PAPER = f"""
RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM fresh WHERE has_file <> (content IS NOT NULL) OR encode(sha256(content), 'hex') <> sha256) THEN
        RAISE EXCEPTION 'a paper is not the file that its digest names' USING ERRCODE = '{NOT_ITSELF}';
    END IF;
    RETURN NULL;
END $$
"""

# Whoever could add a move to a procedure in force would weaken it unseen.
CHECK_MOVE = f"""
RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM fresh JOIN registry.procedure USING (procedure_id) WHERE procedure.recorded_at <> now()) THEN
        RAISE EXCEPTION 'a move is recorded with its procedure, not later' USING ERRCODE = '{NOT_ITSELF}';
    END IF;
    RETURN NULL;
END $$
"""

# A parcel that kept the number of its older entry may have taken in a later one, so the numbers say nothing; only a circle cannot be.
CHECK_LINEAGE = f"""
RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (
        WITH RECURSIVE walked AS (
            SELECT entry_id AS start, part_of AS reached FROM fresh
            UNION SELECT walked.start, lineage.part_of FROM walked JOIN registry.lineage ON lineage.entry_id = walked.reached
        )
        SELECT FROM walked WHERE start = reached
    ) THEN
        RAISE EXCEPTION 'an entry came from itself, by way of others: lineage goes in no circle' USING ERRCODE = '{NOT_ITSELF}';
    END IF;
    RETURN NULL;
END $$
"""

_CHECKS = {
    schema.EVENT: CHECK_EVENT,
    schema.ENTRY: CHECK_ENTRY,
    schema.PAPER: CHECK_PAPER,
    schema.MOVE: CHECK_MOVE,
    schema.LINEAGE: CHECK_LINEAGE,
}


def functions() -> Iterator[tuple[str, str]]:
    """Yield signature and definition of every function that guards the registry, what others call first."""
    yield "refuse_change()", REFUSE_CHANGE
    yield "take_turn()", TAKE_TURN
    yield "await_turn()", AWAIT_TURN
    yield "append_links(name text, numbers bigint[], digests bytea[])", APPEND_LINKS
    for table, body in _CHECKS.items():
        yield f"check_{table.name}()", body
    for table in chained_tables():
        yield f"link_{table.name}()", _link(table)


def triggers() -> Iterator[tuple[str, str, str]]:
    """Yield table, name and definition of every trigger that guards the registry; those after a statement fire by their names."""
    for table in schema.TABLES:
        if table.append_only:
            yield (
                table.full_name,
                "append_only",
                _statement("BEFORE UPDATE OR DELETE OR TRUNCATE", table, "refuse_change"),
            )
    for table in chained_tables():
        yield table.full_name, "take_turn", _statement("BEFORE INSERT", table, "take_turn")
        if table in _CHECKS:
            yield table.full_name, "check_rows", _fresh(table, f"check_{table.name}")
        yield table.full_name, "link_rows", _fresh(table, f"link_{table.name}")


def _statement(event: str, table: Table, function: str) -> str:
    return f"{event} ON {table.full_name} FOR EACH STATEMENT EXECUTE FUNCTION registry.{function}()"


def _fresh(table: Table, function: str) -> str:
    return (
        f"AFTER INSERT ON {table.full_name} REFERENCING NEW TABLE AS fresh"
        f" FOR EACH STATEMENT EXECUTE FUNCTION registry.{function}()"
    )


def _link(table: Table) -> str:
    """Return the function that links fresh rows; where the database says who and when, nobody else may say it."""
    key = row_key(table)
    said = f"""
    IF EXISTS (SELECT FROM fresh WHERE recorded_by <> session_user OR recorded_at <> now()) THEN
        RAISE EXCEPTION '{table.name}: who records, and when, is said by the database' USING ERRCODE = '{NOT_ITSELF}';
    END IF;"""
    by_database = any(column.filled for column in table.columns)
    return f"""
RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN{said if by_database else ""}
    PERFORM registry.append_links('{table.name}', array_agg({key} ORDER BY {key}), array_agg({row_digest(table)} ORDER BY {key}))
    FROM fresh HAVING count(*) > 0;
    RETURN NULL;
END $$
"""
