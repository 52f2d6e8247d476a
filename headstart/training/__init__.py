"""The training loop, its recipes and what a training stage does.

`strategy` trains a stage's strategy, once for each repeat and fold; `context` is what a training gets to know. `heads`,
`scratch` and `probe`, which has no epochs, say what is trained, `training` is the loop over epochs with early stopping
and resuming, `steps` one step of it. `optimizers`, `schedules` (warm-up), `averaging`, `mixing` (mixup, CutMix),
`class_weights`, `normalization` and `layerwise` (which layer joins when) are the recipes.
"""
