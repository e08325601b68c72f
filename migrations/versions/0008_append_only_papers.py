"""Registered papers are history like all of the registry: no row of theirs is changed or deleted."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

APPEND_ONLY = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON registry.document
FOR EACH STATEMENT EXECUTE FUNCTION registry.refuse_change()
"""


def upgrade() -> None:
    op.execute(APPEND_ONLY)


def downgrade() -> None:
    op.execute("DROP TRIGGER append_only ON registry.document")
