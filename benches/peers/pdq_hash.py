"""Decodes pictures with Pillow and hashes them with Meta's C++ PDQ, through its Python binding, on one thread.

    pdq_hash.py IMAGE...

Prints one line of JSON a picture, with the first fields of `hashcommons bench hash --json`: what came of it, and the milliseconds
that the fastest of five took. `hash_ms` has in it what the binding itself does with the pixels: it computes their brightness in
NumPy. `dihedral_ms` is for the hashes of all eight orientations.
"""

import json
import sys
import time

import numpy
import pdqhash
from PIL import Image

TIMES = 5


def fastest(work):
    """What came of it, and the milliseconds that the fastest took."""
    took = []
    for _ in range(TIMES):
        start = time.perf_counter_ns()
        done = work()
        took.append(time.perf_counter_ns() - start)
    return done, round(min(took) / 1e6, 2)


def decode(path):
    with Image.open(path) as picture:
        return numpy.asarray(picture.convert("RGB"))


def measure(path):
    pixels, decode_ms = fastest(lambda: decode(path))
    (bits, quality), hash_ms = fastest(lambda: pdqhash.compute(pixels))
    _, dihedral_ms = fastest(lambda: pdqhash.compute_dihedral(pixels))
    height, width, _ = pixels.shape
    return {
        "image": path,
        "width": width,
        "height": height,
        "pdq": numpy.packbits(bits).tobytes().hex(),
        "quality": int(quality),
        "decode_ms": decode_ms,
        "hash_ms": hash_ms,
        "dihedral_ms": dihedral_ms,
    }


def main():
    for path in sys.argv[1:]:
        print(json.dumps(measure(path)), flush=True)


if __name__ == "__main__":
    main()
