"""One module per capability that the API offers."""
