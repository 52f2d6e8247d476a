"""`headstart add`: from a folder of a user's own pictures to a source that DVC tracks and params.yaml points at.

`adding` is the command from end to end; `archive` packs and checks, `tracking` calls DVC and git, `choice` picks a
preset and a split, `pointing` writes params.yaml.
"""
