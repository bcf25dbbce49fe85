"""Tables, migrations and repositories of the service."""
