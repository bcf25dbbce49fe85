"""The street's day as data, under a licence of its own: LICENCE-ODbL.txt."""
