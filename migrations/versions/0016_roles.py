"""Roles: which there are and which towns a clerk has to do with; what guards the registry runs with the rights of its owner.

Privileges and policies are given after the last step (`db.roles`), since they name roles of the server. Functions stand in the SQL file of
the same name.
"""

import re
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

LOST_GOING_DOWN = {"towns of clerks (lowland.clerk)": "SELECT count(*) FROM lowland.clerk"}
FUNCTIONS = (
    "lowland.watch_rows(text, text)",
    "lowland.take_role(text, text, text)",
    "lowland.give_role(text, text, text)",
    "lowland.accounts()",
    "lowland.my_towns()",
    "lowland.my_roles()",
    "land_part.make_part(text, bigint)",
    "land_part.attach_part(text, bigint)",
    "registry.await_turn()",
)
# Their bodies of before call no function of roles.
BEFORE = "0014_decisions.sql"


def _execute(text):
    op.get_bind().connection.driver_connection.execute(text)


def upgrade() -> None:
    """Create the tables and functions."""
    op.create_table(
        "role",
        sa.Column("role", sa.Text(), nullable=False, comment="reader, town, analyst, approver or admin"),
        sa.Column("name", sa.Text(), nullable=False, comment="what it is called on the server"),
        sa.Column("place", sa.Integer(), nullable=False, comment="its place among them"),
        sa.PrimaryKeyConstraint("role", name="pk_role"),
        schema="lowland",
        comment="the roles of this database and their names on the server",
    )
    op.create_table(
        "clerk",
        sa.Column("person", sa.Text(), nullable=False, comment="account of the server"),
        sa.Column(
            "town_code", sa.Text(), nullable=False, comment="town (镇街代码) that the clerk has to do with"
        ),
        sa.PrimaryKeyConstraint("person", "town_code", name="pk_clerk"),
        schema="lowland",
        comment="the towns of town clerks",
    )
    _execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    """Drop policies, functions and tables; privileges go with the roles that hold them, which stay."""
    _execute("""
        DO $$ DECLARE each record; BEGIN
            FOR each IN SELECT polrelid::regclass AS target, polname FROM pg_policy WHERE polname IN ('all_rows', 'own_towns') LOOP
                EXECUTE format('DROP POLICY %I ON %s', each.polname, each.target);
                EXECUTE format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY', each.target);
            END LOOP;
            FOR each IN SELECT oid::regclass AS target FROM pg_class WHERE relkind = 'v' AND 'security_invoker=true' = ANY (reloptions)
                AND relnamespace IN ('land'::regnamespace, 'result'::regnamespace, 'registry'::regnamespace) LOOP
                EXECUTE format('ALTER VIEW %s RESET (security_invoker)', each.target);
            END LOOP;
        END $$
    """)
    before = Path(__file__).with_name(BEFORE).read_text(encoding="utf-8")
    for definition in re.findall(
        r"^CREATE OR REPLACE FUNCTION .*?^END \$\$;", before, re.MULTILINE | re.DOTALL
    ):
        _execute(definition)
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}")
    for table in ("clerk", "role"):
        op.drop_table(table, schema="lowland")
