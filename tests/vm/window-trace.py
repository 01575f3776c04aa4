#!/usr/bin/python3
"""Watches what processes do inside a write-freeze window, by the kernel's own tracing (tracefs is mounted).

usage: window-trace.py begin PID...   from here on these and what they fork
       window-trace.py end PID...     prints what was seen, and exits with 1 if that was not to be

A window is from the first suspend of a device by the service's window until all are resumed by it or its guard. Inside it
nobody may make a system call that takes a path or is not known to leave file systems alone, read or write a file through an
open descriptor, or touch a page of memory that comes from a file and is not there; those whose work the window is may touch
no page at all that is not there. What was begun before and is still under way counts, too. The loops of the service and of
its writers may be at work meanwhile: they may take and give back memory, threads and descriptors."""
import collections
import os
import re
import sys

TRACING = "/sys/kernel/tracing"
HERE = f"{TRACING}/instances/vss"
BUFFER_KB = 16384  # of each processor

# Of <asm/unistd_64.h>. Those that read and write do so to sockets, timers and the like: files are seen by the probes.
ALLOWED = {
    0: "read", 1: "write", 7: "poll", 14: "rt_sigprocmask", 15: "rt_sigreturn", 16: "ioctl", 24: "sched_yield",
    35: "nanosleep", 44: "sendto", 45: "recvfrom", 46: "sendmsg", 47: "recvmsg", 186: "gettid", 202: "futex",
    219: "restart_syscall", 228: "clock_gettime", 230: "clock_nanosleep", 232: "epoll_wait", 233: "epoll_ctl",
    271: "ppoll", 281: "epoll_pwait", 286: "timerfd_settime",
}
# And of those loops.
OF_LOOPS = {
    3: "close", 10: "mprotect", 11: "munmap", 12: "brk", 25: "mremap", 28: "madvise", 39: "getpid", 56: "clone", 61: "wait4",
    98: "getrusage", 218: "set_tid_address", 247: "waitid", 273: "set_robust_list", 334: "rseq", 435: "clone3",
}
MMAP, MAP_ANONYMOUS = 9, 0x20
WRITER = "vss-hook-writer"
# Where the kernel comes by for a file, whatever its file system.
PROBES = {
    "do_filp_open": "opens a file",
    "filemap_read": "reads a file", "generic_file_read_iter": "reads a file", "seq_read_iter": "reads a file",
    "shmem_file_read_iter": "reads a file", "kernfs_fop_read_iter": "reads a file",
    "generic_perform_write": "writes a file", "iomap_file_buffered_write": "writes a file",
    "vfs_fsync_range": "syncs a file", "iterate_dir": "reads a directory",
    "filemap_fault": "needs a page of a file", "filemap_map_pages": "needs a page of a file",
}
EXIT, EXIT_GROUP = 60, 231  # from which nobody comes back
WINDOW, GUARD = "vssd-window", "vssd-guard"
HOLDER = "vss-set"  # who has begun it, and waits for its end

Event = collections.namedtuple("Event", "at comm tid what")
LINE = re.compile(r"^\s*(.*)-(\d+)\s+\[\d+\]\s+\S+\s+(\d+\.\d+): (.*)$")


def write(path, text):
    with open(path, "w") as f:
        f.write(text)


def change_probes(*lines):
    """Each is added or removed; python's own way to append would seek, which is not to be had there."""
    fd = os.open(f"{TRACING}/kprobe_events", os.O_WRONLY | os.O_APPEND)
    for line in lines:
        os.write(fd, f"{line}\n".encode())
    os.close(fd)


def threads(pids):
    return [t for pid in pids for t in os.listdir(f"/proc/{pid}/task")]


def begin(pids):
    os.mkdir(HERE)
    change_probes(*(f"p:vss/{name} {name}" for name in PROBES))
    for name in "dm_suspend", "dm_resume":  # which device, and what came of it
        change_probes(f"p:vss/{name} {name} md=%di:x64", f"r:vss/{name}_done {name} r=$retval:s32")
    write(f"{HERE}/buffer_size_kb", str(BUFFER_KB))
    write(f"{HERE}/trace_clock", "mono")
    write(f"{HERE}/options/event-fork", "1")
    write(f"{HERE}/set_event_pid", " ".join(threads(pids)))
    for group in "raw_syscalls", "exceptions", "vss":
        write(f"{HERE}/events/{group}/enable", "1")


