"""Schema changes of the two databases, oldest first."""
