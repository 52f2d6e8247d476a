"""The kinds of numpy array that the statistics pass around."""

import numpy as np
import numpy.typing as npt

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
GreyArray = npt.NDArray[np.uint8]
