"""Schema changes of the index database."""
