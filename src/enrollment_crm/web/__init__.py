"""Web applications over the workflows."""
