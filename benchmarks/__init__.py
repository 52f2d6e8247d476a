"""Scripts that measure the project and print ratios."""
