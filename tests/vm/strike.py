#!/usr/bin/python3
"""Strikes at a moment of a write-freeze window, and measures when each volume takes writes again.

usage: strike.py HOW DAEMON OVER HELD,... PENDING,... FILE...
       strike.py journal

Waits until the devices HELD (dm-1,dm-2) are suspended and PENDING (or -) are not yet; then HOW:

    kill     the daemon            SIGKILL
    segv     the daemon            SIGSEGV
    stop     the daemon            SIGSTOP
    both     guard and daemon      SIGKILL
    oom      the daemon            the kernel's out-of-memory killer, asked by sysrq
    memory   the daemon            the same, because its control group may have no more memory; counted from its end
    hang     the storage           the mapped device $HANG is suspended
    silence  journal, bus, udev    SIGSTOP, with the journal's queue full; until the volumes are written to

and prints for each FILE, one on each volume, after how many milliseconds a write to it was done. It ends at
once if the file OVER comes into being, because then there was no such moment. All that it needs is in memory,
since the root may be among the volumes.

The second way: at once, and of the journal alone, which stays so. Then nothing is printed."""
import ctypes
import mmap
import os
import signal
import socket
import struct
import subprocess
import sys
import time

PATIENCE = 60  # seconds
MCL_CURRENT, MCL_FUTURE = 1, 2
CELL = 8


def children(pid):
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            found += open(f"/proc/{pid}/task/{task}/children").read().split()
        except OSError:
            pass  # a thread that has ended
    return [int(p) for p in found]


def comm(pid):
    try:
        return open(f"/proc/{pid}/comm").read().strip()
    except OSError:
        return ""


def find_guard(daemon):
    return next((p for p in children(daemon) if comm(p) == "vssd-guard"), 0)


def main_pid(unit):
    return int(subprocess.run(["systemctl", "show", "-P", "MainPID", unit], capture_output=True, check=True).stdout)


class Volume:
    """A process that writes to one file without pause, and notes when each write was done."""

    def __init__(self, path, shared, at):
        self.path, self.shared, self.at, self.pid = path, shared, at * CELL, 0
        self.fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        os.write(self.fd, b"x")

    def done_at(self):
        return struct.unpack_from("q", self.shared, self.at)[0]

    def start(self):
        self.pid = os.fork()
        if self.pid == 0:
            try:
                while True:
                    os.pwrite(self.fd, b"x", 0)
                    struct.pack_into("q", self.shared, self.at, time.monotonic_ns())
                    time.sleep(0.002)
            finally:
                os._exit(1)  # the rest of the program is its parent's


def fill_journal():
    """Until not even a new sender gets a line in: each alone meets the limit of its own buffer first."""
    senders = []
    while True:
        senders.append(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK))
        senders[-1].connect("/run/systemd/journal/socket")
        n = 0
        try:
            while True:
                senders[-1].send(b"MESSAGE=noise\n")
                n += 1
        except BlockingIOError:
            if n == 0:
                return


def oom_kills(events):
    return next(line for line in os.pread(events, 4096, 0).split(b"\n") if line.startswith(b"oom_kill "))


def main():
    how, daemon, over = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    held, pending = ([d for d in words.split(",") if d != "-"] for words in sys.argv[4:6])
    shared = mmap.mmap(-1, 4096)
    volumes = [Volume(path, shared, i) for i, path in enumerate(sys.argv[6:])]
    held = [os.open(f"/sys/block/{d}/dm/suspended", os.O_RDONLY) for d in held]
    pending = [os.open(f"/sys/block/{d}/dm/suspended", os.O_RDONLY) for d in pending]
    sysrq = os.open("/proc/sysrq-trigger", os.O_WRONLY)
    group = open(f"/proc/{daemon}/cgroup").read().strip().split(":")[2]
    memory = os.open(f"/sys/fs/cgroup{group}/memory.max", os.O_WRONLY)
    events = os.open(f"/sys/fs/cgroup{group}/memory.events", os.O_RDONLY)
    silenced = [main_pid(u) for u in ("systemd-journald", "dbus", "systemd-udevd")] if how == "silence" else []
    hang = os.environ.get("HANG", "")
    if how in ("oom", "memory"):
        open(f"/proc/{daemon}/oom_score_adj", "w").write("1000")
    if ctypes.CDLL(None, use_errno=True).mlockall(MCL_CURRENT | MCL_FUTURE) != 0:
        sys.exit(f"mlockall: {os.strerror(ctypes.get_errno())}")
    # However it ends: a journal, bus or udev that stays stopped would be the end of all that comes after.
    try:
        for v in volumes:
            v.start()
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(2))

        guard = 0
        while not (all(os.pread(fd, 2, 0) == b"1\n" for fd in held) and
                   all(os.pread(fd, 2, 0) == b"0\n" for fd in pending)):
            if os.path.exists(over):
                sys.exit("there was no such moment")
            if how == "both" and not guard:
                guard = find_guard(daemon)
            time.sleep(0.001)

        if how == "both" and not guard:
            sys.exit("there is no guard")
        begin = time.monotonic_ns()
        if how == "kill":
            os.kill(daemon, signal.SIGKILL)
        elif how == "segv":
            os.kill(daemon, signal.SIGSEGV)
        elif how == "stop":
            os.kill(daemon, signal.SIGSTOP)
        elif how == "both":
            os.kill(guard, signal.SIGKILL)
            os.kill(daemon, signal.SIGKILL)
        elif how == "oom":
            os.write(sysrq, b"f")
        elif how == "memory":
            # The kernel looks for other memory first, in the write and for as long as it finds some.
            kills = oom_kills(events)
            if os.fork() == 0:
                try:
                    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
                    os.write(memory, b"1048576")
                finally:
                    os._exit(0)  # as above
            while oom_kills(events) == kills and time.monotonic_ns() < begin + PATIENCE * 10**9:
                time.sleep(0.001)
            begin = time.monotonic_ns()
        elif how == "hang":
            subprocess.run(["dmsetup", "suspend", "--noflush", "--nolockfs", hang], check=True)
        elif how == "silence":
            for pid in silenced:
                os.kill(pid, signal.SIGSTOP)
            fill_journal()

        end = begin + PATIENCE * 10**9
        # A write that was let through before the strike and noted after it tells nothing: the second one counts.
        first, second = {}, {}
        while len(second) < len(volumes) and time.monotonic_ns() < end:
            for v in volumes:
                done = v.done_at()
                if done > begin:
                    first.setdefault(v.path, done)
                    if done > first[v.path]:
                        second.setdefault(v.path, done)
            time.sleep(0.001)
    finally:
        for pid in silenced:
            go_on(pid)
        stop(volumes)
    for v in volumes:
        print(v.path, (second[v.path] - begin) // 10**6 if v.path in second else "never")


def stop(volumes):
    for v in volumes:
        if v.pid:
            os.kill(v.pid, signal.SIGKILL)


def go_on(pid):
    try:
        os.kill(pid, signal.SIGCONT)
    except ProcessLookupError:
        pass  # and whoever has taken its place was never stopped


def stop_journal():
    pid = main_pid("systemd-journald")
    os.kill(pid, signal.SIGSTOP)
    try:
        fill_journal()
    except BaseException:
        go_on(pid)
        raise


if sys.argv[1] == "journal":
    stop_journal()
else:
    main()