def lost():
    return sum(int(line.split(":")[1]) for cpu in os.listdir(f"{HERE}/per_cpu")
               for line in open(f"{HERE}/per_cpu/{cpu}/stats") if line.startswith(("overrun", "dropped events")))


def read():
    found = []
    with open(f"{HERE}/trace", errors="replace") as f:
        for line in f:
            if line.startswith("#"):
                continue
            match = LINE.match(line)
            if not match:
                sys.exit(f"not a line of a trace: {line}")
            found.append(Event(float(match[3]), match[1], int(match[2]), match[4]))
    return sorted(found, key=lambda e: e.at)


def call_of(event):
    match = re.match(r"sys_enter: NR (\d+)", event.what)
    return int(match[1]) if match else None


def is_free(event, loops):
    """May it make this system call?"""
    call = call_of(event)
    if call in ALLOWED:
        return True
    if event.comm != WRITER and event.tid not in loops:
        return False
    if call == MMAP:
        return bool(int(event.what.split(", ")[3], 16) & MAP_ANONYMOUS)
    return call in OF_LOOPS


def complaint(event, loops):
    """What is wrong with the event, or None."""
    if call_of(event) is not None:
        return None if is_free(event, loops) else f"makes system call {event.what.split(' ', 1)[1]}"
    name = event.what.split(":")[0]
    if name in PROBES:
        return f"{PROBES[name]} ({name})"
    if name.startswith("page_fault_") and event.comm in (WINDOW, GUARD, HOLDER):
        return f"needs a page of memory ({event.what})"
    return None


def under_way(events, begin_at):
    """The last call of each thread before the window, if it had not come back."""
    last = {}
    for e in events:
        if e.at >= begin_at:
            break
        if call_of(e) not in (None, EXIT, EXIT_GROUP):
            last[e.tid] = e
        elif call_of(e) or e.what.startswith("sys_exit:"):
            last.pop(e.tid, None)
    return list(last.values())


def windows(events):
    """When each begins and ends."""
    held, of_thread, begin_at = set(), {}, None
    for e in events:
        match = re.match(r"(dm_\w+): \(.*\) (?:md|r)=(\S+)", e.what)
        if not match or e.comm not in (WINDOW, GUARD):
            continue
        if match[1] in ("dm_suspend", "dm_resume"):
            of_thread[e.tid] = match[2]
        if match[1] == "dm_suspend":
            begin_at = begin_at or e.at
            held.add(match[2])
        elif match[1] == "dm_suspend_done" and match[2] != "0" or match[1] == "dm_resume_done" and match[2] == "0":
            held.discard(of_thread.get(e.tid))
        if begin_at and not held:
            yield begin_at, e.at
            begin_at = None
    if begin_at:
        sys.exit(f"{len(held)} devices are suspended to the end")


def end(loops):
    write(f"{HERE}/events/enable", "0")
    events = read()
    n_lost = lost()
    os.rmdir(HERE)
    with open(f"{TRACING}/kprobe_events") as f:
        change_probes(*(f"-:{name}" for name in re.findall(r"^[pr][0-9]*:(vss/\S+)", f.read(), re.M)))
    if n_lost:
        sys.exit(f"{n_lost} events were lost")
    found = list(windows(events))
    if not found:
        sys.exit(f"no window among {len(events)} events")
    wrong = collections.Counter()
    for begin_at, end_at in found:
        inside = under_way(events, begin_at) + [e for e in events if begin_at <= e.at <= end_at]
        names = ALLOWED | OF_LOOPS
        calls = collections.Counter(f"{e.comm} {names[call_of(e)]}" for e in inside if call_of(e) in names)
        wrong.update(f"{e.comm}-{e.tid} {complaint(e, loops)}" for e in inside if complaint(e, loops))
        print(f"a window of {(end_at - begin_at) * 1000:.1f} ms:", ", ".join(f"{name} {n}" for name, n in sorted(calls.items())))
    for text, n in sorted(wrong.items()):
        print(f"wrong: {text} ({n})")
    sys.exit(1 if wrong else 0)


if sys.argv[1] == "begin":
    begin(sys.argv[2:])
else:
    end([int(pid) for pid in sys.argv[2:]])
