"""Run migrations on the connection that `lowland_gis.db.migrate` hands over."""

from alembic import context
from sqlalchemy import text

from lowland_gis.db.migrate import comparison_options
from lowland_gis.db.revision import VERSION_SCHEMA, VERSION_TABLE

connection = context.config.attributes["connection"]
srid = context.config.attributes["srid"]

# A long lock would stop every analyst's QGIS; better to fail and be tried again.
connection.execute(text("SET lock_timeout = '30s'"))
if not context.config.attributes.get("in_one"):
    connection.commit()

context.configure(
    connection=connection,
    version_table=VERSION_TABLE,
    version_table_schema=VERSION_SCHEMA,
    transaction_per_migration=True,
    **comparison_options(srid),
)
with context.begin_transaction():
    context.run_migrations()
