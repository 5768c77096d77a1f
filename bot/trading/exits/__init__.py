"""Mass actions: what is in their way, which call comes next, what is left."""
