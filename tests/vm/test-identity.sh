#!/bin/bash
# A copy has the UUID and the label of its origin, and nobody may take one for the other: not udev and its links,
# not systemd, blkid, findfs and `mount -a`, neither while the copies are made nor after a trigger nor after a
# reboot with a fstab of UUIDs and labels. And a copy mounts read-only at once, by anybody's hand.
#
# usage: test-identity.sh before|after: in the first boot, and in the second one on the same disks.
. "$(dirname "$0")/lib.sh"
trap - EXIT # the disks are kept

names=(a b c d) # the LVs: thick ext4 and XFS, thin ext4 and XFS; /srv/NAME has the label l-NAME
volumes=(/srv/a /srv/b /srv/c /srv/d /)

device_of() { # PATH
	local device
	device=$(readlink -f "$1")
	echo "${device##*/}"
}

origin_of() { # VOLUME
	case $1 in
	/) echo /dev/vmroot/root ;;
	/srv/g) echo /dev/mapper/g ;;
	*) echo "/dev/$vg/${1##*/}" ;;
	esac
}

# Says who is asked where a volume is, and answers with something else.
asked_for_a_volume() { # VOLUME
	local origin uuid label wanted units result=0
	origin=$(origin_of "$1")
	wanted=$(device_of "$origin")
	uuid=$(blkid -p -o value -s UUID "$origin")
	label=$(blkid -p -o value -s LABEL "$origin")
	answers() { # ANSWER QUESTION...
		[ "$1" = "$wanted" ] || {
			echo "$1 instead of $wanted ($origin): ${*:2}"
			result=1
		}
	}
	[ -n "$uuid" ] && [ -n "$label" ] || return
	answers "$(device_of "/dev/disk/by-uuid/$uuid")" udev, by-uuid
	answers "$(device_of "/dev/disk/by-label/$label")" udev, by-label
	answers "$(device_of "$(blkid -U "$uuid")")" blkid -U
	answers "$(device_of "$(blkid -L "$label")")" blkid -L
	answers "$(device_of "$(findfs "UUID=$uuid")")" findfs UUID
	answers "$(device_of "$(findfs "LABEL=$label")")" findfs LABEL
	read -ra units < <(systemd-escape -p --suffix=device "/dev/disk/by-uuid/$uuid" "/dev/disk/by-label/$label")
	mapfile -t units < <(systemctl show -P SysFSPath "${units[@]}" | grep .)
	answers "$(device_of "${units[0]:-}")" systemd, by-uuid
	answers "$(device_of "${units[1]:-}")" systemd, by-label
	return "$result"
}

# What udev knows of the devices whose names match: a file system, or a link under /dev/disk.
known_to_udev() { # PATTERN
	local name minor
	while read -r name minor; do
		udevadm info "/sys/class/block/dm-$minor" >"$work/known" || echo "of $name udev knows nothing"
		grep -E '^(S: disk/|E: ID_FS_)' "$work/known" | sed "s|^|$name |"
	done < <(dmsetup info -c --noheadings --separator ' ' -o name,minor | grep -E -- "($1) ")
}

# The same of the events since events_start, each as it was when udev had done with it.
events_start() {
	udevadm monitor --udev --property --subsystem-match=block >"$work/events" 2>&1 &
	monitor=$!
	wait_for 30 grep -q '^UDEV' "$work/events"
}

events_stop() {
	udevadm settle
	kill "$monitor"
	wait "$monitor" 2>/dev/null
}

known_in_events() { # PATTERN
	awk -v RS= -v pattern="DM_NAME=[^\n]*($1)(\n|$)" \
		'$0 ~ pattern && /DEVLINKS=[^\n]*\/dev\/disk\/|\nID_FS_/ { print }' "$work/events"
}

layers='vss_ShadowCopy[0-9]*|-real|-cow'

nobody_is_confused() { # NAME
	local volume
	for volume in "${volumes[@]}"; do
		check "$1: whoever asks for $volume is led to it" asked_for_a_volume "$volume"
	done
	check_equal "$1: udev knows no file system of a copy" "" "$(known_to_udev "$layers")"
}

