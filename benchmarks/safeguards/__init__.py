"""Shows that safeguards matter: each is switched off in a copy of the code, and the simulation must find that."""
