"""The fate of what was sent: evidence of lost answers, orders followed to their end, stops and targets."""
