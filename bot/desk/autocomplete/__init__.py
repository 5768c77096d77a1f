"""What is suggested while somebody types."""
