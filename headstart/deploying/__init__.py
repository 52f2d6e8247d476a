"""The winner in use.

`predicting` is `headstart predict` from files to a table, with heat maps from `own_images`. `exporting` is
`headstart export`: `network` is the model as one Keras network, `onnx_file` the same as ONNX.
"""
