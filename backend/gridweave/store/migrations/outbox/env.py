"""How alembic reaches the outbox database: by the connection that the caller already holds."""

from alembic import context

from gridweave.store.vtn_tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=False)
context.run_migrations()
