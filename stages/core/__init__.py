"""What two or more stages need, one idea a module."""