mount_all() { # NAME
	local volume
	must umount "${names[@]/#//srv/}"
	check "$1: mount -a" mount -a
	for volume in "${names[@]/#//srv/}"; do
		check_equal "$1: $volume is mounted from its origin" "$(device_of "$(origin_of "$volume")")" \
			"$(device_of "$(findmnt -no SOURCE "$volume")")"
	done
}

mount_by_hand() { # DEVICE OPTIONS FILE
	mkdir -p "$work/hand"
	mount -o "$2" "$1" "$work/hand" || return
	cat "$work/hand/$3"
	umount "$work/hand"
}

# The service's own mounts away, and back again.
copies_mount_by_hand() { # OPTIONS-EXT4 OPTIONS-XFS
	local i copy options
	for i in "${!made_copies[@]}"; do
		copy=${made_copies[i]}
		options=$1
		[ "${made_types[i]}" = ext4 ] || options=$2
		must umount "$copy"
		check_equal "${volumes[i]}: its copy mounts by hand with -o $options" old \
			"$(mount_by_hand "${made_devices[i]}" "$options" "${old_files[i]}" 2>&1)"
	done
	must systemctl restart vssd
	for i in "${!made_copies[@]}"; do
		check_equal "${volumes[i]}: the service mounts it again" old "$(cat "${made_copies[i]}/${old_files[i]}")"
	done
}

old_files=(file file file file var/tmp/file)

# A volume that LVM knows nothing of. Its copy ends with the boot.
mapped() {
	local disk=/dev/disk/by-id/virtio-data2 answer set copies devices types moment
	# Not from the disk's first sector on: the disk would have the same file system.
	must dmsetup create g --table "0 200000 linear $(readlink -f "$disk") 2048"
	must mkfs.ext4 -q -L l-g /dev/mapper/g
	must mkdir -p /srv/g /etc/vss
	must mount /dev/mapper/g /srv/g
	printf '[Stores]\nDefault=%s\n' "$vg" >/etc/vss/vssd.conf
	must systemctl restart vssd
	events_start
	answer=$(vssctl create --json --keep /srv/g 2>"$work/said")
	check "a set of a mapped volume: $(cat "$work/said")" set_made "$answer" /srv/g
	events_stop
	check_says "udev has met it" 'DM_NAME=vss_ShadowCopy' "$(cat "$work/events")"
	check_equal "mapped: while it was made udev knew no file system of a copy" "" "$(known_in_events "$layers")"
	for moment in change add; do
		check "mapped: whoever asks for /srv/g is led to it" asked_for_a_volume /srv/g
		check_equal "mapped: udev knows no file system of a copy" "" "$(known_to_udev "$layers")"
		must udevadm trigger --settle --subsystem-match=block --action="$moment"
	done
	check "mapped: whoever asks for /srv/g is led to it, still" asked_for_a_volume /srv/g
	check "mapped: the set is deleted" vssctl delete "$set"
	check "mapped: whoever asks for /srv/g is led to it, afterwards" asked_for_a_volume /srv/g
	rm /etc/vss/vssd.conf
	must umount /srv/g
	must dmsetup remove g
}

