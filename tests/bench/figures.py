"""The figures of `make bench`: what each means, what is computed from others, what was wanted of them.

build/bench.json has for each figure its median, minimum, maximum and runs, its unit and meaning, and when and on what it was
measured. tests/bench/run writes it, tests/bench/plot draws it."""
import json
import math
import statistics

COUNTS = (1, 8, 24, 64)
COPIES = (0, 1, 4)
PATTERNS = {"seq": "one after the other, 1 MiB each", "rand16": "at random places, 16 KiB each",
            "rand4": "at random places, 4 KiB each"}
CHUNKS = (4, 8, 16, 32, 64, 128, 256)

# For each of N volumes.
WINDOW = {
    "window_ms": "longest time between two acknowledged writes of a process that writes to all N volumes in turn without "
                 "pause (pwrite, fsync), from before DoSnapshotSet to after it",
    "held_ms": "of that, what the service held: first suspend to last resume, by its own clock",
    "floor_ms": "the same as window_ms, by the same process, while N staged snapshots are committed by bare parallel "
                "device-mapper ioctls with nothing of the service",
    "idle_ms": "the same pause as window_ms, in 3 s in which nothing else is done",
    "set_ms": "wall time of DoSnapshotSet, from the call to the end of its IVssAsync",
    "delete_ms": "wall time of DeleteSnapshots of a set of N",
    "lvcreate_ms": "wall time of N times lvcreate -s, one after the other: about so far apart are their instants",
    "lvcreate_pause_ms": "the same pause as window_ms, meanwhile",
    "lvremove_ms": "wall time of N times lvremove, fed to one lvm process",
}
THIN = {
    "window_thin_ms": "as window_ms, of thin volumes",
    "held_thin_ms": "as held_ms, of thin volumes",
    "idle_thin_ms": "as idle_ms, of thin volumes",
    "set_thin_ms": "as set_ms, of thin volumes",
    "delete_thin_ms": "as delete_ms, of thin volumes",
    "lvcreate_thin_ms": "as lvcreate_ms, of thin volumes",
    "lvcreate_thin_pause_ms": "as lvcreate_pause_ms, of thin volumes",
    "lvremove_thin_ms": "as lvremove_ms, of thin volumes",
}
LOAD = {
    "window_load_ms": "longest time that a write of fio takes that ends about the window of a set, while fio writes to all N "
                      "volumes at full speed (a thread each, 4 KiB at random places of a file, past the page cache)",
    "making_load_ms": "the longest such write from before DoSnapshotSet to after it, the window's among them",
    "held_load_ms": "as held_ms, under that load",
    "floor_load_ms": "as floor_ms, by the writes of that load",
    "idle_load_ms": "the longest such write in 3 s in which nothing else is done",
    "set_load_ms": "as set_ms, under that load",
    "lvcreate_load_ms": "as lvcreate_ms, under that load",
    "lvcreate_load_pause_ms": "the longest write of that load meanwhile",
}
DELTA = {
    f"delta_{kind}_ms": "wall time of `vssctl delta --format bitmap` of a copy and its volume, a sparse one of 100 GiB of which 1 GiB "
                        f"has changed: 4 KiB in each of {blocks}, all over it"
    for kind, blocks in {"thick": "32768 chunks of 32 KiB of a thick volume", "thin": "16384 blocks of 64 KiB of a thin volume"}.items()
}
DELTA["delta_thin_alone_ms"] = "the same of the thin volume by hand: dmsetup for two tables and to reserve and release the metadata " \
                               "snapshot, thin_delta between, its report to a file"
# Without these a page on performance does not say what it is for.
WANTED = [f"{what}_{n}" for what in ("window_ms", "floor_ms", "window_load_ms", "floor_load_ms", "set_ms", "lvcreate_ms", "set_thin_ms",
                                     "lvcreate_thin_ms") for n in COUNTS]
WANTED += ["delete_ms_64", *(f"cow_write_ratio_{n}" for n in COPIES), *DELTA]


def summary(values, unit, meaning):
    return {"median": statistics.median(values), "min": min(values), "max": max(values), "runs": values, "unit": unit,
            "meaning": meaning}


def from_counts(table, samples):
    """Of what there are samples: numbers of volumes may be left out, or the VM may have ended early."""
    return {f"{what}_{n}": summary(samples[f"{what}_{n}"], "ms", meaning)
            for what, meaning in table.items() for n in COUNTS if f"{what}_{n}" in samples}


def from_names(table, samples):
    return {name: summary(samples[name], "ms", meaning) for name, meaning in table.items() if name in samples}


