"""Takes in signups and applications, routes each person, and sends the right email at the right hour."""
