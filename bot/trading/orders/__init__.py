"""What an order is: instruments, terms, the kinds of orders, what a broker can be told, and tickets. Frozen data."""
