#!/bin/bash
# A disk with two paths, which multipathd makes one of, and a partition of that, made by kpartx. Neither is copied
# as it is, as their tables are not ours to change. Adopted they are, whatever happens to the map while there are
# copies, and while they are made: a path fails and returns, or goes for good and another comes, multipathd
# loads the map anew, no path is left. No write is lost.
#
# The disk is scsi_debug's: each of its hosts shows the same memory, with the same WWID.
. "$(dirname "$0")/lib-adopt.sh"

debug=/sys/bus/pseudo/drivers/scsi_debug
map=mpatha
device=/dev/mapper/$map
conf=/etc/vss/vssd.conf
fstab=$(cat /etc/fstab)
# The image has masked them for the sake of all other tests.
units=(multipathd.service multipathd.socket)
mapfile -t rules < <(find /etc/udev/rules.d -lname /dev/null)

paths_begin() {
	modprobe -a dm-multipath dm-snapshot 2>/dev/null
	must rm "${rules[@]}"
	must udevadm control --reload
	cat >/etc/multipath.conf <<-'EOC'
		defaults {
		    user_friendly_names yes
		    find_multipaths yes
		    polling_interval 1
		    max_polling_interval 1
		    no_path_retry queue
		}
	EOC
	must systemctl unmask --quiet "${units[@]}"
	must systemctl start multipathd.service
	must modprobe scsi_debug dev_size_mb=192 add_host=2 vpd_use_hostno=0 delay=0
	must wait_for 90 has_paths 2
	must udevadm settle
}

paths_end() {
	printf '%s\n' "$fstab" >/etc/fstab
	dmsetup ls | awk '/^vss-srv-/ { print $1 }' | xargs -r -n 1 dmsetup remove
	systemctl stop "${units[@]}"
	multipath -F
	modprobe -r scsi_debug
	systemctl mask --quiet "${units[@]}"
	rm -rf /etc/multipath.conf /etc/multipath "$conf" /etc/vss/adopted /var/lib/vssd/stores
	for rule in "${rules[@]}"; do
		ln -s /dev/null "$rule"
	done
	udevadm control --reload
	systemctl restart vssd
} >/dev/null 2>&1
trap 'clean_up; paths_end' EXIT

# --- paths: 0 and 1 -------------------------------------------------------------------------------

