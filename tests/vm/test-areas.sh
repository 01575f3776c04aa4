#!/bin/bash
# The stores of copies: each begins small and grows, at every kind of place, while fio writes more to the origins
# than it could have taken; at a maximum the oldest copy goes, and one that still overflows is marked and
# reported, its origin whole; a service killed while a store grows leaves what LVM and the next growth agree on.
#
# And a thin pool: that it fills is told, and before it is full the oldest copy in it goes.
#
# usage: test-areas.sh [PART...]: only these of the parts, which are functions: pool grows killed chosen maximum
. "$(dirname "$0")/lib-storage.sh"

parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(pool grows killed chosen maximum)
conf=/etc/vss/vssd.conf
disk=$(readlink -f /dev/disk/by-id/virtio-data0)
mib=36 # what is written to each: more than the 32 MiB that a store has at first
# Where the stores are that are not LVM's copies themselves.
declare -A place=([infile]="/srv/files $vg" [ingroup]=$vg [ondisk]=${disk}5)
kinds=(infile ingroup ondisk)

modprobe -a dm-snapshot loop 2>/dev/null

configure() {
	mkdir -p /etc/vss
	{
		printf '[Areas]\nStart=32M\n'
		printf '%s\n' "$@" '[Stores]'
		for kind in "${kinds[@]}"; do
			echo "/dev/mapper/$kind=${place[$kind]}"
		done
	} >"$conf"
	systemctl restart vssd
}

make_volumes() {
	local i
	must wipefs -qa "$disk"
	for i in 1 2 3; do
		must addpart "$disk" $i $((2048 + (i - 1) * 72 * 2048)) $((64 * 2048))
		must dmsetup create "${kinds[i - 1]}" --table "0 $((64 * 2048)) linear ${disk}$i 0"
	done
	must addpart "$disk" 4 $((256 * 2048)) $((300 * 2048))
	must addpart "$disk" 5 $((600 * 2048)) $((200 * 2048))
	must wipefs -qa "${disk}4" "${disk}5"
	must mkfs.ext4 -q "${disk}4"
	must mkdir -p /srv/files
	must mount "${disk}4" /srv/files
	vg_make /dev/disk/by-id/virtio-data1
	volume_make thick 160M ext4
	must dd if=/dev/urandom of=/srv/thick/old bs=1M count=4 conv=fsync status=none
	must configure
}

listen() {
	busctl monitor --match "type='signal',interface='org.vssd.Vss1.Manager',member='DiffAreaChanged'" \
		>"$work/signals" 2>&1 &
	monitor=$!
	wait_for 20 grep -q Monitoring "$work/signals"
}

# The event, of that copy; NAME-ACQUIRED and the like are not matched.
signalled() { # EVENT ID
	grep -A 3 "STRING \"$1\"" "$work/signals" | grep -q "STRING \"$2\""
}

a_copy() { # VOLUME...: the id of its set
	vssctl create --quiet --keep --context nas-rollback "$@"
}

# Of all copies of a set, with one question: python is slow to start where machines are emulated. Into what, by
# volume.
declare -A id files device size lost
ask() { # SET
	local volume one two three four five
	vssctl show --json "$1" | json "[' '.join([s['volume'].rstrip('/'), s['snapshot_id'], s['device_object'],
		s['block_device'], str(s['maximum_bytes'] >> 20), str(s['overflowed'])]) for s in d['snapshots']]" >"$work/rows" || return
	while read -r volume one two three four five; do
		id[$volume]=$one files[$volume]=$two device[$volume]=$three size[$volume]=$four lost[$volume]=$five
	done <"$work/rows"
}

# It writes to it, and reads back what it wrote.
write_and_verify() { # FILE MIB [OPTION...]
	fio --name "$(basename "$1")" --filename "$1" --ioengine=psync --rw=write --bs=1M --size="${2}M" --direct=1 \
		--verify=crc32c --minimal "${@:3}"
}

# What the stores are to LVM is what they are to the kernel.
sizes_agree() {
	local lv size layer length
	while read -r lv size; do
		case $lv in
		vss_ShadowCopy*) layer=-cow ;;
		vss_store*) layer= ;;
		*) continue ;;
		esac
		length=$(dmsetup table "$vg-$lv$layer" | awk '{ n += $2 } END { print n }')
		[ "$length" = "$size" ] || {
			echo "$lv has $size sectors to LVM and $length to the kernel"
			return 1
		}
	done < <(lvs --nolocking --noheadings --units s --nosuffix -o lv_name,lv_size "$vg")
}

sum_of() { # DEVICE
	dd if="$1" bs=1M count="$mib" iflag=direct status=none | sha256sum
}

