"""Everything put together: settings, command line, API, gateway, console, clock, servers."""
