"""The pretrained convolutional base: its network, weights, precision and arithmetic."""
