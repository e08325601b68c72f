"""A draft also keeps the blocks that it lay in, so that the next one need not cut them again: what the columns hold, in words."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

# Nothing is lost going down: rows with blocks stay, and are not looked at.
_COMMENTS = (
    (
        "digest",
        "digest of all that the search of a component, or the outline of a unit, rests on",
        "digest of all that the search of a component, the outline of a unit, or the blocks of the ground rest on",
    ),
    (
        "found",
        "units (places among the parcels of the component) and bound_m2, or the unit_id that has the outline",
        "units (places in the component) and bound_m2; the unit_id that has the outline; or blocks and the barriers missing, or the run that cut them",
    ),
)


def upgrade() -> None:
    """Say what the columns hold now."""
    for column, before, after in _COMMENTS:
        op.alter_column("searched", column, schema="result", existing_comment=before, comment=after)


def downgrade() -> None:
    """Say what they held before."""
    for column, before, after in _COMMENTS:
        op.alter_column("searched", column, schema="result", existing_comment=after, comment=before)
