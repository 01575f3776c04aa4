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
paths=$(disk_with data2)

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

# --- a multipath map ----------------------------------------------------------------------------

map_uuid=mpath-3600a098000000000000000000000001
map_rules=/etc/udev/rules.d/59-paths.rules
make_paths=/usr/local/sbin/make-paths

# What multipathd would do at each boot: two paths to one disk, and a map over them. The disk has the file
# system's UUID before the map has it, and the map is made when the service of its mapping waits for it.
install_paths() { # UUID-OF-THE-FILE-SYSTEM
	echo 'ENV{DM_UUID}=="mpath-*", OPTIONS+="link_priority=50"' >"$map_rules"
	cat >"$make_paths" <<-EOP
		#!/bin/sh
		$(declare -f disk_with)
		for try in \$(seq 120); do
		    systemctl list-jobs | grep vss-adopted@srv-paths.service >/run/paths.job &&
		        readlink -f /dev/disk/by-uuid/$1 >/run/paths.first && [ -e "\$(cat /run/paths.first)" ] && break
		    sleep 0.5
		done
		modprobe -a dm-multipath dm-round-robin
		for path in a b; do
		    dmsetup create path-\$path --table "0 $(blockdev --getsz "$paths") linear \$(disk_with data2) 0"
		done
		dmsetup create paths --uuid $map_uuid --table "$(map_table path-a path-b)"
	EOP
	chmod +x "$make_paths"
	cat >/etc/systemd/system/paths.service <<-EOP
		[Unit]
		DefaultDependencies=no
		After=systemd-udevd.service systemd-udev-trigger.service
		[Service]
		Type=oneshot
		RemainAfterExit=yes
		ExecStart=$make_paths
	EOP
	ln -sf ../paths.service /etc/systemd/system/sysinit.target.wants/
}

path_table() {
	echo "0 $(blockdev --getsz "$paths") linear $paths 0"
}

map_table() { # PATH...
	echo "0 $(blockdev --getsz "$paths") multipath 3 queue_mode bio queue_if_no_path 0 1 1 round-robin 0 $# 1" \
		"$(printf '/dev/mapper/%s 1 ' "$@")"
}

# As multipathd does when a path has come or gone (dm_addmap_reload()): by the map's name, without a flush.
reload_map() { # PATH...
	dmsetup load paths --table "$(map_table "$@")" && dmsetup suspend --noflush paths && dmsetup resume paths
}

path_fails() { # PATH
	dmsetup load "$1" --table "0 $(blockdev --getsz "$paths") error" && dmsetup suspend --noflush "$1" && dmsetup resume "$1"
}

path_returns() { # PATH
	dmsetup load "$1" --table "$(path_table)" && dmsetup suspend --noflush "$1" && dmsetup resume "$1"
}

number_of() { # DEVICE
	lsblk -dno MAJ:MIN "$1" | tr -d ' '
}
