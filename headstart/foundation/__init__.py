"""What every other room builds on: files written whole, errors in one line, tables, progress."""
