"""Images: where they come from, reading them safely, drawing the split."""
