"""Downloads: `download` asks one mirror after another, and checks size and digest before a file counts."""
