"""Functions, triggers and views of the database as alembic compares them; derived from the data dictionary where it says what a table is."""

from __future__ import annotations

from alembic_utils.pg_function import PGFunction
from alembic_utils.pg_trigger import PGTrigger
from alembic_utils.pg_view import PGView
from alembic_utils.replaceable_entity import register_entities

from lowland_gis import schema
from lowland_gis.db import guards, role_guards

_KEEP_DELIVERY = """
RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM land.feature WHERE version_id = OLD.version_id)
        OR EXISTS (SELECT FROM land.parcel WHERE version_id = OLD.version_id)
        OR EXISTS (SELECT FROM land.enterprise WHERE version_id = OLD.version_id)
        OR EXISTS (SELECT FROM land.issue WHERE version_id = OLD.version_id)
    THEN
        RAISE EXCEPTION 'delivery % still has rows: delete them first', OLD.version_id
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$
"""
# What later runs rest on goes over to the next of them: it rests on the same as those after it, or on more.
_GO_WITH_RUN = """
RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    heir bigint := (SELECT min(run_id) FROM result.overlap_run WHERE computed_by = OLD.run_id AND run_id <> OLD.run_id);
BEGIN
    UPDATE result.computed_overlap c SET run_id = heir WHERE run_id = OLD.run_id
        AND layer IN (SELECT layer FROM result.overlap_run WHERE run_id = heir AND computed_by = OLD.run_id)
        AND NOT EXISTS (SELECT FROM result.other_parcel o WHERE o.run_id = heir AND o.parcel_id = c.parcel_id AND o.since_run > OLD.run_id);
    UPDATE result.computed_cover c SET run_id = heir WHERE run_id = OLD.run_id
        AND layer IN (SELECT layer FROM result.overlap_run WHERE run_id = heir AND computed_by = OLD.run_id)
        AND NOT EXISTS (SELECT FROM result.other_parcel o WHERE o.run_id = heir AND o.parcel_id = c.parcel_id AND o.since_run > OLD.run_id);
    DELETE FROM result.computed_overlap WHERE run_id = OLD.run_id;
    DELETE FROM result.computed_cover WHERE run_id = OLD.run_id;
    DELETE FROM result.overlap_run WHERE OLD.run_id IN (run_id, computed_by);
    DELETE FROM result.other_parcel WHERE run_id = OLD.run_id;
    DELETE FROM result.parcel_evidence WHERE run_id = OLD.run_id;
    DELETE FROM result.verdict WHERE run_id = OLD.run_id;
    DELETE FROM result.member WHERE run_id = OLD.run_id;
    RETURN NULL;
END $$
"""


def register() -> None:
    """Have alembic compare the functions, triggers and views of our schemas with `entities`; what else there is in them counts as too much.

    Views of others are left alone, as their tables are (`db.migrate`).
    """
    register_entities(entities(), entity_types=[PGFunction, PGTrigger, PGView])


def entities() -> list[PGFunction | PGTrigger | PGView]:
    """Return every function, trigger and view that the newest schema has."""
    return [
        *(PGFunction(schema.REGISTRY, signature, body) for signature, body in guards.functions()),
        *(PGTrigger(schema.REGISTRY, name, body, table) for table, name, body in guards.triggers()),
        *(PGFunction(place, signature, body) for place, signature, body in role_guards.functions()),
        PGFunction("land", "keep_delivery()", _KEEP_DELIVERY),
        _trigger("land.layer_version", "keep_delivery", "AFTER DELETE OR UPDATE OF version_id", "ROW"),
        PGFunction("result", "go_with_run()", _GO_WITH_RUN),
        _trigger("result.run", "go_with_run", "AFTER DELETE", "ROW"),
        *(PGView(view.schema, view.name, view.query) for view in schema.VIEWS),
    ]


def _trigger(table: str, name: str, event: str, each: str) -> PGTrigger:
    space = table.partition(".")[0]
    return PGTrigger(
        space, name, f"{event} ON {table} FOR EACH {each} EXECUTE FUNCTION {space}.{name}()", table
    )
