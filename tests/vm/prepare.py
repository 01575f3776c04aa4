"""What a VM of tests/vm/run needs before it starts: the image, the project, the disks.

Nothing that another VM uses is written: what belongs to one run is made in its own folder, and what is
shared (the image, the project's build) is made under a lock.
"""
import fcntl
import glob
import json
import os
import shutil
import signal
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
STORE = os.path.join(TOP, "build", "vm")

# Of the image's disk, when its root is to be a partition: where tests/vm/image puts the file system, and its size.
SECTOR = 512
ROOT_START = (1 << 20) // SECTOR
ROOT_SECTORS = (6 << 30) // SECTOR
ROOT_DISK_ID = 0x5653524f

TOOLS = ("qemu-system-x86_64", "qemu-img", "mmdebstrap", "cpio", "depmod", "mke2fs", "setpriv")


class Failure(Exception):
    """The VM or what it needs failed, as opposed to the command."""


def check_tools():
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    missing = [tool for tool in TOOLS if not shutil.which(tool, path=path)]
    if missing:
        raise Failure(f"not installed: {', '.join(missing)} (tests/install-packages installs what is needed)")


def step(what, *argv):
    """Runs a step, whose output is shown only when it fails."""
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        sys.stderr.buffer.write(done.stdout)
        raise Failure(f"{what} failed")


def make(what, *argv):
    """What a maker prints: the folder that it has made, or has made before."""
    # In a process group of its own, so that all that it starts can be told to clean up and is waited for.
    maker = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        printed = maker.communicate()[0].strip()
    except BaseException:
        os.killpg(maker.pid, signal.SIGTERM)
        maker.wait()
        raise
    if maker.returncode:
        raise Failure(f"{what} could not be made")
    return printed


def make_image():
    """The folder with the image of tests/vm/image."""
    return make("the image", f"{HERE}/image")


def make_kernel(name):
    """The folder with another kernel than the image's, of tests/vm/kernel."""
    return make(f"the kernel of {name}", f"{HERE}/kernel", name)


def make_qemu():
    """QEMU and the options with which it finds what belongs to it, of tests/vm/qemu."""
    return make("QEMU", f"{HERE}/qemu").split("\n")