def from_cow(samples):
    figures = {}

    def add(name, sample, unit, meaning):
        if sample in samples:
            figures[name] = summary(samples[sample], unit, meaning)

    for n in COPIES:
        ratios = []  # by kind of writes, by round
        for pattern, words in PATTERNS.items():
            ours, bare = f"cow_ours_{n}_{pattern}", f"cow_bare_{n}_{pattern}"
            add(f"cow_ours_{pattern}_{n}", ours, "MB/s", f"first writes, {words}, to an origin with {n} copies of the service")
            add(f"cow_bare_{pattern}_{n}", bare, "MB/s",
                f"the same writes to an origin with {n} snapshots made by dmsetup, with chunks of the same size")
            ratios.append([o / b for o, b in zip(samples.get(ours, []), samples.get(bare, []))])
        if all(ratios):
            figures[f"cow_write_ratio_{n}"] = summary(
                [math.prod(r) ** (1 / len(r)) for r in zip(*ratios)], "",
                f"cow_ours_{n}/cow_bare_{n}, the geometric mean of the three kinds of writes of a round")
    for chunk in ("none", *CHUNKS):
        for pattern, words in PATTERNS.items():
            add(f"cow_chunk_{pattern}_{chunk}", f"cow_chunk_{chunk}_{pattern}", "MB/s",
                f"first writes, {words}, to an origin with " +
                ("no snapshot" if chunk == "none" else f"one bare snapshot whose chunks are {chunk} KiB"))
    for chunk in CHUNKS:
        add(f"cow_chunk_store_{chunk}", f"cow_chunk_{chunk}_store", "",
            "what the three kinds of writes take of the snapshot's store, over what they wrote")
    return figures


def short(value):
    """Three digits are more than such a figure is worth."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def beside(value, holds):
    """As many digits more as it takes to see on which side of its bound a figure is."""
    text, digits = short(value), 3
    while holds(float(text)) != holds(value):
        digits += 1
        text = f"{value:.{digits}g}"
    return text


def ratio(figures, upper, lower):
    return figures[upper]["median"] / figures[lower]["median"]


def bounds(figures):
    """What was wanted, as far as it was measured: title, value as text, of how many runs, bound, whether it holds."""
    rows = []

    def row(title, bound, holds, upper, lower=None):
        if upper in figures and (not lower or lower in figures):
            value = ratio(figures, upper, lower) if lower else figures[upper]["median"]
            runs = min(len(figures[name]["runs"]) for name in (upper, lower) if name)
            rows.append((title, beside(value, holds), runs, bound, holds(value)))

    def volumes(n, kind=""):
        return f"{n} {kind}volume{'s' if n > 1 else ''}"

    for n in COUNTS:
        row(f"window/floor, {volumes(n)}", "at most 1.5", lambda v: v <= 1.5, f"window_ms_{n}", f"floor_ms_{n}")
    for n in COUNTS:
        row(f"window/floor under load, {volumes(n)}", "at most 1.5", lambda v: v <= 1.5, f"window_load_ms_{n}", f"floor_load_ms_{n}")
        row(f"a set in the making/floor under load, {volumes(n)}", "at most 1.5", lambda v: v <= 1.5, f"making_load_ms_{n}",
            f"floor_load_ms_{n}")
    row("window of 24 volumes/of 1", "at most 3", lambda v: v <= 3, "window_ms_24", "window_ms_1")
    for kind, name in ("thick ", "_ms"), ("thin ", "_thin_ms"):
        for n in COUNTS:
            bound = 0.5 if n >= 8 else 1
            row(f"set/lvcreate, {volumes(n, kind)}", f"at most {bound:g}", lambda v, bound=bound: v <= bound,
                f"set{name}_{n}", f"lvcreate{name}_{n}")
    for n in COPIES:
        row(f"writes to an origin with {n} copies/the same with bare snapshots", "at least 0.95", lambda v: v >= 0.95,
            f"cow_write_ratio_{n}")
    for kind in "thick", "thin":
        row(f"changed blocks of a {kind} volume of 100 GiB, ms", "below 1000", lambda v: v < 1000, f"delta_{kind}_ms")
    row("a call/Ping", "at most 1.3", lambda v: v <= 1.3, "rtt_ratio")
    row("Freeze to 1000 writers/to 1, whose handlers take a hundredth of a second", "below 10", lambda v: v < 10,
        "writers_freeze_ms_1000", "writers_freeze_ms_1")
    row("a metadata document from writer to requester/libxml2 alone", "at most 2", lambda v: v <= 2, "document_ratio")
    row("memory of the idle service, KiB", "below 10240", lambda v: v < 10240, "rss_idle_kib")
    return rows


def load(path):
    with open(path) as f:
        return json.load(f)


def save(path, figures):
    with open(path, "w") as f:
        json.dump(figures, f, indent=1)
        f.write("\n")
