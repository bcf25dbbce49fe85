"""Shapes of what is answered, one module a noun: they make the OpenAPI document say what a client may rely on."""
