"""The stages of the pipeline, one module each; ``stages.core`` is what they share."""
