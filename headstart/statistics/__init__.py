"""Numbers only: metrics, intervals, tests, calibration, suspects. No sentences, no files."""
