"""Makes gguf-vectors.json: blocks of every integer-coded GGUF type with the float32 values that the Python package gguf
(pip install gguf numpy) gives them. Run: python3 make_vectors.py > vectors.json"""
import base64
import json

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType as T
from gguf.quants import dequantize

# Where the f16 scales of a block lie; they get a moderate exponent, all other bytes are random.
HALVES = {
    T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0], T.Q2_K: [80, 82], T.Q3_K: [108],
    T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208], T.IQ4_NL: [0], T.IQ4_XS: [0], T.MXFP4: [],
}
COLUMNS = 512
ROWS = 3


def vector(kind, seed):
    block, size = GGML_QUANT_SIZES[kind]
    random = np.random.default_rng(seed)
    blocks = random.integers(0, 256, (ROWS * COLUMNS // block, size), dtype=np.uint8)
    for at in HALVES[kind]:
        scales = (random.standard_normal(len(blocks)) * 0.05).astype(np.float16)
        blocks[:, at:at + 2] = scales.view(np.uint8).reshape(-1, 2)
    if kind == T.MXFP4:
        blocks[:, 0] = random.integers(0, 250, len(blocks))
        blocks[0, 0], blocks[1, 0] = 0, 1
    with np.errstate(over="ignore"):
        values = dequantize(blocks, kind).astype(np.float32).reshape(-1)
    return {"type": kind.name, "rows": ROWS, "columns": COLUMNS,
            "blocks": base64.b64encode(blocks.tobytes()).decode(),
            "values": base64.b64encode(values.astype("<f4").tobytes()).decode()}


print(json.dumps([vector(kind, 7 + i) for i, kind in enumerate(HALVES)], indent=1))
