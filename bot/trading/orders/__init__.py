"""Orders: instruments, terms, the kinds of orders, what a broker can be told, and tickets. Frozen data."""
