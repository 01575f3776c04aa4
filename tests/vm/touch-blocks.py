#!/usr/bin/python3
"""touch-blocks.py DEVICE KIB: writes 4 KiB to so many blocks of KIB as are 1 GiB, all over the first 100 GiB of DEVICE."""
import os
import sys

fd = os.open(sys.argv[1], os.O_WRONLY)
size = int(sys.argv[2]) << 10
n = (1 << 30) // size
step = (100 << 30) // n // size * size
for i in range(n):
    os.pwrite(fd, b"x" * 4096, i * step + 8192)
os.fsync(fd)
