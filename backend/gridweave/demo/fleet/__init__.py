"""The fleet: a thousand devices of one maker, a hundred of which measure a day."""
