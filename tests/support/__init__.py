"""What tests share: seeds, neighbours in memory, chains, and the words to assert with."""
