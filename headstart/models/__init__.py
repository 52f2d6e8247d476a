"""Trained models: what they are, on disk and in use.

`classifier` is the head on a base, `architectures` the networks without one; `models` saves and loads them,
`description` is their model.json, `predictor` goes from pixels to calibrated probabilities. `samples`, `pixels` and
`activations` are what they train on.
"""
