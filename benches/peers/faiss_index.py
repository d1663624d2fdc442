"""Builds one of FAISS's exact binary indexes on a corpus, looks queries up one at a time, prints one line of JSON.

    faiss_index.py flat|multihash FOLDER RADIUS QUERIES

FOLDER has hashes.bin and queries.bin as `hashcommons bench corpus` writes them; QUERIES of each half are timed. The line
has the fields of `hashcommons bench index --json`. One index a process, so that the memory of one is not reused by another.

flat       IndexBinaryFlat, the linear scan
multihash  IndexBinaryMultiHash, 16 tables of 16 bits, one bit flipped: exact up to a radius of 31
"""

import json
import sys
import time
from pathlib import Path

import faiss
import numpy

BITS = 256
WARM_UP = 5
EXACT_RADIUS = {"flat": BITS, "multihash": 31}


def make(name):
    if name == "flat":
        return faiss.IndexBinaryFlat(BITS)
    index = faiss.IndexBinaryMultiHash(BITS, 16, 16)
    index.nflip = 1
    return index


def resident_mib():
    """Resident memory of this process; None where there is no /proc."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))


def look_up(index, queries, radius):
    """Times each query by itself; a hit is a row at a distance below FAISS's radius, hence the 1."""
    times, found = [], 0
    for at in range(len(queries)):
        query = queries[at : at + 1]
        start = time.perf_counter_ns()
        ends, _, _ = index.range_search(query, radius + 1)
        times.append((time.perf_counter_ns() - start) / 1000)
        found += int(ends[1])
    p50, p99 = numpy.percentile(times, [50, 99])
    return {"p50_us": round(float(p50), 1), "p99_us": round(float(p99), 1), "found": found}


def main():
    name, folder, radius, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    if radius > EXACT_RADIUS[name]:
        sys.exit(f"faiss-{name} is not exact beyond a radius of {EXACT_RADIUS[name]}")
    faiss.omp_set_num_threads(1)
    hashes = numpy.fromfile(folder / "hashes.bin", dtype=numpy.uint8).reshape(-1, BITS // 8)
    queries = numpy.fromfile(folder / "queries.bin", dtype=numpy.uint8).reshape(-1, BITS // 8)
    fresh, planted = queries[: len(queries) // 2], queries[len(queries) // 2 :]

    before, start = resident_mib(), time.perf_counter()
    index = make(name)
    index.add(hashes)
    figures = {"index": f"faiss-{name}", "n": len(hashes), "radius": radius}
    figures["build_s"] = round(time.perf_counter() - start, 2)
    if before is not None:
        figures["added_mib"] = round(resident_mib() - before)
    look_up(index, fresh[:WARM_UP], radius)
    figures["fresh"] = look_up(index, fresh[:count], radius)
    figures["planted"] = look_up(index, planted[:count], radius)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
