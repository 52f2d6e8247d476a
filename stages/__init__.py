"""The stages of the pipeline, one thin module each; the package ``headstart`` is what they share."""
