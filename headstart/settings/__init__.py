"""params.yaml: its schema, and reading it."""