grows() {
	local volumes=(/srv/thick /dev/mapper/infile /dev/mapper/ingroup /dev/mapper/ondisk)
	local set volume before writers=()
	declare -A old
	set=$(a_copy "${volumes[@]}")
	before=$(sha256sum </srv/thick/old)
	ask "$set"
	for volume in "${volumes[@]}"; do
		check_equal "$volume: the store begins small" 32 "${size[$volume]}"
		old[$volume]=$(sum_of "${device[$volume]}")
	done
	# Not faster than LVM is where machines are emulated: these stores are small.
	for volume in "${volumes[@]:1}"; do
		fio --name raw --filename "$volume" --ioengine=psync --rw=write --bs=1M --size="${mib}M" --direct=1 \
			--rate=,3m --minimal >/dev/null &
		writers+=($!)
	done
	check "fio writes to the origin and reads it back" write_and_verify /srv/thick/new "$mib" --rate=,3m
	wait "${writers[@]}"
	ask "$set"
	for volume in "${volumes[@]}"; do
		check "$volume: the store has grown" [ "${size[$volume]}" -gt "$mib" ]
		check_equal "$volume: nothing overflowed" False "${lost[$volume]}"
		check "$volume: the growth was signalled" signalled grown "${id[$volume]}"
		check_equal "$volume: the copy is what it was" "${old[$volume]}" "$(sum_of "${device[$volume]}")"
	done
	check_equal "/srv/thick: its files are what they were" "$before" "$(sha256sum <"${files[/srv/thick]}/old")"
	check "nothing is suspended" no_suspended_device
	check "LVM and the kernel have the same sizes" sizes_agree
	before=$(dmsetup table)
	must vgchange --refresh "$vg"
	check_equal "vgchange --refresh changes nothing" "$before" "$(dmsetup table)"
	check "the set is deleted" vssctl delete "$set"
	check_equal "no store is left in the directory" "" "$(find /srv/files -name '*.cow')"
	check_equal "no store is left in the group" thick "$(lvs --noheadings -o lv_name "$vg" | tr -d ' ')"
}

pool() {
	local first
	must lvcreate -qq -y -T -n pool -L 64M -Z n "$vg/pool"
	must lvcreate -qq -y -T -n thin -V 32M "$vg/pool"
	must lvcreate -qq -y -T -n other -V 64M "$vg/pool"
	must dd if=/dev/urandom of="/dev/$vg/thin" bs=1M count=4 oflag=direct status=none
	first=$(a_copy "/dev/$vg/thin")
	must a_copy "/dev/$vg/thin"
	ask "$first"
	check_says "the pool is shown as their diff area" "^/dev/$vg/thin +$vg/pool +[0-9.]+ MiB +64.0 MiB +unbounded +automatic" \
		"$(vssctl storage list --for "/dev/$vg/thin")"
	check_says "which has no maximum here" E_NOTIMPL \
		"$(vssctl storage resize --for "/dev/$vg/thin" --on "$vg/pool" --max 10M 2>&1)"
	must dd if=/dev/zero of="/dev/$vg/other" bs=1M count=50 oflag=direct status=none
	check "a pool that fills is told" wait_for 20 signalled pool "${id[/dev/$vg/thin]}"
	check "and its copies stay" vssctl show "$first"
	must dd if=/dev/zero of="/dev/$vg/other" bs=1M seek=50 count=8 oflag=direct status=none
	check "nearly full, it loses its oldest copy" wait_for 20 not vssctl show "$first"
	check "which is told" wait_for 10 signalled deleted "${id[/dev/$vg/thin]}"
	sets_there | xargs -r vssctl delete --force >/dev/null 2>&1
	must lvremove -qq -y "$vg/pool"
}

# The service has the file locked; a row that is half written is asked for again.
grow_intended() {
	python3 -I -S -c '
import sqlite3, sys
db = sqlite3.connect("file:/var/lib/vssd/vssd.db?immutable=1", uri=True)
sys.exit(not db.execute("SELECT 1 FROM intent WHERE kind = ?", ("grow",)).fetchall())'
}

# The group is locked by somebody else when the store wants to grow; then the service dies. And LVM's metadata have
# more than the device: so it is when it dies a moment later.
killed() {
	local set lv
	set=$(a_copy /srv/thick)
	ask "$set"
	lv=vss_$(basename "${files[/srv/thick]}")
	exec 9>>"/run/lock/lvm/V_$vg"
	must flock -x 9
	must dd if=/dev/urandom of=/srv/thick/new bs=1M count=26 oflag=direct conv=notrunc status=none
	check "the intent is written first" wait_for 20 grow_intended
	must lvextend --nolocking --driverloaded n -qq -y -l +3 "$vg/$lv"
	systemctl kill -s KILL vssd
	check "the device is not longer than before" not sizes_agree
	exec 9>&-
	must systemctl restart vssd
	check_says "the next start knows of it" 'unfinished step.*lvm-thick, grow' \
		"$(journalctl -q -b -u vssd -o cat --no-pager | tail -n 40)"
	check "and puts the device right" wait_for 30 sizes_agree
	must dd if=/dev/urandom of=/srv/thick/more bs=1M count=12 oflag=direct status=none
	check "the copy grows again" wait_for 30 signalled grown "${id[/srv/thick]}"
	ask "$set"
	check_equal "the copy is good" False "${lost[/srv/thick]}"
	check "no intent is left" not grow_intended
	check "nothing is suspended" no_suspended_device
	must vssctl delete "$set"
}

