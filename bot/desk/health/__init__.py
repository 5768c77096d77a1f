"""The watchdog of the links, and its alarms."""
