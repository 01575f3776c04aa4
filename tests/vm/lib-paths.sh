# shellcheck shell=bash
# A multipath map for the adoption tests, made by hand: what it does is what they tell it, at boot as well.
# (multipathd's own are in test-multipath.sh.) Sourced, after lib-adopt.sh.

paths=$(disk_with data2)
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
