"""The command line, as whoever calls it sees it: real processes, shapes, exit codes."""
