"""Read the arrays of a safetensors file by mapping it into memory: nothing is copied, and processes share the pages."""

import json
import mmap
from pathlib import Path

import numpy as np

from workbench.errors import ModelFileError

DTYPES = {  # as safetensors names them
    "F64": np.float64,
    "F32": np.float32,
    "F16": np.float16,
    "I64": np.int64,
    "I32": np.int32,
    "I16": np.int16,
    "I8": np.int8,
    "U64": np.uint64,
    "U32": np.uint32,
    "U16": np.uint16,
    "U8": np.uint8,
    "BOOL": np.bool_,
}
LENGTH = 8  # bytes that say how long the header is


def mapped(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a file whose bytes must not change while they are in use.

    They may be written to: what is written stays in this process and never reaches the file.

    Raises:
        ModelFileError: the file is no safetensors file, or is truncated.

    Source: the safetensors format, github.com/huggingface/safetensors.
    """
    with path.open("rb") as file:
        whole = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY) if path.stat().st_size else b""
    start = LENGTH + int.from_bytes(whole[:LENGTH], "little")
    try:
        header = json.loads(whole[LENGTH:start])
        return {name: _array(whole, start, each) for name, each in header.items() if name != "__metadata__"}
    except (ValueError, KeyError, TypeError) as error:
        raise ModelFileError(
            f"{path} ({len(whole):,} bytes) is truncated or no model: {error}. Restore it from a copy or train again."
        ) from error


def _array(whole: mmap.mmap, start: int, about: dict) -> np.ndarray:
    dtype, shape = DTYPES[about["dtype"]], tuple(about["shape"])
    if not all(shape):
        return np.zeros(shape, dtype=dtype)
    return np.ndarray(shape, dtype=dtype, buffer=whole, offset=start + about["data_offsets"][0])
