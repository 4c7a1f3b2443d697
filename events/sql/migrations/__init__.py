"""How the log's database came to its schema, one file a step."""
