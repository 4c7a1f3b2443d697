"""Those who measure: models answer suites, experts' examples are checked, nothing is decided."""
