"""The CrossTrade client, against servers written by hand and against the simulator."""
