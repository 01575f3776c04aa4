# shellcheck shell=bash
# What the tests of adopted partitions share, beside lib.sh: partitions, and how they are mounted. Sourced.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# By the kernel's name, which is another after each boot: the links of an adopted disk lead to its mapping.
disk_with() { # SERIAL
	echo "/dev/$(basename "$(dirname "$(grep -lx "$1" /sys/block/vd*/serial)")")"
}

root=$(disk_with root)
disk=$(disk_with data0)
whole=$(disk_with data1)

# Primary partitions of so many MiB each, one behind the other.
partition() { # DISK MIB...
	python3 - "$@" <<-'EOP'
		import struct, sys
		table, start = b"", 2048
		for size in map(int, sys.argv[2:]):
		    table += struct.pack("<8BII", 0, 0, 0, 0, 0x83, 0, 0, 0, start, size * 2048)
		    start += size * 2048
		sector = b"\0" * 440 + struct.pack("<IH", 0x5653534c, 0) + table.ljust(64, b"\0") + b"\x55\xaa"
		with open(sys.argv[1], "r+b") as f:
		    f.write(sector)
	EOP
}

uuid_of() { # DEVICE
	blkid -p -s UUID -o value "$1"
}

# Past the page cache: a partition's own knows nothing of what is written through its mapping.
bytes_of() { # DEVICE
	dd if="$1" bs=1M iflag=direct status=none | sha256sum
}

# "/dev/mapper/vss-srv-a"
mounted_from() { # DIRECTORY
	findmnt -nro SOURCE --mountpoint "$1"
}

leads_to() { # LINK DEVICE
	[ "$(readlink -f "$1")" = "$(readlink -f "$2")" ] || {
		echo "$1 leads to $(readlink -f "$1")"
		return 1
	}
}

adopted_of() { # DIRECTORY: as vssctl says it
	vssctl volumes --json | json "[v['adopted'] for v in d['volumes'] if v['name'] == '${1%/}/']"
}

has_line() { # the initramfs, of the root's adoption
	lsinitramfs /boot/initrd.img-* | grep -x etc/vss/adopted
}

has_no_line() { # and it could be read
	local files
	files=$(lsinitramfs /boot/initrd.img-*) && grep -qx init <<<"$files" || return
	! grep -x etc/vss/adopted <<<"$files"
}

not() {
	! "$@"
}

number_of() { # DEVICE
	lsblk -dno MAJ:MIN "$1" | tr -d ' '
}
