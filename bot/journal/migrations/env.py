"""What Alembic runs around the changes: they join the transaction that ``bot.journal.migrate`` is called in."""

from alembic import context

from bot.journal.schema import metadata

# transactional_ddl: SQLite can do it when transactions are begun by hand, as ours are; Alembic assumes that it can't.
context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
