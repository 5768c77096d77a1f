"""Sandbox: a simulated NinjaTrader and a local Discord, for the demo and for tests."""
