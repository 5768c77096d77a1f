"""Tests of the simulated NinjaTrader, over real sockets."""
