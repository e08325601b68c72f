"""The update of a year (年度更新): what is compared and closed, append-only and chained, and what a comparison found.

Functions and triggers stand in the SQL file of the same name.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

LOST_GOING_DOWN = {
    "updates of a year (registry.annual_update)": "SELECT count(*) FROM registry.annual_update",
}
# A comparison is made again from the land and the verdicts that it rests on.
STANDS_ELSEWHERE = {"result.change": "result.run", "result.change_balance": "result.run"}


def upgrade() -> None:
    """Create the tables; nothing was compared before."""
    op.create_table(
        "change",
        sa.Column("run_id", sa.BigInteger(), nullable=False, comment="run that made the row"),
        sa.Column(
            "change_no", sa.BigInteger(), nullable=False, comment="number of the change in its run, from 1"
        ),
        sa.Column(
            "kind",
            sa.Text(),
            nullable=False,
            comment="added, removed, split, merged, regrouped, renumbered, reshaped, boundary_drifted, attribute_changed, reclassified or disposed",
        ),
        sa.Column(
            "cause",
            sa.Text(),
            nullable=False,
            comment="what made it, as definitions/update.toml names causes",
        ),
        sa.Column(
            "basis",
            sa.Text(),
            nullable=True,
            comment="of what was reclassified: data, rule, or both where only both together made it",
        ),
        sa.Column(
            "town_code",
            sa.Text(),
            nullable=True,
            comment="town that it lies in (镇街代码), from the layer town; where none was delivered, by its code",
        ),
        sa.Column(
            "old_parcels", postgresql.ARRAY(sa.Text()), nullable=False, comment="parcels of the old state"
        ),
        sa.Column(
            "new_parcels", postgresql.ARRAY(sa.Text()), nullable=False, comment="parcels of the new state"
        ),
        sa.Column("old_m2", sa.Double(), nullable=False, comment="area in the old state (椭球面积) [m²]"),
        sa.Column(
            "added_m2",
            sa.Double(),
            nullable=False,
            comment="land of the new state that was no parcel's before [m²]",
        ),
        sa.Column(
            "removed_m2",
            sa.Double(),
            nullable=False,
            comment="land of the old state that is no parcel's now [m²]",
        ),
        sa.Column(
            "drift_m2",
            sa.Double(),
            nullable=False,
            comment="what boundaries that were measured anew make of it, and rounding [m²]",
        ),
        sa.Column("new_m2", sa.Double(), nullable=False, comment="area in the new state (椭球面积) [m²]"),
        sa.Column(
            "evidence",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="fields from what to what, land that is shared, measures and clauses that tipped the verdict, papers",
        ),
        sa.ForeignKeyConstraint(["run_id"], ["result.run.run_id"], name="fk_change_run_id"),
        sa.PrimaryKeyConstraint("run_id", "change_no", name="pk_change"),
        schema="result",
        comment="changes of parcels (变化) between the state of last year and the deliveries of this one",
    )
    op.create_table(
        "change_balance",
        sa.Column("run_id", sa.BigInteger(), nullable=False, comment="run that made the row"),
        sa.Column("line_no", sa.BigInteger(), nullable=False, comment="number of the line, from 1"),
        sa.Column("town_code", sa.Text(), nullable=True, comment="town (镇街代码); empty with the whole"),
        sa.Column("old_m2", sa.Double(), nullable=False, comment="area in the old state (椭球面积) [m²]"),
        sa.Column(
            "added_m2",
            sa.Double(),
            nullable=False,
            comment="land of the new state that was no parcel's before [m²]",
        ),
        sa.Column(
            "removed_m2",
            sa.Double(),
            nullable=False,
            comment="land of the old state that is no parcel's now [m²]",
        ),
        sa.Column(
            "drift_m2",
            sa.Double(),
            nullable=False,
            comment="what boundaries that were measured anew make of it, and rounding [m²]",
        ),
        sa.Column("new_m2", sa.Double(), nullable=False, comment="area in the new state (椭球面积) [m²]"),
        sa.Column(
            "moved_in_m2",
            sa.Double(),
            nullable=False,
            comment="land that lies in a parcel of this town by now, and lay in one of another [m²]",
        ),
        sa.Column(
            "moved_out_m2",
            sa.Double(),
            nullable=False,
            comment="land that lay in a parcel of this town, and lies in one of another by now [m²]",
        ),
        sa.Column(
            "residual_m2",
            sa.Double(),
            nullable=False,
            comment="what the parts do not explain, and what the deliveries hold beside them [m²]",
        ),
        sa.ForeignKeyConstraint(["run_id"], ["result.run.run_id"], name="fk_change_balance_run_id"),
        sa.PrimaryKeyConstraint("run_id", "line_no", name="pk_change_balance"),
        schema="result",
        comment="how the area of the old state became that of the new one, town by town, the whole last; residual_m2 is 0 where it closes",
    )
    op.create_table(
        "annual_update",
        sa.Column(
            "update_id",
            sa.BigInteger(),
            sa.Identity(always=True),
            nullable=False,
            comment="number of the row",
        ),
        sa.Column("year", sa.Integer(), nullable=False, comment="year of the update"),
        sa.Column("step", sa.Text(), nullable=False, comment="opened or closed"),
        sa.Column(
            "before",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="the state of last year: classification, deliveries (number and digest), entries that were filed, head of the chain",
        ),
        sa.Column(
            "after",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="the new state: classification and deliveries (number and digest)",
        ),
        sa.Column(
            "run_id",
            sa.BigInteger(),
            nullable=True,
            comment="comparison that it was closed with; empty where it was opened",
        ),
        sa.Column(
            "content",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="reason of opening it again; or counts, balance and package with which it was closed",
        ),
        sa.Column(
            "account",
            sa.Text(),
            nullable=True,
            comment="account at the machine that it was typed on, as the program said; not proven",
        ),
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
        sa.PrimaryKeyConstraint("update_id", name="pk_annual_update"),
        schema="registry",
        comment="updates of the registers by the year (年度更新): what is compared when one is opened, and what came of it when it is closed",
    )
    text = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().connection.driver_connection.execute(text)


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("annual_update", schema="registry")
    op.execute("DROP FUNCTION registry.link_annual_update()")
    op.drop_table("change_balance", schema="result")
    op.drop_table("change", schema="result")
