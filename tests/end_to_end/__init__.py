"""The whole stack, as people use it."""