path() { # NUMBER: its disk, which has another name when it has been away
	basename "$debug/adapter$1"/host*/target*/*:*/block/*
}

path_is() { # NUMBER STATE
	multipathd show paths raw format '%d %t' | grep -qx "$(path "$1") $2"
}

has_paths() { # COUNT: in the map's table, all of them good
	[ "$(dmsetup table "$map" | grep -oE '[0-9]+:[0-9]+' | wc -l) $(dmsetup status "$map" | grep -oE '[0-9]+:[0-9]+ A' | wc -l)" = "$1 $1" ]
}

path_fails() { # NUMBER
	echo offline >"/sys/block/$(path "$1")/device/state" && wait_for 60 path_is "$1" failed
}

path_returns() { # NUMBER
	echo running >"/sys/block/$(path "$1")/device/state" && wait_for 60 path_is "$1" active
}

path_goes() { # NUMBER: and multipathd writes the map without it
	echo 1 >"/sys/block/$(path "$1")/device/delete" && wait_for 60 has_paths 1
}

path_comes() { # NUMBER: and multipathd writes the map with it
	echo '- - -' >"/sys/class/scsi_host/$(basename "$debug/adapter$1"/host*)/scan" && wait_for 60 has_paths 2
}

# multipathd loads the map anew, again and again.
reloads_start() {
	while multipathd reload map "$map"; do :; done >"$work/reloads" &
	reloader=$!
	wait_for 60 test -s "$work/reloads"
}

reloads_stop() {
	kill "$reloader" || return # it has ended by itself
	wait "$reloader"
	reloads=$(grep -c '^ok' "$work/reloads")
	[ "$reloads" -ge 2 ]
}

# --- volumes --------------------------------------------------------------------------------------

said_of() { # VOLUME: supported, provider, reason
	vssctl volumes --json | json "[f\"{v['supported']} {v['provider']} {v['reason']}\" for v in d['volumes'] if v['name'] == '$1/']"
}

adopted_at_once() { # DEVICE DIRECTORY REASON
	local mapping=/dev/mapper/vss${2//\//-} uuid
	must mkfs.ext4 -q -F "$1"
	must udevadm settle
	uuid=$(uuid_of "$1")
	echo "$1 $2 ext4 nofail 0 0" >>/etc/fstab
	must systemctl daemon-reload
	must mount --mkdir "$2"
	check_says "vssctl volumes says why $1 is not copied, and the way out" \
		"^False None .*$3.*vssctl volumes adopt $2" "$(said_of "$2")"
	check_says "so does the bus" "^bss false \"\" .*$3" \
		"$(busctl call org.vssd.Vss1 /org/vssd/Vss1 org.vssd.Vss1.Manager IsVolumeSupported s "$2" 2>&1)"
	check_says "so does who makes a set" "VOLUME_NOT_SUPPORTED.*$3|$3.*VOLUME_NOT_SUPPORTED" "$(vssctl create "$2" 2>&1)"
	must umount "$2"
	check_says "it is adopted" "$mapping is there" "$(vssctl volumes adopt "$2" 2>&1)"
	check_equal "fstab has its UUID" "UUID=$uuid $2 ext4 nofail 0 0" "$(tail -n 1 /etc/fstab)"
	check "which leads to the mapping" leads_to "/dev/disk/by-uuid/$uuid" "$mapping"
	check "its own name is its own" test "$(number_of "$1")" != "$(number_of "$mapping")"
	check "it is mounted" mount "$2"
	check_equal "through the mapping" "$mapping" "$(mounted_from "$2")"
	check_equal "and has its provider" "True dm None" "$(said_of "$2")"
	over="0 $(blockdev --getsz "$1") linear $(number_of "$1") 0"
	check_equal "the mapping lies on it" "$over" "$(dmsetup table "${mapping#/dev/mapper/}")"
}

released() { # DEVICE DIRECTORY
	must umount "$2"
	check "$1 is released" vssctl volumes release "$2"
	check_equal "fstab has its name again" "$1 $2 ext4 nofail 0 0" "$(tail -n 1 /etc/fstab)"
	check "it is mounted" mount "$2"
	check_equal "as it is" "$1" "$(mounted_from "$2")"
	check_equal "with all that was written" "$sum" "$(sha256sum <"$2/data")"
	must umount "$2"
	check "it passes its file system's check" fsck_copy "$1" ext4
	sed -i '$d' /etc/fstab
}

write_part() { # VOLUME MIB
	dd if=/dev/urandom of="$1/data" bs=1M count=4 seek="$2" conv=fsync,notrunc status=none
}

# Not from the page cache.
of_copy() {
	echo 3 >/proc/sys/vm/drop_caches
	sha256sum <"${copies[0]:-/none}/data"
}

# Under load: its copies are of one instant.
set_is_made() { # VOLUME...
	local low high answer
	low=$(load_value)
	answer=$(vssctl create --quiet --json --keep "$@") || return
	high=$(load_value)
	set_made "$answer" "$@" && "$programs/vss-verify" --between "$low" "$high" "${copies[@]/%//counter}"
}

# What multipathd does to its own map is its own matter, and copies fill and grow.
state() {
	machine_state | grep -Ev "^$map:|^vss_[^ ]*-cow: |\"(used|maximum)_bytes\":"
}

# --- the disk as a whole --------------------------------------------------------------------------

whole() {
	local table middle before reloads
	note "$(dmsetup table "$map") / $(dmsetup info -c --noheadings -o uuid "$map")"
	adopted_at_once "$device" /srv/whole 'multipathd writes anew'
	check_says "one of its paths is not adopted" 'VOLUME_NOT_SUPPORTED' "$(vssctl volumes adopt "/dev/$(path 0)" 2>&1)"
	check_says "nor copied" 'VOLUME_NOT_SUPPORTED' "$(vssctl create "/dev/$(path 0)" 2>&1)"
	must dd if=/dev/urandom of=/srv/whole/data bs=1M count=24 conv=fsync status=none
	sum=$(sha256sum </srv/whole/data)
	before=$(state)
	load_start /srv/whole/counter /srv/a/counter
	check "multipathd loads the map anew" reloads_start
	check "meanwhile a set of it and a logical volume is made, of one instant" set_is_made /srv/whole /srv/a
	check "all the time" reloads_stop
	note "$reloads times; the load's pause: $(load_pause) ms"

	table=$(dmsetup table "$map")
	check "a path fails" path_fails 0
	check "the volume is written on" write_part /srv/whole 0
	check "the path returns" path_returns 0
	check "the volume is written on" write_part /srv/whole 4
	check "a path goes for good" path_goes 0
	middle=$(dmsetup table "$map")
	check "the volume is written on" write_part /srv/whole 8
	check "another comes" path_comes 0
	check "the map was written anew for both" test "$table" != "$middle" -a "$middle" != "$(dmsetup table "$map")"
	check "the old one fails" path_fails 1
	check "the volume is written on, by the new one" write_part /srv/whole 12
	check "the old one returns" path_returns 1
	note "the load's pause: $(load_pause) ms"
	check_equal "the copy lies between the volume and the map as before" "$over" "$(dmsetup table vss-srv-whole-real)"
	check_equal "and has what was there" "$sum" "$(of_copy)"
	check "it passes its file system's check" fsck_copy "${devices[0]:-/none}" ext4
	sum=$(sha256sum </srv/whole/data)
	check "it is deleted" vssctl delete "${set:-none}"
	check "no write of the load failed" load_stop
	check_equal "nothing is left" "$before" "$(state)"
	check_equal "what was written meanwhile is on the disk" "$sum $(awk '{ print $NF }' <<<"$load_summary")" \
		"$(umount /srv/whole && mount /srv/whole && sha256sum </srv/whole/data) $(load_value)"
}

# No path is left, and what is written waits for one (no_path_retry queue).
away() {
	local before asked
	printf '[Stores]\nDefault=/var/lib/vssd/stores\n[Timeouts]\nFlush=5s\n' >"$conf"
	must systemctl restart vssd
	must vssctl volumes
	before=$(state)
	load_start /srv/whole/counter /srv/a/counter
	check "a path fails" path_fails 0
	check "so does the other" path_fails 1
	check_says "a set ends for want of time" FLUSH_WRITES_TIMEOUT "$(timeout 60 vssctl create --keep /srv/whole /srv/a 2>&1)"
	check "the service has its answers meanwhile" timeout 20 vssctl list
	vssctl volumes >"$work/volumes" 2>&1 &
	asked=$!
	check "nothing is suspended" no_suspended_device
	check "one path returns" path_returns 1
	check "so does the other" path_returns 0
	check "and all is written" timeout 60 sync -f /srv/whole
	check "who has asked for the volumes, one of which nobody can read, has the answer then" wait "$asked"
	check_equal "nothing is left" "$before" "$(state)"
	check "then a set is made" set_is_made /srv/whole /srv/a
	check "and deleted" vssctl delete "${set:-none}"
	check "no write of the load failed" load_stop
	rm "$conf"
	must systemctl restart vssd
}

# As at boot, when the disks are there before multipathd.
late() {
	local uuid
	uuid=$(uuid_of "$device")
	must umount /srv/whole
	must dmsetup remove --retry vss-srv-whole
	must systemctl stop "${units[@]}"
	must multipath -f "$map"
	must udevadm settle
	must systemctl start --no-block srv-whole.mount
	check "the mount waits for the map, with its paths there" wait_for 20 eval "systemctl list-jobs | grep srv-whole.mount"
	note "its UUID leads to $(readlink -f "/dev/disk/by-uuid/$uuid")"
	check "and not for one of them" not findmnt "/srv/whole"
	must systemctl start multipathd.service
	check "multipathd makes the map, and it is mounted" wait_for 90 mountpoint -q /srv/whole
	check_equal "through its mapping" /dev/mapper/vss-srv-whole "$(mounted_from /srv/whole)"
	check_equal "which lies on the map" "$(number_of "$device")" "$(dmsetup table vss-srv-whole | cut -d ' ' -f 4)"
}

# --- a partition of it ----------------------------------------------------------------------------

part() {
	local tables before
	must wipefs -qa "$device"
	must partition "$device" 100 60
	must kpartx -u -p -part "$device"
	must udevadm settle
	must test -b "$device-part1" -a -b "$device-part2"
	adopted_at_once "$device-part1" /srv/part 'kpartx maps anew'
	must dd if=/dev/urandom of=/srv/part/data bs=1M count=24 conv=fsync status=none
	sum=$(sha256sum </srv/part/data)
	before=$(state)
	load_start /srv/part/counter /srv/a/counter
	check "a set of it and a logical volume is made, of one instant" set_is_made /srv/part /srv/a
	tables=$(state)
	check "a path goes for good" path_goes 1
	check "the volume is written on" write_part /srv/part 0
	check "another comes" path_comes 1
	check "kpartx maps the partitions anew" kpartx -u -p -part "$device"
	check "so does udev" udevadm trigger --settle --action=change "$device"
	check "the volume is written on" write_part /srv/part 4
	check_equal "all that lies on the partition is as it was" "$tables" "$(state)"
	check_equal "the copy has what was there" "$sum" "$(of_copy)"
	check "it passes its file system's check" fsck_copy "${devices[0]:-/none}" ext4
	sum=$(sha256sum </srv/part/data)
	check "it is deleted" vssctl delete "${set:-none}"
	check "no write of the load failed" load_stop
	check_equal "nothing is left" "$before" "$(state)"
}

begin() { # PART
	"$1"
	note "$1 took $((SECONDS - began)) s"
	began=$SECONDS
}

began=$SECONDS
must mkdir -p -m 700 /var/lib/vssd/stores
must vssctl volumes
vg_make /dev/disk/by-id/virtio-data0
volume_make a 64M ext4
begin paths_begin
begin whole
begin away
begin late
released "$device" /srv/whole
begin part
released "$device-part1" /srv/part
check "no device is left suspended" no_suspended_device
check "nothing of ours holds the map" multipath -f "$map"
finish
