#!/bin/bash
# Kinds of volumes: of each that is accepted, a copy with its content and a deletion that leaves nothing; of
# each that is not, the refusal with its reason, before anything is changed.
#
# usage: test-kinds.sh [quick] [PART...]: only these of the parts, which are functions: segments cached several
# deleted unmounted unfit groups elsewhere stacked names listed
#
# Quick, each kind has one set, a cache is struck once, where most can go wrong (daemon and guard killed in the
# window), and several is left out: test-storage.sh and test-thin.sh have some of it.
. "$(dirname "$0")/lib-storage.sh"

quick=false
[ "${1:-}" != quick ] || { quick=true && shift; }
parts=("$@")
all_parts=(segments cached deleted unmounted unfit groups elsewhere stacked names listed)
"$quick" || all_parts+=(several)
[ ${#parts[@]} -gt 0 ] || parts=("${all_parts[@]}")

modprobe -a dm-snapshot dm-thin-pool dm-cache dm-cache-smq dm-writecache dm-raid dm-mirror dm-integrity raid1 raid456 raid10 loop overlay 2>/dev/null

refused() { # NAME PATTERN VOLUME
	check_says "$1 is refused" "VOLUME_NOT_SUPPORTED: .*$2" "$(storage_set probe "$3" 2>&1)"
}

# At the latest when a set is made, and then nothing of it is there.
refused_late() { # NAME PATTERN VOLUME
	local before
	baseline
	check_says "$1 is refused" "$2" "$(storage_set create "$3" 2>&1)"
	unchanged "$1: nothing is changed"
}

# A set, and that its copies are of the old content, in /srv/NAME each.
copied() { # WHAT NAME...
	local what=$1 name wanted="" found="" targets=()
	shift
	for name in "$@"; do
		echo "old $name" >"/srv/$name/file"
		targets+=("/srv/$name")
		wanted+="old $name "
	done
	check "a set of $what" create "${targets[@]}"
	for name in "$@"; do
		echo new >"/srv/$name/file"
		must sync -f "/srv/$name/file"
		found+="$(cat "$(copy_of "/srv/$name/")/file") "
	done
	check_equal "$what: the copies have the old content" "$wanted" "$found"
}

mount_new() { # LV FSTYPE: on /srv/LV
	must "mkfs.$2" -q "/dev/$vg/$1"
	must mkdir -p "/srv/$1"
	must mount "/dev/$vg/$1" "/srv/$1"
}

in_sync() { # LV
	wait_for 60 eval "[ \"\$(lvs --noheadings -o sync_percent $vg/$1 | tr -d ' ')\" = 100.00 ]"
}

# --- what LVM makes volumes of ------------------------------------------------------------------

segments() {
	local before middle name
	must lvcreate -qq -y -W y --type striped -i 2 -n striped -L 64M "$vg"
	must lvcreate -qq -y -W y --type raid0 -i 2 -n raid0 -L 64M "$vg"
	must lvcreate -qq -y -W y --type raid5 -i 2 -n raid5 -L 64M "$vg"
	must lvcreate -qq -y -W y --type raid10 -i 2 -m 1 -n raid10 -L 64M "$vg"
	for name in striped raid0 raid5 raid10; do
		mount_new "$name" ext4
	done
	must in_sync raid5
	must in_sync raid10
	baseline
	copied "stripes, RAID 0, 5 and 10" striped raid0 raid5 raid10
	middle=$(state)
	must vgchange --refresh "$vg"
	check_equal "vgchange --refresh changes nothing for them" "$middle" "$(state)"
	"$quick" || copied "stripes, RAID 0, 5 and 10 that have copies" striped raid0 raid5 raid10
	check "RAIDs: all copies are deleted" storage_set delete
	unchanged "RAIDs: deletion leaves nothing"
	for name in striped raid0 raid5 raid10; do
		check_equal "$name has its content" new "$(cat /srv/"$name"/file)"
		must umount /srv/"$name"
		check "$name passes its check" fsck_copy /dev/"$vg"/"$name" ext4
		must lvremove -qq -y "$vg"/"$name"
	done
}

# A cache has in memory what the disks do not, and two of them over the same disks would each undo what the
# other does: only one may ever work.
cached_is_whole() { # WHAT: the content is there after all that, from the disks alone
	local name
	for name in slow wslow; do
		check_equal "$1: $name has its content" "$wanted" "$(sha256sum <"/srv/$name/data")"
		must umount "/srv/$name"
		must lvchange -qq -an "$vg/$name"
		must lvchange -qq -ay "$vg/$name"
		check "$1: $name passes its check" fsck_copy "/dev/$vg/$name" ext4
		must mount "/dev/$vg/$name" "/srv/$name"
		check_equal "$1: $name has its content when it is activated anew" "$wanted" "$(sha256sum <"/srv/$name/data")"
	done
	watch_volumes slow wslow # the devices have other numbers now
	baseline
}

# Dirty in the caches.
cached_write() {
	local name
	must dd if=/dev/urandom of="$work/data" bs=1M count=8 status=none
	wanted=$(sha256sum <"$work/data")
	for name in slow wslow; do
		must cp "$work/data" "/srv/$name/data"
		must sync -f "/srv/$name/data"
	done
}

# A cache whose metadata cannot be written any more: the kernel gives it up when it next has to.
cached_failed() {
	local meta table
	meta=$(dmsetup table "$vg-slow" | cut -d ' ' -f 4)
	meta=$(dmsetup info -c --noheadings -o name -j "${meta%:*}" -m "${meta#*:}")
	table=$(dmsetup table "$meta")
	must dmsetup load "$meta" --table "$(cut -d ' ' -f 1,2 <<<"$table") error"
	must dmsetup suspend --noflush --nolockfs "$meta"
	must dmsetup resume "$meta"
	dd if=/dev/urandom of="/dev/$vg/slow" bs=1M count=8 oflag=direct status=none 2>/dev/null
	must wait_for 30 eval "dmsetup status '$vg-slow' | grep -Eq 'Fail|Error| ro |needs_check'"
	note "the cache says: $(dmsetup status "$vg-slow")"
	refused_late "a cache that has failed" "PROVIDER_VETO: .* has a cache (that|whose)" "$vg/slow"
	must dmsetup load "$meta" --table "$table"
	must dmsetup suspend --noflush --nolockfs "$meta"
	must dmsetup resume "$meta"
}

cached_ways_back() {
	local step
	for step in stage window; do
		cached_write
		check "cached: abort after $step" storage_set create --abort-after="$step" /srv/slow /srv/wslow
		unchanged "cached: abort after $step leaves nothing"
		storage_set create --exit-after="$step" /srv/slow /srv/wslow >/dev/null
		check "cached: the end of the process after $step is recovered from" storage_set recover
		unchanged "cached: the end of the process after $step leaves nothing"
	done
	cached_is_whole "ways back"
	cached_write
	check_says "cached: a failed commit is told" UNEXPECTED_PROVIDER_ERROR "$(storage_set create --commit=fail /srv/slow /srv/wslow 2>&1)"
	unchanged "cached: a failed commit leaves nothing"
	storage_set create --commit=kill /srv/slow /srv/wslow >/dev/null 2>&1
	check "cached: killed in the window, the guard resumes" wait_for 10 none_suspended
	cached_write
	check "cached: killed in the window, recovery" storage_set recover
	unchanged "cached: killed in the window, nothing is left"
}

cached() {
	local before name wanted creation
	must lvcreate -qq -y -W y -n slow -L 64M "$vg"
	must lvcreate -qq -y -W y -n fast -L 32M "$vg"
	must lvconvert -qq -y --type cache --cachemode writeback --cachevol fast "$vg/slow"
	if [ "$(printf '%s\n' 2.03.24 "$(lvm version | awk '/LVM version/ { print $3 }')" | sort -V | head -n 1)" != 2.03.24 ]; then
		refused_late "a cachevol, by this LVM" 'VOLUME_NOT_SUPPORTED.*LVM before 2.03.24' "$vg/slow"
		must lvconvert -qq -y --uncache "$vg/slow"
		must lvcreate -qq -y -W y -n fast -L 32M "$vg"
		must lvconvert -qq -y --type cache --cachemode writeback --cachepool fast "$vg/slow"
	fi
	must lvcreate -qq -y -W y -n wslow -L 64M "$vg"
	must lvcreate -qq -y -W y -n wfast -L 32M "$vg"
	must lvchange -qq -an "$vg/wslow" "$vg/wfast"
	must lvconvert -qq -y --type writecache --cachevol wfast "$vg/wslow"
	must lvchange -qq -ay "$vg/wslow"
	mount_new slow ext4
	mount_new wslow ext4
	watch_volumes slow wslow
	cached_write
	baseline
	copied "cached volumes" slow wslow
	for name in slow wslow; do
		check_equal "the copy of $name has what was in the cache" "$wanted" "$(sha256sum <"$(copy_of "/srv/$name/")/data")"
	done
	if ! "$quick"; then
		cached_write
		copied "cached volumes that have copies" slow wslow
	fi
	check "cached: all copies are deleted" storage_set delete
	unchanged "cached: deletion leaves nothing"
	cached_is_whole "deletion"

	"$quick" || cached_ways_back
	cached_write
	# Whoever comes next finds one of the two caches, of each, and which of them has worked.
	storage_set create --commit=stop --hold=60000 /srv/slow /srv/wslow >/dev/null 2>&1 &
	creation=$!
	check "cached: stopped in the window" wait_for 60 all_suspended
	pkill -KILL vssd-guard
	pkill -KILL -x storage-set
	wait "$creation"
	check "cached: daemon and guard killed: recovery" timeout 60 "$programs/storage-set" recover
	check "cached: daemon and guard killed: nothing is suspended" none_suspended
	unchanged "cached: daemon and guard killed: nothing is left"
	cached_is_whole "failures in the window"

	must create /srv/slow /srv/wslow
	copies=("$(copy_of /srv/slow/)" "$(copy_of /srv/wslow/)")
	must umount "${copies[@]}" /srv/slow /srv/wslow /srv/a /srv/b
	must vgchange -qq -an "$vg"
	rm -rf /dev/vss
	check "cached: copies that stay are activated" storage_set activate
	check_equal "cached: and have their content" "$wanted $wanted" \
		"$(sha256sum <"${copies[0]}/data") $(sha256sum <"${copies[1]}/data")"
	must vgchange -qq -ay "$vg"
	for name in a b slow wslow; do
		must mount "/dev/$vg/$name" "/srv/$name"
	done
	check "cached: and are deleted" storage_set delete
	check_equal "cached: and leave nothing" "" "$(dmsetup ls | grep -E 'ShadowCopy|-real' | grep -v _corig)"
	cached_is_whole "after a reboot"
	must umount /srv/slow /srv/wslow
	cached_failed
	must lvremove -qq -y "$vg/slow" "$vg/wslow"
}

# --- several copies -----------------------------------------------------------------------------

# vssctl's, so that one is deleted without the others.
copy() { # VOLUME CONTENT: into copies[0] and set
	local answer
	echo "$2" >"$1/file"
	must sync -f "$1/file"
	answer=$(vssctl create --json --keep "$1" 2>"$work/refusal") && set_made "$answer" "$1"
}

declare -A holds # what each copy's directory has in its file
readable() { # NAME
	local copy wanted="" found=""
	for copy in "${!holds[@]}"; do
		wanted+="$copy: ${holds[$copy]}"$'\n'
		found+="$copy: $(cat "$copy/file")"$'\n'
	done
	check_equal "$1" "$wanted" "$found"
}

several_of() { # KIND VOLUME LV [OPTION...]: OPTIONs that `lvcreate -s` needs
	local kind=$1 volume=$2 lv=$3 before i own=()
	shift 3
	holds=()
	baseline
	must lvcreate -qq -y -s "$@" -n foreign1 "$vg"/"$lv"
	for i in 1 2 3; do
		check "$kind: copy $i" copy "$volume" "state $i"
		holds[${copies[0]}]="state $i"
		own+=("${copies[0]}")
		[ "$i" != 2 ] || must lvcreate -qq -y -s "$@" -n foreign2 "$vg"/"$lv"
	done
	echo now >"$volume/file"
	must sync -f "$volume/file"
	readable "$kind: each copy has its own state, beside LVM's own snapshots"

	for i in 1 0; do # the second, the first
		check "$kind: $(basename "${own[i]}") is deleted" vssctl delete "$(basename "${own[i]}")"
		unset "holds[${own[i]}]"
		readable "$kind: the others are as they were"
		[ "$i" != 1 ] || must lvremove -qq -y "$vg"/foreign1
	done
	must vgchange --refresh "$vg"
	readable "$kind: and after vgchange --refresh"
	check "$kind: the last copy is deleted" vssctl delete "$(basename "${own[2]}")"
	must lvremove -qq -y "$vg"/foreign2
	check_equal "$kind: the volume has its content" now "$(cat "$volume/file")"
	unchanged "$kind: nothing is left"
}

several() {
	must lvcreate -qq -y -W y --type raid1 -m 1 -n raid1 -L 64M "$vg"
	mount_new raid1 ext4
	must in_sync raid1
	must lvcreate -qq -y -T -L 128M "$vg"/pool
	thin_make t 300M ext4
	several_of RAID /srv/raid1 raid1 -L 32M
	several_of thin /srv/t t
	must umount /srv/t /srv/raid1
	must lvremove -qq -y "$vg"/pool "$vg"/raid1
}

# While a set of the same volumes is in its window: the service's copy, the other program's set.
deleted() {
	local before creation deletion
	numbers=()
	watch_volumes a b
	baseline
	# The two count their copies each by itself, and the names are not to be the same.
	must create /srv/a /srv/b
	must storage_set delete
	must copy /srv/a old
	storage_set create --commit=stop --hold=60000 /srv/a /srv/b >"$work/made" 2>&1 &
	creation=$!
	must wait_for 60 all_suspended
	vssctl delete "$set" >"$work/deleted" 2>&1 &
	deletion=$!
	check "a deletion in the window of a set begins" wait_for 60 pgrep -x lvm -P "$(pidof vssd)"
	check "and resumes nothing in it" all_suspended
	pkill -CONT -x storage-set
	check "the set is made" wait "$creation"
	check "the copy is deleted" wait "$deletion"
	check "and the set is" storage_set delete
	unchanged "and nothing is left of both"
}

# --- not mounted, not writable --------------------------------------------------------------------

unmounted() {
	local before sum other
	must lvcreate -qq -y -W y -n idle -L 64M "$vg"
	mount_new idle ext4
	echo old >/srv/idle/file
	must umount /srv/idle
	baseline
	check_says "what is not mounted is a volume" 'not mounted, volume /dev/tank/idle on .*ext4' "$(storage_set probe "$vg"/idle)"
	check "a set of it" create "$vg"/idle
	must mount -o ro "$(device_of /dev/"$vg"/idle)" /mnt
	check_equal "its copy is a block device that can be mounted" old "$(cat /mnt/file)"
	must umount /mnt
	check "and is deleted" storage_set delete
	unchanged "and leaves nothing"

	must mount -o ro /dev/"$vg"/idle /srv/idle
	baseline
	check "a set of what is mounted read-only" create /srv/idle
	check_equal "its copy is read" old "$(cat "$(copy_of /srv/idle/)/file")"
	check "and deleted" storage_set delete
	unchanged "and leaves nothing mounted read-only"
	must umount /srv/idle
	must lvchange -qq -p r "$vg"/idle
	sum=$(sha256sum <"/dev/$vg/idle")
	baseline
	check "a set of a read-only volume" create "$vg"/idle
	check_equal "its copy is the same" "$sum" "$(sha256sum <"$(device_of /dev/"$vg"/idle)")"
	check "and can be deleted" storage_set delete
	unchanged "and nothing is left of it"
	must lvchange -qq -p rw "$vg"/idle

	# Mounted where nobody else sees it: the kernel freezes it all the same.
	unshare -m sh -c "mount /dev/$vg/idle /srv/idle && echo hidden >/srv/idle/file && echo ready && exec sleep 1000" \
		>"$work/hidden" &
	other=$!
	wait_for 20 grep -q ready "$work/hidden"
	check "a set of what is mounted in another namespace only" create "$vg"/idle
	must mount -o ro,noload "$(device_of /dev/"$vg"/idle)" /mnt
	check_equal "its copy has what was written there" hidden "$(cat /mnt/file)"
	must umount /mnt
	check "and is deleted while it is mounted there" storage_set delete
	kill "$other"
	wait "$other" 2>/dev/null
	must lvremove -qq -y "$vg"/idle
}

# --- what LVM has that is no volume, or not now -----------------------------------------------------

loop_group() { # NAME: of two loop devices in memory, in loops
	local i
	loops=()
	for i in 1 2; do
		must truncate -s 64M "$work/$1-$i"
		loops+=("$(losetup --show -f "$work/$1-$i")")
	done
	must vgcreate -qq "$1" "${loops[@]}"
	must lvcreate -qq -y -W y -n v -L 16M "$1" "${loops[0]}"
}

loop_group_remove() { # NAME
	vgremove -qq -ff -y "$1" >/dev/null 2>&1
	losetup -d "${loops[@]}"
	rm -f "$work/$1"-*
}

unfit() {
	local before
	must lvcreate -qq -y -s -L 32M -n foreign "$vg"/a
	refused "a snapshot" 'itself a snapshot; name its origin' "$vg"/foreign
	must lvremove -qq -y "$vg"/foreign

	must lvcreate -qq -y -W y --type mirror -m 1 --mirrorlog core -n mirror -L 16M "$vg"
	refused "a mirror of the old kind" 'lvconvert --type raid1' "$vg"/mirror
	refused "a mirror's leg" 'hidden device of LVM' "$vg"/mirror_mimage_0
	must lvcreate -qq -y -s -L 16M -n foreign "$vg"/mirror
	refused "a mirror with a snapshot" 'lvconvert --type raid1' "$vg"/mirror
	must lvremove -qq -y "$vg"/foreign "$vg"/mirror

	must lvcreate -qq -y -W y --type raid1 -m 1 -n raid -L 32M --maxrecoveryrate 128k "$vg"
	refused_late "a RAID that is not in sync" 'PROVIDER_VETO.*not healthy or not in sync' "$vg"/raid
	refused "a RAID's leg" 'hidden device of LVM' "$vg"/raid_rimage_0
	refused "a RAID's log" 'hidden device of LVM' "$vg"/raid_rmeta_0
	must lvremove -qq -y "$vg"/raid
	must lvcreate -qq -y -W y --type raid1 -m 1 -n raid -L 16M --raidintegrity y "$vg"
	refused "a RAID with integrity data" 'lvconvert --raidintegrity n' "$vg"/raid
	must lvremove -qq -y "$vg"/raid

	must lvcreate -qq -y -T -L 32M "$vg"/pool
	refused "a thin pool" 'hidden device of LVM' "$vg"/pool
	refused "a pool's data" 'hidden device of LVM' "$vg"/pool_tdata
	check_says "what is not active is not there" 'OBJECT_NOT_FOUND.*no active logical volume' "$(storage_set probe "$vg"/lvol0_pmspare)"
	must lvcreate -qq -y -W y -n fixed -L 16M "$vg"
	must lvchange -qq -an "$vg"/fixed
	must lvchange -qq -p r "$vg"/fixed
	must lvcreate -qq -y -s --thinpool "$vg"/pool -n onfixed "$vg"/fixed
	must lvchange -qq -ay "$vg"/fixed
	must lvchange -qq -ay -K "$vg"/onfixed
	refused "an external origin" 'external origin' "$vg"/fixed
	must lvremove -qq -y "$vg"/onfixed "$vg"/fixed "$vg"/pool

	must lvcreate -qq -y -W y -n moving -L 256M "$vg" /dev/disk/by-id/virtio-data0
	must sh -c "echo 1 >/sys/module/dm_mirror/parameters/raid1_resync_throttle" # percent, so that it lasts
	must pvmove -qq -b -i 1 -n moving /dev/disk/by-id/virtio-data0 /dev/disk/by-id/virtio-data1
	refused "what pvmove moves" 'pvmove --abort' "$vg"/moving
	check_says "what pvmove moves: so it is when a set is made" VOLUME_NOT_SUPPORTED "$(storage_set create "$vg"/moving 2>&1)"
	must pvmove -qq --abort
	must sh -c "echo 100 >/sys/module/dm_mirror/parameters/raid1_resync_throttle"
	wait_for 30 not eval "dmsetup ls | grep -q pvmove"
	must lvremove -qq -y "$vg"/moving

	must lvcreate -qq -y -s -L 32M -n back "$vg"/a
	must lvconvert -qq --merge "$vg"/back
	refused_late "what a snapshot is to be merged into" 'VOLUME_NOT_SUPPORTED.*merged with a snapshot' /srv/a
	must umount /srv/a
	must lvchange -qq -an "$vg"/a
	must lvchange -qq -ay "$vg"/a
	wait_for 30 not eval "lvs -a $vg | grep -q back"
	must mount /dev/"$vg"/a /srv/a
	baseline
	copied "it when that is over" a
	check "and its copy is deleted" storage_set delete
	unchanged "and nothing is left of that"
}

groups() {
	local before theirs='global { system_id_source = "lvmlocal" } local { system_id = "theirs" }'
	loop_group partial
	must losetup -d "${loops[1]}"
	wait_for 10 not losetup "${loops[1]}"
	refused_late "a group that lacks a physical volume" 'VOLUME_NOT_SUPPORTED.*lacks physical volumes' partial/v
	must losetup "${loops[1]}" "$work/partial-2"
	loop_group_remove partial

	# Activated while this host was the other one.
	loop_group foreign
	must vgchange -qq -an foreign
	must vgchange -qq -y --config "$theirs" --systemid theirs foreign
	must vgchange -qq --config "$theirs" -ay foreign
	refused_late "a group of another host" 'VOLUME_NOT_SUPPORTED.*system ID' foreign/v
	must vgchange -qq --config "$theirs" -an foreign
	must vgchange -qq -y --config "$theirs" --systemid '' foreign
	loop_group_remove foreign
}

# --- file systems with parts elsewhere ----------------------------------------------------------------

elsewhere() {
	local mounted half
	must lvcreate -qq -y -W y -n journal -L 16M "$vg"
	must lvcreate -qq -y -W y -n data -L 64M "$vg"
	must mke2fs -q -O journal_dev -b 4096 /dev/"$vg"/journal
	must mkfs.ext4 -q -b 4096 -J device=/dev/"$vg"/journal /dev/"$vg"/data
	must lvcreate -qq -y -W y -n log -L 64M "$vg"
	must lvcreate -qq -y -W y -n realtime -L 64M "$vg"
	must lvcreate -qq -y -W y -n xfs -L 300M "$vg"
	must mkfs.xfs -q -f -l logdev=/dev/"$vg"/log /dev/"$vg"/xfs
	must mkdir -p /srv/data /srv/xfs
	for mounted in no yes; do
		refused "ext4 with its journal elsewhere (mounted: $mounted)" 'journal is on another device' "$vg"/data
		refused "such a journal (mounted: $mounted)" 'journal of an ext4' "$vg"/journal
		refused "XFS with its log elsewhere (mounted: $mounted)" 'another device' "$vg"/xfs
		refused "such a log (mounted: $mounted)" 'log of an XFS' "$vg"/log
		[ "$mounted" = yes ] || must mount /dev/"$vg"/data /srv/data
		[ "$mounted" = yes ] || must mount -o logdev=/dev/"$vg"/log /dev/"$vg"/xfs /srv/xfs
	done
	must umount /srv/xfs /srv/data
	if mkfs.xfs -q -f -r rtdev=/dev/"$vg"/realtime /dev/"$vg"/xfs 2>/dev/null; then
		refused "XFS with a realtime device" 'realtime device' "$vg"/xfs
	fi
	must tune2fs -f -O ^has_journal /dev/"$vg"/data
	must tune2fs -j /dev/"$vg"/data
	check "ext4 with a journal of its own is accepted" storage_set probe "$vg"/data

	# A file system over several devices; one of them has its identity, and not its content.
	must lvcreate -qq -y -W y -n half-1 -L 160M "$vg"
	must lvcreate -qq -y -W y -n half-2 -L 160M "$vg"
	must mkfs.btrfs -q -d raid0 -m raid1 /dev/"$vg"/half-1 /dev/"$vg"/half-2
	must udevadm settle
	must mkdir -p /srv/btrfs
	for mounted in no yes; do
		for half in half-1 half-2; do
			refused "$half of a btrfs over two devices (mounted: $mounted)" 'other devices.*btrfs subvolume snapshot' "$vg/$half"
		done
		[ "$mounted" = yes ] || must mount /dev/"$vg"/half-2 /srv/btrfs
	done
	check_equal "the kernel has both of its devices" 2 "$(btrfs filesystem show /srv/btrfs | grep -c ' path /dev/')"
	refused_late "a btrfs over two devices" 'VOLUME_NOT_SUPPORTED.*other devices.*btrfs subvolume snapshot' /srv/btrfs
	check_says "vssctl volumes has its reason" '^False None /srv/btrfs cannot be copied: .*btrfs' "$(vssctl volumes --json |
		json "[f\"{v['supported']} {v['provider']} {v['reason']}\" for v in d['volumes'] if v['name'] == '/srv/btrfs/']")"
	must umount /srv/btrfs
	must lvremove -qq -y "$vg"/half-1 "$vg"/half-2
	must mkswap /dev/"$vg"/log
	refused "swap space" 'swap' "$vg"/log
	must swapon /dev/"$vg"/log
	refused "swap space in use" 'swap' "$vg"/log
	must swapoff /dev/"$vg"/log
	must lvremove -qq -y "$vg"/data "$vg"/journal "$vg"/log "$vg"/realtime "$vg"/xfs
}

# --- what lies on what ----------------------------------------------------------------------------------

# A volume on a loop device over that file, in whichever way: inner/v.
inner_on() { # FILE
	must truncate -s 100M "$1"
	loop=$(losetup --show -f "$1")
}

inner_make() { # DEVICE
	must vgcreate -qq inner "$1"
	must lvcreate -qq -y -W y -n v -L 32M inner
}

inner_remove() {
	must vgremove -qq -ff -y inner
}

nested() { # WHAT PATTERN
	local before
	baseline
	check_says "$1 is refused beside it" "NESTED_VOLUME_LIMIT.*$2" "$(storage_set create /srv/b inner/v 2>&1)"
	unchanged "$1: nothing is changed"
	check "$1 is fine alone" create inner/v
	check "$1: its copy is deleted" storage_set delete
	unchanged "$1: nothing is left"
}

stacked() {
	local before loop writer
	inner_on /srv/b/image
	inner_make "$loop"
	nested "a volume on a loop device over a file" 'lies on /srv/b/'
	rm /srv/b/image
	nested "a volume on a loop device over a deleted file" 'lies on /srv/b/'
	inner_remove
	must losetup -d "$loop"

	inner_on /srv/b/image
	# From its middle on, so that LVM finds its label in the mapping only.
	must dmsetup create over --table "0 $(($(blockdev --getsz "$loop") - 2048)) linear $loop 2048"
	inner_make /dev/mapper/over
	nested "a volume on a mapping of a loop device" 'lies on /srv/b/'
	inner_remove
	must dmsetup remove --retry over
	must losetup -d "$loop"
	rm /srv/b/image

	must mkdir -p /srv/b/lower /srv/b/upper /srv/b/work /srv/overlay
	must mount -t overlay -o lowerdir=/srv/b/lower,upperdir=/srv/b/upper,workdir=/srv/b/work overlay /srv/overlay
	refused "an overlay" 'upper directory /srv/b/upper' /srv/overlay
	inner_on /srv/overlay/image
	inner_make "$loop"
	nested "a volume on a loop device over a file in an overlay" 'lies on /srv/b/'
	inner_remove
	must losetup -d "$loop"
	rm /srv/overlay/image

	# What lies above a volume, and writes, is no obstacle.
	baseline
	inner_on /srv/b/image
	must mkfs.ext4 -q "$loop"
	must mkdir -p /srv/loop
	must mount "$loop" /srv/loop
	must dd if=/dev/zero of=/srv/b/swap bs=1M count=16 status=none
	must chmod 600 /srv/b/swap
	must mkswap /srv/b/swap
	must swapon /srv/b/swap
	load_start /srv/overlay/counter /srv/loop/counter
	check "a set of what is below an overlay, a loop device and a swap file that are written to" create /srv/b
	check "the programs above go on" load_stop
	check "the copy has the overlay's file" test -s "$(copy_of /srv/b/)/upper/counter"
	check "the copy has the image" test -s "$(copy_of /srv/b/)/image"
	check "and is deleted" storage_set delete
	must swapoff /srv/b/swap
	must umount /srv/loop /srv/overlay
	must losetup -d "$loop"
	rm -r /srv/b/image /srv/b/swap /srv/b/upper /srv/b/lower /srv/b/work

	# A mount point in another volume of the set.
	must mkdir -p /srv/a/below
	must lvcreate -qq -y -W y -n below -L 32M "$vg"
	must mkfs.ext4 -q /dev/"$vg"/below
	must mount /dev/"$vg"/below /srv/a/below
	echo old | tee /srv/a/file >/srv/a/below/file
	baseline
	check "a set of a volume and one mounted below it" create /srv/a /srv/a/below
	echo new | tee /srv/a/file >/srv/a/below/file
	check_equal "both copies have the old content" "old old" \
		"$(cat "$(copy_of /srv/a/)/file" "$(copy_of /srv/a/below/)/file" | xargs)"
	check_equal "the upper one's copy has the bare mount point" "" "$(ls "$(copy_of /srv/a/)/below")"
	check "and both are deleted" storage_set delete
	unchanged "and nothing is left of the two"
	must umount /srv/a/below
	must lvremove -qq -y "$vg"/below
	rm -r /srv/a/below

	must lvcreate -qq -y -W y -n secret -L 64M "$vg"
	head -c 32 /dev/urandom >"$work/key"
	must cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 /dev/"$vg"/secret "$work/key"
	baseline
	check "a closed encrypted volume is copied as it is" create "$vg"/secret
	check "and its copy is one" cryptsetup open --test-passphrase --key-file "$work/key" "$(device_of /dev/"$vg"/secret)"
	check "and is deleted" storage_set delete
	unchanged "and nothing is left of it"
	must cryptsetup open --key-file "$work/key" /dev/"$vg"/secret opened
	refused "an open encrypted volume" 'name the opened mapping on it, /dev/mapper/opened' "$vg"/secret
	must cryptsetup close opened
	must lvremove -qq -y "$vg"/secret
}

# --- names ------------------------------------------------------------------------------------------------

names() {
	local name wanted='volume /srv/a/ on /dev/mapper/tank-a \(ext4\) by lvm-thick$' uuid
	uuid=$(blkid -o value -s UUID /dev/"$vg"/a)
	must e2label /dev/"$vg"/a kinds-label
	must udevadm trigger --settle /dev/"$vg"/a
	must mkdir -p /srv/a/part /srv/again /srv/bind
	echo x >/srv/a/part/file
	must mount --bind /srv/a/part /srv/bind
	must ln -s /srv/a "$work/link"
	for name in /srv/a /srv/a/ /srv/a// /srv/../srv/a "$work/link" /srv/bind $vg/a /dev/$vg/a /dev/mapper/tank-a \
		"$(readlink -f /dev/"$vg"/a)" /dev/disk/by-id/dm-name-tank-a "/dev/disk/by-uuid/$uuid" "UUID=$uuid" \
		LABEL=kinds-label; do
		check_says "$name is the volume" "$wanted" "$(storage_set probe "$name" 2>&1)"
	done
	must mount /dev/"$vg"/a /srv/again
	check_says "a second mount of it is the volume, too" 'volume /srv/again/ on /dev/mapper/tank-a' "$(storage_set probe /srv/again)"
	check_says "one volume by two names is refused" 'in the set already' "$(vssctl create /srv/a /srv/again 2>&1)"
	must umount /srv/again /srv/bind
	for name in /srv/a/part /srv/a/part/file "$work/link/part"; do
		check_says "$name is no volume" 'OBJECT_NOT_FOUND.*mount point, /srv/a' "$(storage_set probe "$name" 2>&1)"
	done
	check_says "what is not there is not found" OBJECT_NOT_FOUND "$(storage_set probe /srv/none 2>&1)"
	check_says "a UUID that nothing has is not found" OBJECT_NOT_FOUND "$(storage_set probe UUID=none 2>&1)"
	refused "memory" 'memory only' /run
	refused "the kernel's own file system" 'no block device' /proc
	refused "a character device" 'neither a mount point nor a block device' /dev/null
	must umount /srv/a
	check_says "a mount point with nothing mounted is no volume" 'OBJECT_NOT_FOUND.*mount point, /$' "$(storage_set probe /srv/a 2>&1)"
	must mount /dev/"$vg"/a /srv/a
	rm -r /srv/a/part
}

# --- the list -----------------------------------------------------------------------------------------------

supported() { # VOLUME: what the bus says of it
	busctl call org.vssd.Vss1 /org/vssd/Vss1 org.vssd.Vss1.Manager IsVolumeSupported s "$1" 2>&1
}

listed() {
	local all
	must lvcreate -qq -y -W y --type raid1 -m 1 -n raid -L 16M --nosync "$vg"
	must lvcreate -qq -y -W y -n swap -L 16M "$vg"
	must mkswap /dev/"$vg"/swap
	must lvcreate -qq -y -T -L 32M -V 32M -n thin "$vg"/pool
	must lvcreate -qq -y -s -L 16M -n foreign "$vg"/a
	must lvcreate -qq -y -W y -n part -L 16M "$vg"
	must pvcreate -qq -y --config 'devices/scan_lvs=1' /dev/"$vg"/part
	must create /srv/b
	all=$(vssctl volumes --json)
	note "$(vssctl volumes | sed 's/$/\\n/')"
	row() { # VOLUME: supported, provider, reason
		json "[f\"{v['supported']} {v['provider']} {v['reason']}\" for v in d['volumes'] if v['name'] == '$1']" <<<"$all"
	}
	check_equal "a thick volume has its provider" "True lvm-thick None" "$(row /srv/a/)"
	check_equal "a RAID has its provider" "True lvm-thick None" "$(row /dev/"$vg"/raid)"
	check_equal "a thin volume has its provider" "True lvm-thin None" "$(row /dev/"$vg"/thin)"
	check_says "swap has its reason" '^False None .*is swap space$' "$(row /dev/"$vg"/swap)"
	check_says "a snapshot has its reason" '^False None .*itself a snapshot; name its origin$' "$(row /dev/"$vg"/foreign)"
	check_says "what has no provider has its reason" '^False None .' "$(row /share/)"
	check_equal "each volume has a provider or a reason" "" \
		"$(json "[v for v in d['volumes'] if bool(v['provider']) == bool(v['reason']) or bool(v['provider']) != v['supported']]" <<<"$all")"
	check_equal "parts, copies and pools are not in the list" "" \
		"$(json "[v['name'] for v in d['volumes'] if any(w in v['name'] for w in ('ShadowCopy', '_rimage', '_rmeta', '_tdata', '-pool', 'part', '-real'))]" <<<"$all")"
	check_says "the table has them, too" "$vg/swap .* no: .*is swap space" "$(vssctl volumes)"
	check_equal "the bus names the provider" 'bss true "lvm-thick" ""' "$(supported /srv/a)"
	check_says "the bus has the reason" '^bss false "" ".*swap space"$' "$(supported /dev/"$vg"/swap)"
	check_says "the bus has the reason of what is no volume" '^bss false "" ".*memory only' "$(supported /run)"
	check_says "what is not there is an error on the bus" 'there is no volume /srv/none' "$(supported /srv/none)"
	must storage_set delete
	must lvremove -qq -y "$vg"/raid "$vg"/swap "$vg"/pool "$vg"/foreign "$vg"/part
}

vg_make
volume_make a 128M ext4
volume_make b 400M xfs
for part in "${parts[@]}"; do
	begin=$SECONDS
	"$part"
	note "$part took $((SECONDS - begin)) s"
done
finish
