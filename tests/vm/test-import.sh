#!/bin/bash
# Transportable copies, thin and thick, between two hosts that see the same disks one after the other: made on the
# one, imported on the other by the document alone, and imported by the first when the disks are back. What is
# forged is not touched; what dies on the way leaves nothing.
#
# usage: test-import.sh one|two|again: on the hosts one, two and one, whose roots are their own.
. "$(dirname "$0")/lib.sh"
trap - EXIT # the disks are kept

courier=/mnt/courier # a disk with the documents, beside those of the volume group
disk=/dev/disk/by-id/virtio-data2

# The images of all hosts are one.
become() { # NAME
	must hostname "$1"
	must systemctl restart vssd
	must mkdir -p "$courier"
	must mount "$disk" "$courier"
}

lv_names() {
	lvs --noheadings -o lv_name "$vg" | tr -d ' ' | sort
}

copies_of_lvm() {
	lvs --noheadings -o lv_name,lv_attr,lv_tags "$vg" | awk '/vss_/ { print $1, substr($2, 1, 2), $3 }' | sort
}

shown() { # KEY: of each copy, in the order of the volumes
	vssctl list --json | json "[s['$1'] for s in sorted(d['snapshots'], key=lambda s: s['volume'])]"
}

# As LVM has the copies of the set: made first, on the host that counts from 1.
as_made() {
	local i=0 id set
	set=$(shown snapshot_set_id | head -n 1)
	while read -r id; do
		i=$((i + 1))
		echo "vss_ShadowCopy${i}_${id:0:8} $([ $i = 3 ] && echo sr || echo Vr) vss.copy=$id:$set:00000039"
	done < <(shown snapshot_id)
}

let_go() {
	sync
	for volume in a b c; do
		! mountpoint -q "/srv/$volume" || must umount "/srv/$volume"
	done
	must vgchange -qq -an "$vg"
}

# refused NAME PATTERN DOCUMENT: and everything is as it was.
refused() {
	local name=$1 pattern=$2 before said
	before=$(machine_state)
	said=$(vssctl import "$3" 2>&1) && said="it was not: $said"
	check_says "$name" "$pattern" "$said"
	check_equal "$name: nothing has changed" "$before" "$(machine_state)"
}

# forged NAME PATTERN SED-SCRIPT
forged() {
	tar -xOf "$courier/set.tar" BCDocument.xml | sed "$3" >"$work/forged.xml"
	! cmp -s "$work/forged.xml" <(tar -xOf "$courier/set.tar" BCDocument.xml) || {
		fail "$1" "the document is as it was"
		return
	}
	refused "$1" "$2" "$work/forged.xml"
}

