"""Which role may do what with which table, and which rows a town clerk has to do with: data, derived from the dictionary.

`db.roles` gives a database these privileges; what it then really lets each role do is docs/roles.md, found by connecting as each.
"""

# All of the SQL here is of words and names of this program.
# ruff: noqa: S608
from __future__ import annotations

from collections.abc import Iterator

from lowland_gis import schema
from lowland_gis.db.role_names import ADMIN, ANALYST, APPROVER, READER, TOWN
from lowland_gis.schema.model import LAND, REGISTRY, Table, View

SELECT, INSERT, UPDATE, DELETE = "SELECT", "INSERT", "UPDATE", "DELETE"
# What a move writes; which move is whose is said by the procedure, and looked at by a trigger.
_OF_MOVES = (schema.ENTRY, schema.EVENT, schema.PAPER, schema.LINEAGE)
# What the towns themselves report; the analyst may do it for them.
_OF_TOWNS = (schema.PLAN_ROW, schema.PROGRESS)
_OF_PROCEDURE = (schema.PROCEDURE, schema.MOVE)
# Results of stages are of the whole district; only what became of the parcels of a town its clerk sees, who enters parcels with their parents.
_RESULTS_OF_TOWNS = (schema.CHANGE,)
# What a town clerk sees whole: it is of no town. Of papers he sees which there are, and not what is in them.
_OF_NO_TOWN = (
    schema.PROCEDURE,
    schema.MOVE,
    schema.LAYER_VERSION,
    schema.CURRENT_VERSION,
    schema.RUN,
    schema.PAPER,
)
_HIDDEN_FROM_TOWN = {schema.PAPER.full_name: {"content"}}
_OWN_TOWNS = "ARRAY(SELECT lowland.my_towns())"


def town_condition(table: Table) -> str | None:
    """Return the SQL that holds for the rows of a town clerk's towns; None where no row is of a town.

    >>> town_condition(schema.LINEAGE)
    'entry_id IN (SELECT entry_id FROM registry.entry)'
    """
    if table.schema == LAND:
        return f"town_code = ANY ({_OWN_TOWNS})" if table == schema.PARCEL else None
    if table.schema != REGISTRY and table not in _RESULTS_OF_TOWNS:
        return None
    if "town_code" in table.column_names:
        return f"town_code = ANY ({_OWN_TOWNS})"
    for column in table.columns:
        if column.references == f"{schema.ENTRY.full_name}.entry_id":
            return f"{column.name} IN (SELECT entry_id FROM registry.entry)"
    if "parcel_id" in table.column_names:
        return "parcel_id IN (SELECT parcel_id FROM land.parcel)"
    return None


def row_secured(table: Table) -> bool:
    """Return whether the database looks at each row of a table who may see it; COPY into such a table is refused by PostgreSQL."""
    return town_condition(table) is not None


def privileges(item: Table | View) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield role, privilege and columns (none: all) of a table or view; the analyst and the approver have those of the reader too."""
    yield READER, SELECT, ()
    yield from ((TOWN, SELECT, columns) for columns in _town_sees(item))
    if isinstance(item, View):
        return
    if item.schema != REGISTRY:
        yield from ((ANALYST, each, ()) for each in (INSERT, UPDATE, DELETE))
        return
    if item in _OF_PROCEDURE:
        yield from ((ADMIN, each, ()) for each in (SELECT, INSERT))
    elif item in _OF_MOVES:
        yield from ((role, INSERT, ()) for role in (TOWN, ANALYST, APPROVER))
    elif item in _OF_TOWNS:
        yield from ((role, INSERT, ()) for role in (TOWN, ANALYST))
    elif item.chained:
        # The chain itself is written by the functions of the triggers alone.
        yield ANALYST, INSERT, ()


def _town_sees(item: Table | View) -> Iterator[tuple[str, ...]]:
    if hidden := _HIDDEN_FROM_TOWN.get(item.full_name):
        yield tuple(name for name in item.column_names if name not in hidden)
    elif (
        item in _OF_NO_TOWN
        or (isinstance(item, Table) and row_secured(item))
        or (isinstance(item, View) and (item.schema == REGISTRY or item == schema.CURRENT_PARCEL))
    ):
        yield ()


def who_may(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the roles that may read, and that may write, the table of a name (without its schema); nobody where it is none of ours.

    >>> who_may("procedure")
    (('reader', 'town', 'analyst', 'approver', 'admin'), ('admin',))
    """
    found = [
        each for item in (*schema.TABLES, *schema.VIEWS) if item.name == name for each in privileges(item)
    ]
    # Who sees some columns only is not one of whom the others can be had.
    reads = {role for role, privilege, columns in found if privilege == SELECT and not columns}
    if READER in reads:
        reads |= {ANALYST, APPROVER}
    writes = {role for role, privilege, _ in found if privilege != SELECT}
    order = (READER, TOWN, ANALYST, APPROVER, ADMIN)
    return tuple(role for role in order if role in reads), tuple(role for role in order if role in writes)
