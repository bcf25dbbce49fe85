"""What the fuzzer plays in: a town with a past, and hooks that hand it real values."""
