"""Downloads that count only with the right digest."""
