"""The comparison in words: the page, the terminal's table, the verdicts."""