before() {
	local answer set copies devices types
	vg_make /dev/disk/by-id/virtio-data[01]
	mapped
	must lvcreate -qq -y -T -L 800M "$vg/pool"
	volume_make a 64M ext4
	volume_make b 320M xfs
	thin_make c 64M ext4
	thin_make d 320M xfs
	must umount /srv/[abcd]
	for lv in a c; do must e2label "/dev/$vg/$lv" "l-$lv"; done
	for lv in b d; do must xfs_admin -L "l-$lv" "/dev/$vg/$lv"; done
	for lv in a b; do
		printf 'UUID=%s /srv/%s auto defaults,nofail 0 0\n' "$(blkid -p -o value -s UUID "/dev/$vg/$lv")" "$lv"
	done >>/etc/fstab
	for lv in c d; do printf 'LABEL=l-%s /srv/%s auto defaults,nofail 0 0\n' "$lv" "$lv"; done >>/etc/fstab
	must systemctl daemon-reload
	must mount -a
	echo old | tee /srv/{a,b,c,d}/file >/var/tmp/file

	must vssctl volumes
	load_start /srv/{a,b,c,d}/counter # so that there is something in the journals
	events_start
	answer=$(vssctl create --json --keep "${volumes[@]}" 2>&1)
	check "a set" set_made "$answer" "${volumes[@]}"
	made_copies=("${copies[@]}") made_devices=("${devices[@]}") made_types=("${types[@]}")
	events_stop
	check "no write of the load failed" load_stop
	check_says "udev has met the copies" 'DM_NAME=.*vss_ShadowCopy' "$(cat "$work/events")"
	check_equal "while it was made udev knew no file system of a copy" "" "$(known_in_events "$layers")"
	# A later one, that has to be the right one.
	echo new | tee /srv/{a,b,c,d}/file >/var/tmp/file
	nobody_is_confused "made"
	must udevadm trigger --settle --subsystem-match=block
	nobody_is_confused "udevadm trigger"
	must udevadm trigger --settle --subsystem-match=block --action=add
	nobody_is_confused "udevadm trigger --action=add"
	mount_all "made and triggered"

	events_start
	must lvcreate -qq -y -s -L 16M -n foreign "$vg/a"
	events_stop
	check_says "negative control: of LVM's own snapshot udev knows it" '^ID_FS_UUID=' "$(known_in_events foreign)"
	check_says "negative control: and has made its links" ' S: disk/' "$(known_to_udev foreign)"
	must lvremove -qq -y "$vg/foreign"

	copies_mount_by_hand ro ro,nouuid
	# As mkinitramfs calls it, which would take minutes here.
	must mkdir "$work/initramfs"
	check "the hook says what goes before it" /usr/share/initramfs-tools/hooks/vss prereqs
	check "the hook puts the rule into the initramfs" env DESTDIR="$work/initramfs" verbose=n /usr/share/initramfs-tools/hooks/vss
	check "there it is" cmp /lib/udev/rules.d/57-vss.rules \
		"$(find "$work/initramfs" -path '*/lib/udev/rules.d/57-vss.rules')"
	declare -p made_copies made_devices made_types >/var/tmp/set
	sync
}

after() {
	# shellcheck disable=SC1091
	. /var/tmp/set
	check "the volumes are mounted" wait_for 60 eval 'findmnt /srv/a && findmnt /srv/b && findmnt /srv/c && findmnt /srv/d'
	for volume in "${names[@]/#//srv/}"; do
		check_equal "systemd has mounted $volume from its origin" "$(device_of "$(origin_of "$volume")")" \
			"$(device_of "$(findmnt -no SOURCE "$volume")")"
		check_equal "and it has its content" new "$(cat "$volume/file")"
	done
	check "the service starts" vssctl list
	check "the copies are mounted" wait_for 60 findmnt "${made_copies[-1]}"
	udevadm settle
	nobody_is_confused "rebooted"
	mount_all "rebooted"
	copies_mount_by_hand ro ro,nouuid

	# A thin copy can be there without its origin; then, and only then, whoever looks through all devices finds it.
	uuid=$(blkid -p -o value -s UUID "/dev/$vg/c")
	must umount /srv/c
	must lvchange -qq -an "$vg/c"
	udevadm settle
	check_equal "without its volume, too, a copy has no link" "" "$(known_to_udev "$layers"; ls "/dev/disk/by-uuid/$uuid" 2>/dev/null)"
	note "blkid -U finds then: $(lsblk -dno NAME "$(blkid -U "$uuid")" 2>&1)"
	must lvchange -qq -ay "$vg/c"
	udevadm settle
	check "the volume is back: whoever asks for it is led to it" asked_for_a_volume /srv/c
	check_equal "the volume is back: udev knows no file system of a copy" "" "$(known_to_udev "$layers")"
	must mount -a

	for set in $(sets_there); do
		check "the set is deleted" vssctl delete "$set"
	done
	nobody_is_confused "deleted"
}

"$1"
finish
