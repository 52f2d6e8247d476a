"""Numbers only: metrics, intervals, tests, calibration, suspects. No sentences, no files.

Modules are named by what they compute; each gives its method's source.
"""
