"""One real day of a street, lived through the client."""
