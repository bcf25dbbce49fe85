"""The durable queue of acknowledged requests and the only sender of transactions."""