one() {
	local root_uuid said
	must mkfs.ext4 -q "$disk"
	become one
	vg_make /dev/disk/by-id/virtio-data0 /dev/disk/by-id/virtio-data1
	must lvcreate -qq -y -T -L 500M "$vg/pool"
	thin_make a 200M ext4
	thin_make b 320M xfs
	volume_make c 200M ext4
	for volume in a b c; do
		echo "$volume old" >"/srv/$volume/file"
	done
	must lvcreate -qq -y -n below -L 48M "$vg"
	must dmsetup create plain --table "0 $(blockdev --getsz "/dev/$vg/below") linear /dev/$vg/below 0"
	must mkfs.ext4 -q /dev/mapper/plain
	must mkdir -p /srv/d
	must mount /dev/mapper/plain /srv/d
	check_says "what is not LVM's is not transportable" 'no logical volume.*VSS_E_VOLUME_NOT_SUPPORTED' \
		"$(vssctl create --transportable --context nas-rollback --document "$work/x.tar" /srv/d 2>&1)"
	must umount /srv/d
	must dmsetup remove plain
	must lvremove -qq -y "$vg/below"

	check "a transportable set, for the other host" vssctl create --transportable --context nas-rollback \
		--document "$courier/set.tar" /srv/a /srv/b /srv/c
	for volume in a b c; do
		echo "$volume new" >"/srv/$volume/file"
	done
	check_equal "its copies have no device object here" "None
None
None" "$(shown device_object)"
	check_equal "nothing is mounted of them" "" "$(findmnt -rno TARGET | grep ^/run/vss)"
	check_equal "the thin ones are not active" "" "$(dmsetup info -c --noheadings -o name | grep "^$vg-vss_ShadowCopy[12]_")"
	check_equal "nor has any its node" "" "$(find /dev/vss -name 'ShadowCopy[0-9]')"
	check_equal "each has its tag, and is read-only" "$(as_made)" "$(copies_of_lvm)"
	check_says "it is not exposed" 'import it.*VSS_E_PROVIDER_VETO' "$(vssctl expose ShadowCopy1 /mnt 2>&1)"
	check_says "nor broken off" 'import it.*VSS_E_PROVIDER_VETO' "$(vssctl break "$(shown snapshot_set_id | head -n 1)" 2>&1)"
	must systemctl restart vssd
	check_equal "over a restart it is so" "None
None
None" "$(shown device_object)"

	root_uuid=$(lvs --noheadings -o lv_uuid "$vg/a" | tr -d ' ')
	forged "a volume in the place of the copies is refused" 'copies do not have.*VSS_E_NO_SNAPSHOTS_IMPORTED' \
		"s/snapshotId=\"[0-9a-f]\{8\}/snapshotId=\"00000000/g; s/cow_uuid=[^&]*/cow_uuid=$root_uuid/g"
	forged "a volume of another name is refused" 'understood.*VSS_E_NO_SNAPSHOTS_IMPORTED' \
		's/snapshotId="[0-9a-f]\{8\}/snapshotId="00000000/g; s/cow=vss_ShadowCopy[0-9]/cow=a/g'
	forged "the copies under other ids are refused" 'not marked.*VSS_E_NO_SNAPSHOTS_IMPORTED' \
		's/snapshotId="[0-9a-f]\{8\}/snapshotId="00000000/g'
	forged "the copies in another set are refused" 'another set or context.*VSS_E_NO_SNAPSHOTS_IMPORTED' \
		's/snapshotSetId="[0-9a-f]\{8\}/snapshotSetId="00000000/g'
	forged "another group is missing" 'no disk.*VSS_E_MISSING_DISK' \
		's/snapshotId="[0-9a-f]\{8\}/snapshotId="00000000/g; s/vg_uuid=....../vg_uuid=zzzzzz/g'

	said=$(vssctl create --json --transportable --context nas-rollback --document "$work/own.tar" /srv/a /srv/c 2>&1)
	check "a set for this host itself" vssctl import "$work/own.tar"
	for volume in a c; do
		check_equal "its copy of $volume is read here" "$volume new" \
			"$(cat "$(vssctl list --json | json "[s['device_object'] for s in d['snapshots'] if s['device_object'] and s['volume'] == '/srv/$volume/']")/file")"
	done
	check "it is deleted" vssctl delete "$(json "d['snapshot_set_id']" <<<"$said")"
	check_equal "and the other is left" 3 "$(copies_of_lvm | wc -l)"
	said=$(vssctl create --json --transportable --context nas-rollback --document "$work/broken.tar" /srv/a 2>&1)
	check "another one, imported" vssctl import "$work/broken.tar"
	check "is broken off" vssctl break "$(json "d['snapshot_set_id']" <<<"$said")"
	check_equal "to a volume that no tag calls a copy" "a_ShadowCopy6 " "$(lvs --noheadings -o lv_name,lv_tags "$vg" | awk '/a_Shadow/ { print $1, $2 }')"
	must lvremove -qq -y "$vg/a_ShadowCopy6"
	check "one that goes with its requester" vssctl create --transportable --context file-share \
		--document "$work/tied.tar" /srv/a
	# shellcheck disable=SC2016 # the inner shell's
	check "is imported beside a command" vssctl import "$work/tied.tar" -- \
		sh -c 'cat "$VSS_COPY_1/file" >"$0"' "$work/read"
	check_equal "which reads it" "a new" "$(cat "$work/read")"
	check_equal "and with that it is gone" 3 "$(copies_of_lvm | wc -l)"
	let_go
	must umount "$courier"
	finish
}

thin_copy_is_active() {
	dmsetup info -c --noheadings -o name | grep -q "^$vg-vss_ShadowCopy[12]_"
}

# The service has the file locked. It is stopped, perhaps half way through a row.
import_is_noted() {
	python3 -I -S -c '
import sqlite3, sys
db = sqlite3.connect("file:/var/lib/vssd/vssd.db?immutable=1", uri=True)
sys.exit(not db.execute("SELECT 1 FROM intent WHERE kind = ?", ("import",)).fetchall())'
}

# An import that dies: nothing of it is left, or all of it is there. One death is when a copy has its device, and no
# row yet: rows are written when the last one is readable.
deaths() {
	local before delay
	before=$(machine_state)
	for delay in active 1 2 4; do
		vssctl import "$courier/set.tar" >/dev/null 2>&1 &
		if [ "$delay" = active ]; then
			wait_for 120 thin_copy_is_active
		else
			sleep "$delay"
		fi
		# Stopped first, so that nobody starts another before it was looked at.
		must systemctl kill -s STOP vssd
		if [ "$delay" = active ]; then
			check "a copy is active" thin_copy_is_active
			check "and its import noted" import_is_noted
		fi
		must systemctl kill -s KILL vssd
		wait
		wait_for 60 vssctl list
		[ "$(shown name | wc -w)" = 0 ] || break
		check_equal "killed at or after $delay (s) an import leaves nothing" "$before" "$(machine_state)"
	done
	if [ "$(shown name | wc -w)" = 0 ]; then
		check "then it can be imported" vssctl import "$courier/set.tar"
	else
		note "the last one was done before its death"
	fi
}

