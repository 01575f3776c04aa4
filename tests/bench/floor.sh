# shellcheck shell=bash
# Snapshots of mounted LVs staged by dmsetup, for window-floor to commit: the devices and the order that
# docs/architecture.md describes, with nothing of the service in it, and nothing that LVM knows of, whose
# commands would take most of the time. Sourced, after tests/vm/lib.sh, whose work, vg and
# programs it uses.
# shellcheck disable=SC2154

FLOOR_STORE_MIB=16 # of each snapshot: a slice of the LV `floor`

# The devices are called as LVM calls its own, and have such UUIDs: LVM and udev do not look into them.
floor_device() { # NAME UUID TABLE
	dmsetup create "$1" --uuid "$2" --table "$3"
}

# floor_stage CHUNK LV... makes VG-LV--floor for each LV, ready to be committed.
floor_stage() {
	local chunk=$1 lv uuid size real slice table i=0
	shift
	lvcreate -qq -y -W n -Z n -n floor -L "$(($# * FLOOR_STORE_MIB))M" "$vg" || return
	for lv in "$@"; do
		uuid=$(dmsetup info -c --noheadings -o uuid "$vg-$lv") || return
		size=$(blockdev --getsz "/dev/$vg/$lv") || return
		table=$(dmsetup table "$vg-$lv") || return
		slice=$((i++ * FLOOR_STORE_MIB * 2048))
		dd if=/dev/zero of="/dev/$vg/floor" bs=64K count=1 seek=$((slice / 128)) oflag=direct status=none || return
		floor_device "$vg-$lv--floor-cow" "$uuid-floor-cow" "0 $((FLOOR_STORE_MIB * 2048)) linear /dev/$vg/floor $slice" || return
		floor_device "$vg-$lv-real" "$uuid-real" "$table" || return
		real=/dev/mapper/$vg-$lv-real
		dmsetup create "$vg-$lv--floor" --uuid "$uuid-floor" --notable || return
		dmsetup load "$vg-$lv--floor" --table "0 $size snapshot $real /dev/mapper/$vg-$lv--floor-cow P $((${chunk%k} * 2))" || return
		dmsetup load "$vg-$lv" --table "0 $size snapshot-origin $real" || return
	done
}

# The volumes as they were before.
floor_remove() { # LV...
	local lv
	for lv in "$@"; do
		dmsetup reload "$vg-$lv" --table "$(dmsetup table "$vg-$lv-real")" || return
		dmsetup suspend "$vg-$lv" || return
		dmsetup resume "$vg-$lv" || return
		dmsetup remove --retry "$vg-$lv--floor" || return
		dmsetup remove --retry "$vg-$lv--floor-cow" || return
		dmsetup remove --retry "$vg-$lv-real" || return
	done
	lvremove -qq -y "$vg/floor"
}

# floor_window LV...: commits what was staged; prints window-floor's line.
floor_window() {
	local lv pairs=()
	for lv in "$@"; do
		pairs+=("$vg-$lv" "$vg-$lv--floor")
	done
	"$programs/window-floor" "${pairs[@]}"
}