def build_project(stage):
    """Brings the project's build up to date and installs it into the folder STAGE."""
    build = f"{STORE}/project"
    if not os.path.exists(f"{TOP}/meson.build"):
        raise Failure("the project has no meson.build yet (--project DIR takes an installed tree)")
    with open(f"{STORE}/project.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(f"{build}/build.ninja"):
            step("meson setup", "meson", "setup", build, TOP, "--buildtype=debugoptimized")
        step("the build of the project", "meson", "compile", "-C", build)
        step("meson install", "meson", "install", "-C", build, "--no-rebuild", "--quiet", "--destdir", stage)


def units_of(tree):
    """The units that a package would enable, as far as the presets allow it."""
    units = []
    for path in glob.glob(f"{tree}/lib/systemd/system/*.*") + glob.glob(f"{tree}/usr/lib/systemd/system/*.*"):
        name = os.path.basename(path)
        if "@" not in name and os.path.isfile(path):
            with open(path) as unit:
                if "[Install]" in unit.read():
                    units.append(name)
    return units


def archive_of(folder):
    names = subprocess.run(["find", ".", "-mindepth", "1"], cwd=folder, stdout=subprocess.PIPE, check=True).stdout
    return subprocess.run(["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0"], input=names, cwd=folder,
                          stdout=subprocess.PIPE, check=True).stdout


def stored_lz4(data):
    """One block of literals in LZ4's legacy format: behind an initramfs in that format the kernel reads nothing else."""
    rest = len(data) - 15
    block = b"\xf0" + b"\xff" * (rest // 255) + bytes([rest % 255]) + data
    return struct.pack("<II", 0x184C2102, len(block)) + block


def make_initrd(image_initrd, kernel, tree, later, work):
    """The image's initrd and before it an archive with the project: the kernel unpacks both. Another kernel than
    the image's brings its modules the same ways, to the initramfs and with the project to the root. LATER is a
    folder with files that are there instead of those of the initramfs."""
    os.mkdir(f"{work}/vm")
    modules = ["-C", f"{kernel}/root", "."] if kernel else []
    step("packing the project", "tar", "--owner=0", "--group=0", "-cf", f"{work}/vm/project.tar", "-C", tree, ".",
         *modules)
    with open(f"{work}/vm/units", "w") as f:
        f.write(" ".join(units_of(tree)))
    initrd = f"{work}/initrd"
    with open(initrd, "wb") as out:
        subprocess.run(["cpio", "--quiet", "-o", "-H", "newc"], input=b"vm\nvm/project.tar\nvm/units\n", cwd=work,
                       stdout=out, check=True)
    with open(initrd, "ab") as out:
        for part in ([f"{kernel}/initrd"] if kernel else []) + [image_initrd]:
            with open(part, "rb") as base:
                shutil.copyfileobj(base, out)
        if later:
            out.write(stored_lz4(archive_of(later)))
    shutil.rmtree(f"{work}/vm")
    return initrd


def make_share(directory, work):
    """A file system with a copy of DIRECTORY: Debian's cloud kernel has no 9p."""
    blocks = inodes = 0
    for path, _, files in os.walk(directory):
        inodes += 1 + len(files)
        blocks += 2 + sum(1 + os.lstat(f"{path}/{name}").st_size // 4096 for name in files)
    share = f"{work}/share"
    step("copying the share", "mke2fs", "-q", "-t", "ext4", "-b", "4096", "-m", "0", "-N", str(inodes * 5 // 4 + 256),
         "-O", "^has_journal,^resize_inode", "-E", "lazy_itable_init=0,root_owner=0:0", "-d", directory, share,
         str(blocks * 5 // 4 + inodes // 8 + 4096))
    return share


def make_root(image, folder):
    """The overlay that takes the root's changes; one that is there already is used again."""
    overlay = f"{folder}/root"
    backing = f"{image}/disk"
    if not os.path.exists(overlay):
        step("making the root's overlay", "qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", backing, overlay)
        return
    information = subprocess.run(["qemu-img", "info", overlay], stdout=subprocess.PIPE, text=True).stdout
    if f"backing file: {backing}\n" not in information:
        raise Failure(f"{overlay} was made over another image than {backing}: remove it")


def make_plain(overlay, work):
    """Turns the root into a partition: its file system lies in one piece on the disk of the image, whose volume
    group loses its label to a table of two partitions, the file system and what is behind it."""
    information = subprocess.run(["qemu-img", "info", "--output=json", overlay], stdout=subprocess.PIPE, check=True).stdout
    size = json.loads(information)["virtual-size"] // SECTOR
    behind = ROOT_START + ROOT_SECTORS
    table = b"".join(struct.pack("<8BII", 0, 0, 0, 0, 0x83, 0, 0, 0, *where)
                     for where in ((ROOT_START, ROOT_SECTORS), (behind, size - behind)))
    with open(f"{work}/sectors", "wb") as f:
        f.write(b"\0" * 440 + struct.pack("<IH", ROOT_DISK_ID, 0) + table.ljust(64, b"\0") + b"\x55\xaa" + b"\0" * SECTOR)
    step("making the root a partition", "qemu-io", "-f", "qcow2", "-c", f"write -q -s {work}/sectors 0 {2 * SECTOR}", overlay)


def take_initrd(overlay, work):
    """The initramfs that an earlier boot has left in /boot of the root that is a partition, as a boot loader takes it."""
    disk = f"{work}/root.raw"
    step("reading the root", "qemu-img", "convert", "-O", "raw", overlay, disk)
    of_root = f"{disk}?offset={ROOT_START * SECTOR}"
    # After a power cut its journal comes first. (What e2fsck says of a file with an offset is of no use.)
    subprocess.run(["e2fsck", "-p", of_root], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    files = subprocess.run(["debugfs", "-R", "ls -p /boot", of_root], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    names = [name for name in files.decode().split("/") if name.startswith("initrd.img-")]
    if len(names) != 1:
        raise Failure(f"the root has not one initramfs in /boot but {len(names)}: {' '.join(names)}")
    step("taking the root's initramfs", "debugfs", "-R", f"dump /boot/{names[0]} {work}/root.initrd", of_root)
    os.remove(disk)
    return f"{work}/root.initrd"


def make_data(wanted, folder):
    """The data disks: those that are there already, and new ones up to the wanted number."""
    count, size = wanted or (0, 0)
    disks = []
    while len(disks) < count or os.path.exists(f"{folder}/data{len(disks)}"):
        disk = f"{folder}/data{len(disks)}"
        with open(disk, "ab") as f:
            if f.tell() == 0:
                f.truncate(size)
            elif wanted and f.tell() != size:
                raise Failure(f"{disk} is there already and has {f.tell()} bytes, not {size}")
        disks.append(disk)
    return disks


def qemu_command(options, image, work, channel, console):
    """Makes everything and returns QEMU's command line. CHANNEL is the descriptor of a socket."""
    kernel = make_kernel(options.kernel) if options.kernel else None
    folder = options.keep_disks or work
    tree = options.project
    if not tree:
        tree = f"{work}/project"
        build_project(tree)
    with open(f"{work}/argv", "wb") as f:
        f.write(b"".join(os.fsencode(argument) + b"\0" for argument in options.command))
    own = f"{folder}/{options.host}" if options.host else folder
    os.makedirs(own, exist_ok=True)
    root = f"{own}/root"
    first_boot = not os.path.exists(root)
    make_root(image, own)
    if options.plain_root and first_boot:
        make_plain(root, work)
    initrd = f"{image}/initrd" if first_boot or not options.plain_root else take_initrd(root, work)
    with open(f"{image}/accel") as f:
        kvm = f.read() == "kvm\n" and os.access("/dev/kvm", os.R_OK | os.W_OK)

    # Booting an emulated Nehalem costs a sixth less than booting the default, or max: no XSAVE, AVX, SMAP. And QEMU
    # translates a library anew at each address where it meets it: with those the same in all processes (norandmaps),
    # what starts many costs half. On a busy machine the kernel's own looks are deceived: at the timer (no_timer_check),
    # after which it panics, and at the clock (tsc=reliable), after which it goes over to one that is slow to read.
    argv = ["setpriv", "--pdeathsig", "KILL", *(["qemu-system-x86_64"] if kvm else make_qemu()),
            "-machine", "q35", "-accel", "kvm" if kvm else "tcg,thread=multi",
            "-cpu", "max" if kvm else "Nehalem",
            "-smp", str(options.cpus), "-m", options.memory,
            "-nodefaults", "-display", "none", "-no-reboot",
            "-serial", "mon:stdio" if options.shell else f"file:{console}",
            "-kernel", f"{kernel or image}/vmlinuz", "-initrd", make_initrd(initrd, kernel, tree, options.initramfs_files, work),
            "-append", f"root={'LABEL=root' if options.plain_root else '/dev/mapper/vmroot-root'} rw console=ttyS0 quiet "
                       "panic=-1 fsck.mode=skip mitigations=off cryptomgr.notests norandmaps "
                       "no_timer_check tsc=reliable",
            "-fw_cfg", f"name=opt/vm/argv,file={work}/argv",
            "-device", "virtio-rng-pci",
            "-device", "virtio-serial-pci", "-chardev", f"socket,id=vm,fd={channel}",
            "-device", "virtserialport,chardev=vm,name=vm"]

    def add_disk(name, path, how):
        argv.extend(["-drive", f"if=none,id={name},file={path.replace(',', ',,')},{how}",
                     "-device", f"virtio-blk-pci,drive={name},serial={name}"])

    # The page cache outlives QEMU when it is killed, so kept disks lose only what the VM had not yet
    # written or QEMU not yet given away. Nobody looks at the others: there a flush may cost nothing.
    cache = "writeback" if options.keep_disks else "unsafe"
    add_disk("root", root, f"format=qcow2,cache={cache}")
    for number, disk in enumerate(make_data(options.disks, folder)):
        add_disk(f"data{number}", disk, f"format=raw,discard=unmap,cache={cache}")
    if options.share:
        add_disk("share", make_share(options.share, work), "format=raw,readonly=on")
    return argv
