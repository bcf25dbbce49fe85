"""What `gridweave clear-book` does: a book from a file, on a throw-away chain, to its outcome."""
