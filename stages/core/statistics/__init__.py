"""Metrics, intervals, tests and rankings: pure functions of arrays."""
