"""What every other room stands on: files written whole, errors in one line, tables, progress."""