two() {
	local i before
	become two
	check_equal "this host knows of no copy" "" "$(shown name)"
	must vgchange -qq -ay "$vg"
	before=$(copies_of_lvm)
	check_equal "LVM has the three" 3 "$(wc -l <<<"$before")"
	# This host counts from 1, too, and the other's thick copy is active with its origin.
	must mkdir -p /srv/c
	must mount "/dev/$vg/c" /srv/c
	check "beside them this host makes copies of its own" vssctl create --context nas-rollback /srv/c
	check_equal "whose node is its own" "$(readlink -f "/dev/mapper/$vg-vss_ShadowCopy1")" "$(readlink -f /dev/vss/ShadowCopy1)"
	check "and deletes them" vssctl delete ShadowCopy1
	must umount /srv/c
	check_equal "the others are as they were" "$before" "$(copies_of_lvm)"
	must vgchange -qq -an "$vg"
	must vgexport -qq "$vg"
	check_says "of a group that is exported" 'vgimport.*VSS_E_MISSING_DISK' "$(vssctl import "$courier/set.tar" 2>&1)"
	must vgimport -qq "$vg"
	must vgchange -qq -an "$vg"
	# It is seen when the thin ones are active, and with them their pool, which was not; the thick one is not understood.
	forged "with another file system on them they are refused" 'file system is another.*VSS_E_NO_SNAPSHOTS_IMPORTED' \
		's/ uuid=[0-9a-f]\{8\}/ uuid=00000000/g; s/ pool=- / pool=x /g'
	must vgchange -qq -ay "$vg"
	forged "with a forged context they are refused" 'not marked.*VSS_E_NO_SNAPSHOTS_IMPORTED' 's/context="57"/context="48"/g'
	forged "and in a forged set" 'not marked.*VSS_E_NO_SNAPSHOTS_IMPORTED' \
		's/snapshotSetId="[0-9a-f]\{8\}/snapshotSetId="00000000/g'
	deaths
	check_equal "three copies are there" 3 "$(shown name | wc -w)"
	check_equal "on the disks nothing has changed" "$before" "$(copies_of_lvm)"
	i=0
	for volume in a b c; do
		i=$((i + 1))
		check_equal "the copy of $volume has its content" "$volume old" "$(cat "$(shown device_object | sed -n ${i}p)/file")"
		check_equal "and its node" "$(readlink -f "/dev/mapper/$vg-$(sed -n ${i}p <<<"$before" | cut -d ' ' -f 1)")" \
			"$(readlink -f "$(shown block_device | sed -n ${i}p)")"
	done
	check_equal "which goes by its name, as its number can become another's" "3" \
		"$(find /dev/vss -lname "../mapper/$vg-vss_ShadowCopy*" | wc -l)"
	mapfile -t devices < <(shown block_device)
	types=(ext4 xfs ext4)
	check "their file systems are sound" fsck_copies
	check "none can be written" not_written "${devices[@]}"
	check_equal "their originals are another host's" "one
one
one" "$(shown originating_machine)"
	refused "once is enough" 'already.*VSS_E_NO_SNAPSHOTS_IMPORTED' "$courier/set.tar"
	must systemctl restart vssd
	check_equal "over a restart they are read" "a old" "$(cat "$(shown device_object | head -n 1)/file")"
	mkdir -p /mnt/a
	check "one is exposed" vssctl expose "$(shown name | head -n 1)" /mnt/a
	check_equal "and read there" "a old" "$(cat /mnt/a/file)"
	check "and ended" vssctl unexpose /mnt/a
	finish
}

not_written() { # DEVICE...
	local device
	for device in "$@"; do
		! dd if=/dev/zero of="$device" bs=4k count=1 conv=fsync 2>/dev/null || return
	done
}

again() {
	become one
	must vgchange -qq -ay "$vg"
	check_equal "the host that made the copies has them still, for others" "None
None
None" "$(shown device_object)"
	must lvremove -qq -y "$vg/b"
	check_says "two of them are imported here, of one that was deleted there is nothing" \
		'not in the volume group.*VSS_S_SOME_SNAPSHOTS_NOT_IMPORTED' "$(vssctl import "$courier/set.tar" 2>&1)"
	check_equal "a thin one is what is left of its volume" "b old" "$(cat "$(shown device_object | sed -n 2p)/file")"
	check_equal "and the thick one" "c old" "$(cat "$(shown device_object | sed -n 3p)/file")"
	check "all are deleted" vssctl delete "$(shown snapshot_set_id | head -n 1)"
	check_equal "and nothing is left of any" "" "$(copies_of_lvm)$(shown name)"
	for volume in a c; do
		must mount "/dev/$vg/$volume" "/srv/$volume"
		check_equal "the volume $volume is as it was" "$volume new" "$(cat "/srv/$volume/file")"
	done
	clean_up
	finish
}

"$1"
