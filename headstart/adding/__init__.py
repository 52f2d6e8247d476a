"""From a folder of one's own pictures to a source that DVC tracks and params.yaml points at."""
