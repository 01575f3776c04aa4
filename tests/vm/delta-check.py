#!/usr/bin/python3
"""What a list of changed blocks is worth: held against all bytes of both sides.

    delta-check.py OLDER YOUNGER BLOCK-SIZE RANGES

OLDER, YOUNGER: block devices, read past the page cache. RANGES: lines of `vssctl delta`. Prints
"differ N missed N equal N": blocks that differ, those of them that the list has not, and blocks of the
list that are equal. Ends with 1 if one is missed.
"""
import mmap
import os
import sys

PIECE = 1 << 20


def pieces(path):
    fd = os.open(path, os.O_RDONLY | os.O_DIRECT)
    buffer = mmap.mmap(-1, PIECE)
    while True:
        n = os.readv(fd, [buffer])
        if n == 0:
            return
        yield buffer[:n]


def main():
    older, younger, size, ranges = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
    listed = set()
    with open(ranges, encoding="ascii") as f:
        for line in f:
            offset, length = map(int, line.split())
            listed.update(range(offset // size, (offset + length - 1) // size + 1))
    differ = set()
    position = 0
    for a, b in zip(pieces(older), pieces(younger)):
        if a != b:
            for at in range(0, max(len(a), len(b)), 512):
                if a[at:at + 512] != b[at:at + 512]:
                    differ.add((position + at) // size)
        position += len(a)
    print(f"differ {len(differ)} missed {len(differ - listed)} equal {len(listed - differ)}")
    return 1 if differ - listed or position == 0 else 0


sys.exit(main())
