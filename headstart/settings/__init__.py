"""params.yaml: `schema` has every parameter with its range, unit and meaning; `params` reads and checks the file."""
