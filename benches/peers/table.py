"""Prints what scripts/bench-peers measured as one table, after checking that all indexes found the same.

    table.py KIND=FILE...

FILE has one line of JSON an index, on one corpus of that kind. Ends with 1 if two indexes differ in what they found.
"""

import json
import sys

OURS = "hashcommons-mih"
# How many times faster than a peer our index is meant to be: corpus, hashes, peer, percentile, times.
TARGETS = [
    ("uniform", 1_000_000, "faiss-multihash", "p50_us", 60),
    ("clustered", 1_000_000, "faiss-multihash", "p50_us", 30),
    ("clustered", 1_000_000, "faiss-multihash", "p99_us", 20),
    ("skewed", 1_000_000, "faiss-multihash", "p50_us", 30),
    ("skewed", 1_000_000, "faiss-multihash", "p99_us", 20),
    ("uniform", 10_000_000, "faiss-flat", "p50_us", 150),
]
# The most bytes a hash that it is meant to take.
BYTES_TARGETS = {("uniform", 10_000_000): 160}
HALVES = ("fresh", "planted")
PEERS = ("faiss-multihash", "faiss-flat")


def differences(kind, rows):
    """What the indexes disagree about."""
    for half in HALVES:
        found = {row["index"]: row[half]["found"] for row in rows}
        if len(set(found.values())) > 1:
            yield f"{kind}, {half}: " + ", ".join(f"{index} found {count}" for index, count in found.items())


def ratio(slower, faster, half, percentile):
    """How many times faster; None if it took no time that was measured."""
    return slower[half][percentile] / faster[half][percentile] if faster[half][percentile] else None


def ratios(rows, row, peer):
    """The median of both halves against a peer's: `61x 60x`."""
    peers = [other for other in rows if other["index"] == peer and other is not row]
    if not peers:
        return "-"
    values = [ratio(peers[0], row, half, "p50_us") for half in HALVES]
    return " ".join("-" if value is None else f"{value:.1f}x" for value in values)


def table(corpora):
    head = ["corpus", "n", "index", "build s", "MiB", "fresh p50", "p99", "planted p50", "p99", "found"]
    lines = [head + [f"vs {peer.removeprefix('faiss-')}" for peer in PEERS]]
    for kind, rows in corpora:
        for row in rows:
            times = [f"{row[half][percentile]:.1f}" for half in HALVES for percentile in ("p50_us", "p99_us")]
            found = str(sum(row[half]["found"] for half in HALVES))
            memory = str(row.get("added_mib", "-"))
            line = [kind, str(row["n"]), row["index"], f"{row['build_s']:.2f}", memory, *times, found]
            lines.append(line + [ratios(rows, row, peer) for peer in PEERS])
    widths = [max(len(line[at]) for line in lines) for at in range(len(lines[0]))]
    left = {0, 2}
    for line in lines:
        cells = [cell.ljust(width) if at in left else cell.rjust(width) for at, (cell, width) in enumerate(zip(line, widths))]
        yield "  ".join(cells).rstrip()


def verdict(is_met):
    return "met" if is_met else "MISSED"


def targets(corpora):
    """Each target for which there are figures."""
    for kind, rows in corpora:
        by_index = {row["index"]: row for row in rows}
        ours = by_index.get(OURS)
        if not ours:
            continue
        where = f"{kind}, {ours['n']} hashes"
        for corpus, n, peer, percentile, least in TARGETS:
            if (corpus, n) == (kind, ours["n"]) and peer in by_index:
                for half in HALVES:
                    times = ratio(by_index[peer], ours, half, percentile)
                    name = percentile.removesuffix("_us")
                    if times is not None:
                        yield f"{where}: {half} {name} {times:.1f}x faster than {peer}, target {least}x: {verdict(times >= least)}"
        most = BYTES_TARGETS.get((kind, ours["n"]))
        if most and "bytes_per_hash" in ours:
            size = ours["bytes_per_hash"]
            yield f"{where}: {size} bytes a hash, target at most {most}: {verdict(size <= most)}"


def main():
    corpora = []
    for argument in sys.argv[1:]:
        kind, _, file = argument.partition("=")
        with open(file, encoding="utf-8") as lines:
            corpora.append((kind, [json.loads(line) for line in lines]))
    print("One thread, one query at a time; times in microseconds; vs: times faster at p50, fresh and planted.")
    for line in table(corpora):
        print(line)
    for line in targets(corpora):
        print(line)
    wrong = [line for kind, rows in corpora for line in differences(kind, rows)]
    if wrong:
        sys.exit("The indexes do not agree:\n" + "\n".join(wrong))
    print("All indexes of a corpus found the same.")


if __name__ == "__main__":
    main()
