"""One function for each step that operations see; each owns its transaction."""
