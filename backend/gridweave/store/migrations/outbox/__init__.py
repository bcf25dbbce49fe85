"""Schema changes of the outbox database."""