# Of several places the first that has room, unless another one was set down.
chosen() {
	local set
	check "a second place is set down" vssctl storage add --for /dev/mapper/infile --on "$vg" --max 100M
	set=$(a_copy /dev/mapper/infile)
	check_says "and has the store" "^/dev/mapper/infile +$vg +[0-9.]+ .iB +32.0 MiB +100.0 MiB +set down" \
		"$(vssctl storage list --for /dev/mapper/infile)"
	check_says "as LVM sees it" vss_store "$(lvs --noheadings -o lv_name "$vg")"
	check_equal "the first place has none" "" "$(find /srv/files -name '*.cow')"
	check_says "it is used" VSS_E_VOLUME_IN_USE "$(vssctl storage delete --for /dev/mapper/infile --on "$vg" 2>&1)"
	must vssctl delete "$set"
	check "it is forgotten" vssctl storage delete --for /dev/mapper/infile --on "$vg"
	set=$(a_copy /dev/mapper/infile)
	check_says "then the first is the first again" "^/dev/mapper/infile +/srv/files +.* automatic" \
		"$(vssctl storage list --for /dev/mapper/infile)"
	check_says "and used, though nobody has set it down" VSS_E_VOLUME_IN_USE \
		"$(vssctl storage delete --for /dev/mapper/infile --on /srv/files 2>&1)"
	must vssctl delete "$set"
}

maximum() {
	local older younger older_id younger_id
	check_says "a store elsewhere is refused" 'cannot go to vmroot; they go to tank' \
		"$(vssctl storage add --for /srv/thick --on vmroot 2>&1)"
	check_says "so is a maximum below the start" 'too small for one copy' \
		"$(vssctl storage add --for /srv/thick --on "$vg" --max 31M 2>&1)"
	check "a maximum is set down" vssctl storage add --for /srv/thick --on "$vg" --max 72M
	older=$(a_copy /srv/thick)
	younger=$(a_copy /srv/thick)
	ask "$older"
	older_id=${id[/srv/thick]}
	ask "$younger"
	younger_id=${id[/srv/thick]}
	# Not faster than a copy can be deleted: these stores are small.
	check "fio writes more than two stores may take" write_and_verify /srv/thick/new 36 --rate=,2m
	check "the oldest copy was deleted" wait_for 30 not vssctl show "$older"
	check "and that was signalled" wait_for 5 signalled deleted "$older_id"
	check_says "and logged" "Snapshot $older_id .*the oldest, is deleted to make room.*may take 72 MiB" \
		"$(journalctl -q -b -u vssd -o cat --no-pager -n 60)"
	ask "$younger"
	check_equal "the younger one is good" False "${lost[/srv/thick]}"
	check_says "vssctl shows the area" "^/srv/thick/ +$vg +[0-9.]+ MiB +[0-9.]+ MiB +72.0 MiB +set down" "$(vssctl storage)"
	check_says "it is not forgotten while it is used" VSS_E_VOLUME_IN_USE \
		"$(vssctl storage delete --for /srv/thick --on "$vg" 2>&1)"
	check "fio writes more than one store may take" write_and_verify /srv/thick/other 42 --rate=,2m
	check "that it cannot grow was signalled" wait_for 10 signalled full "$younger_id"
	check "that it overflowed, too" wait_for 20 signalled overflowed "$younger_id"
	ask "$younger"
	check_equal "it is marked" True "${lost[/srv/thick]}"
	check_says "people are shown it" 'full: lost' "$(vssctl list)"
	check_says "the log has the way out" "$younger_id of /srv/thick/ overflowed.*vssctl delete $younger_id" \
		"$(journalctl -q -b -u vssd -o cat --no-pager -n 60)"
	check "it is never silently wrong: no block of it can be read" \
		not dd if="${device[/srv/thick]}" of=/dev/null bs=4k count=1 iflag=direct
	check "nothing is suspended" no_suspended_device
	check "it is deleted as any other" vssctl delete "$younger"
	check "and the area forgotten" vssctl storage delete --for /srv/thick --on "$vg"
	must umount /srv/thick
	check "the origin's file system is whole" e2fsck -fn "/dev/$vg/thick"
}

unmake_volumes() {
	kill "$monitor"
	sets_there | xargs -r vssctl delete --force
	rm -f "$conf"
	systemctl restart vssd
	umount /srv/thick /srv/files
	for kind in "${kinds[@]}"; do
		dmsetup remove "$kind"
	done
	for i in 1 2 3 4 5; do
		delpart "$disk" "$i"
	done
	udevadm settle
} >/dev/null 2>&1
trap 'unmake_volumes; clean_up' EXIT

make_volumes
listen
for part in "${parts[@]}"; do
	begin=$SECONDS
	"$part"
	note "$part: $((SECONDS - begin)) s"
done
finish
