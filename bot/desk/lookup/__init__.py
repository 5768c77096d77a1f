"""Reading the world for a decision: facts, names, front months, and keeping known what open cards need."""
