# shellcheck shell=bash
# Thick LVM snapshots staged by LVM's own commands and dmsetup, for window-floor to commit: the
# recipe that docs/architecture.md describes, with nothing of the service in it. Sourced, after
# tests/vm/lib.sh, whose work, vg and programs it uses.
# shellcheck disable=SC2154

lvm_batch() { # commands on stdin: one lvm process saves the start-up of each
	lvm >"$work/lvm.log" 2>&1 || {
		cat "$work/lvm.log"
		return 1
	}
}

# floor_stage CHUNK LV... makes LV-floor for each LV, ready to be committed.
floor_stage() {
	local chunk=$1 lv uuid origin_uuid size cow origin
	local -A cow_tables cow_uuids
	shift
	for lv in "$@"; do
		echo "lvcreate -qq -y -W y -Z y -n $lv-floor -L 16M $vg"
	done | lvm_batch || return
	for lv in "$@"; do
		cow_tables[$lv]=$(dmsetup table "$vg-$lv--floor") || return
		cow_uuids[$lv]=$(dmsetup info -c --noheadings -o uuid "$vg-$lv--floor") || return
	done
	{
		for lv in "$@"; do
			echo "lvchange -qq -a n $vg/$lv-floor"
		done
		for lv in "$@"; do
			echo "lvconvert -qq --driverloaded n -y -Z n --type snapshot -c $chunk $vg/$lv $vg/$lv-floor"
		done
	} | lvm_batch || return
	for lv in "$@"; do
		uuid=${cow_uuids[$lv]}
		origin_uuid=$(dmsetup info -c --noheadings -o uuid "$vg-$lv") || return
		size=$(blockdev --getsz "/dev/$vg/$lv") || return
		dmsetup create "$vg-$lv--floor-cow" --uuid "$uuid-cow" --table "${cow_tables[$lv]}" || return
		dmsetup create "$vg-$lv-real" --uuid "$origin_uuid-real" --table "$(dmsetup table "$vg-$lv")" || return
		dmsetup create "$vg-$lv--floor" --uuid "$uuid" --notable || return
		cow=$(dmsetup info -c --noheadings -o major,minor --separator : "$vg-$lv--floor-cow") || return
		origin=$(dmsetup info -c --noheadings -o major,minor --separator : "$vg-$lv-real") || return
		dmsetup load "$vg-$lv--floor" --table "0 $size snapshot $origin $cow P $((${chunk%k} * 2))" || return
		dmsetup load "$vg-$lv" --table "0 $size snapshot-origin $origin" || return
	done
}

# What is left to do afterwards is LVM's own affair: to it these are ordinary snapshots.
floor_remove() { # LV...
	local lv
	for lv in "$@"; do
		echo "lvremove -qq -y $vg/$lv-floor"
	done | lvm_batch
}

# floor_window LV...: commits what was staged; prints window-floor's line.
floor_window() {
	local lv pairs=()
	for lv in "$@"; do
		pairs+=("$vg-$lv" "$vg-$lv--floor")
	done
	"$programs/window-floor" "${pairs[@]}"
}
