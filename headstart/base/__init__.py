"""The pretrained convolutional base, and starting TensorFlow.

`base` builds it, preprocesses images for it and cuts it in two; `bases` lists those that can be chosen. `runtime`
starts TensorFlow with the one arithmetic that results are promised for, `lazy` is how every module imports it,
`precision` chooses float32 or bfloat16. `batches` and `convolution` make results independent of batch and threads.
"""
