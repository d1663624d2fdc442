"""Prints what scripts/bench-hash measured as one table, after checking that both hashed alike.

    hash_table.py FILE

FILE has a line of `pdq_hash.py` for each picture, and behind it those of `hashcommons bench hash`. Ends with 1 if hashes are more than
10 bits apart where the quality is at least 80, as PDQ's authors require: decoders differ in the last digit of a pixel.
"""

import json
import sys

BITS_MAX = 10
QUALITY_MIN = 80
# How many times faster than the peer hashing alone is meant to be, and decoding and hashing together.
HASH_TARGET = 8
TOTAL_TARGET = 2.5
# The most that eight orientations are meant to cost, in times of one.
DIHEDRAL_MAX = 1.3


def bits_apart(row, other):
    return (int(row["pdq"], 16) ^ int(other["pdq"], 16)).bit_count()


def name(row):
    return f"hashcommons ({row['simd']})" if "simd" in row else "Pillow, Meta's PDQ"


def total(row):
    return row["decode_ms"] + row["hash_ms"]


def times(slower, faster):
    return f"{slower / faster:.1f}x" if faster else "-"


def cells(row, peer):
    figures = [row["decode_ms"], row["hash_ms"], row["dihedral_ms"], total(row)]
    line = [f"{row['width']}x{row['height']}", name(row), *(f"{figure:.2f}" for figure in figures)]
    line.append(f"{row['fingerprint_ms']:.2f}" if "fingerprint_ms" in row else "-")
    if row is peer:
        return line + ["", "", ""]
    return line + [times(peer["hash_ms"], row["hash_ms"]), times(total(peer), total(row)), str(bits_apart(row, peer))]


def table(pairs):
    head = ["pixels", "what", "decode", "hash", "all eight", "decode + hash", "fingerprint", "hash", "both", "bits apart"]
    lines = [head] + [cells(row, peer) for row, peer in pairs]
    widths = [max(len(line[at]) for line in lines) for at in range(len(head))]
    for line in lines:
        padded = [cell.ljust(width) if at < 2 else cell.rjust(width) for at, (cell, width) in enumerate(zip(line, widths))]
        yield "  ".join(padded).rstrip()


def verdict(is_met):
    return "met" if is_met else "MISSED"


def targets(pairs):
    """The targets, each for the instruction set that was fastest on that picture."""
    for image in dict.fromkeys(row["image"] for row, _ in pairs):
        ours = [(row, peer) for row, peer in pairs if row["image"] == image and row is not peer]
        if not ours:
            continue
        row, peer = min(ours, key=lambda pair: pair[0]["hash_ms"])
        where = f"{row['width']}x{row['height']}"
        if row["hash_ms"]:
            hashing, both = peer["hash_ms"] / row["hash_ms"], total(peer) / total(row)
            eight = row["dihedral_ms"] / row["hash_ms"]
            yield f"{where}: hashing {hashing:.1f}x faster, target {HASH_TARGET}x: {verdict(hashing >= HASH_TARGET)}"
            yield f"{where}: with decoding {both:.1f}x faster, target {TOTAL_TARGET}x: {verdict(both >= TOTAL_TARGET)}"
            yield f"{where}: all eight {eight:.2f}x one, at most {DIHEDRAL_MAX}x: {verdict(eight <= DIHEDRAL_MAX)}"


def main():
    pairs, peer = [], None
    with open(sys.argv[1], encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            peer = peer if "simd" in row else row
            pairs.append((row, peer))
    print("One thread; milliseconds, the best of five; the last three columns: times faster than Meta's, and bits apart from it.")
    for line in table(pairs):
        print(line)
    for line in targets(pairs):
        print(line)
    wrong = [
        f"{row['image']}, {name(row)}: {bits_apart(row, peer)} bits apart"
        for row, peer in pairs
        if peer["quality"] >= QUALITY_MIN and bits_apart(row, peer) > BITS_MAX
    ]
    if wrong:
        sys.exit("The hashes do not agree:\n" + "\n".join(wrong))


if __name__ == "__main__":
    main()
