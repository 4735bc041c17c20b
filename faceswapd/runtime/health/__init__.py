"""Whether the daemon and its machine are well: beats, the watchdog, and the readings that close the gate."""
