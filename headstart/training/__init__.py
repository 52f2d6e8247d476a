"""The training loop, its recipes and what a training stage does.

`training` is the loop with early stopping and resuming, `steps` one step of it. `strategy` trains a head or the last
layers of a base as a stage asks for, `scratch` a network without a base. `optimizers`, `schedules` (warm-up),
`averaging`, `mixing` (mixup, CutMix), `normalization` and `layerwise` (which layer joins when) are the recipes.
"""
