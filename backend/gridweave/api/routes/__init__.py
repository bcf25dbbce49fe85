"""Routes, one module a noun: they read the request, ask a service, and show its answer."""
