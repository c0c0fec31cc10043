"""The arrays of a skops file: NumPy's own format, read with every length checked first."""

import io

import numpy as np

from .reading import refused, shown
from .skops_trees import NODE_TYPES


def npy_array(data: bytes) -> np.ndarray:
    """Return the array of an .npy file in C order.

    Raises
    ------
    UserError
        Where it is not of finite numbers or of a tree's nodes, or not as long as it states.
    """
    stream = io.BytesIO(data)
    try:
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        shape, fortran, dtype = read[np.lib.format.read_magic(stream)](stream)
    except Exception as error:  # the header is Python text, so it fails in many ways
        raise refused(f"an array of its skops file cannot be read ({type(error).__name__})") from error
    content = data[stream.tell() :]
    size = int(np.prod([1, *shape], dtype=object))
    if len(shape) > 3 or min([0, *shape]) < 0 or size * dtype.itemsize != len(content):
        raise refused("an array of its skops file has not the length that it states")
    if not (dtype in NODE_TYPES or (dtype.kind in "biuf" and dtype.itemsize in (1, 4, 8) and dtype.isnative)):
        raise refused(f"an array of its skops file has the type {shown(str(dtype))}")
    array = np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")
    if dtype.kind == "f" and not np.isfinite(array).all():
        raise refused("an array of its skops file has a number that is not finite")
    return _without_padding(array)


def _without_padding(array: np.ndarray) -> np.ndarray:
    """Return a copy in C order; what lies between the fields of a node is whatever was in memory, so it becomes 0."""
    if array.dtype.names is None:
        return np.array(array, order="C")
    copy = np.zeros(array.shape, array.dtype)
    for name in array.dtype.names:
        copy[name] = array[name]
    return copy


def npy_file(array: np.ndarray) -> bytes:
    """Return `array` as the bytes of an .npy file."""
    out = io.BytesIO()
    np.lib.format.write_array(out, array, version=(1, 0), allow_pickle=False)
    return out.getvalue()
