"""What the town of a parcel rests on, and that a delivery keeps which fields it does not have: in the words of the columns."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_BY_CODE = "town code, 9 digits (镇街代码)"
_BY_PLACE = "town that it lies in (镇街代码), from the layer town; where none was delivered, by its code"
_SAID = "what the user said of the file, with digests of mapping and datum"
# Table, column, before, after.
_WORDS = (
    ("land.parcel", "town_code", _BY_CODE, "the first 9 digits of its code: a stand-in where no town was delivered, or none holds it"),
    ("land.layer_version", "options", _SAID, f"{_SAID}; `absent`: fields that it does not have"),
    *(
        (table, "town_code", _BY_CODE, _BY_PLACE)
        for table in ("result.unit", "registry.low_efficiency", "registry.legacy", "registry.problem", "registry.unit")
    ),
)  # fmt: skip


def upgrade() -> None:
    for table, column, before, after in _WORDS:
        schema, name = table.split(".")
        op.alter_column(name, column, comment=after, existing_comment=before, schema=schema)


def downgrade() -> None:
    for table, column, before, after in _WORDS:
        schema, name = table.split(".")
        op.alter_column(name, column, comment=before, existing_comment=after, schema=schema)
