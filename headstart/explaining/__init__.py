"""What a network looks at, and what its layers respond to.

`grad_cam` has the heat maps, `filter_patterns` the patterns that filters respond to, `activation_maps` what each layer
outputs; `choice` and `layers` decide which images and layers are shown, `sheets` draws them.
"""
