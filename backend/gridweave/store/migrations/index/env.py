"""How alembic reaches the index database: by the connection that the caller already holds."""

from alembic import context

from gridweave.store.index_tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=False)
context.run_migrations()
