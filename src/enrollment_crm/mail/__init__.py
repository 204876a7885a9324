"""Templates become messages, messages go out through a transport."""
