# shellcheck shell=bash
# What the tests of the storage layers share, beside lib.sh: sets made by storage-set, without the
# daemon, and what is left of them. Sourced.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

storage_set() {
	"$programs/storage-set" "$@"
}

# A set; its copies are asked for with copy_of.
create() {
	storage_set create "$@" >"$work/made" 2>&1 || {
		cat "$work/made"
		return 1
	}
}

copy_of() { # VOLUME, as storage-set names it
	awk -v volume="$1" '$1 == "copy" && $2 == volume { print $4 }' "$work/made"
}

device_of() { # VOLUME
	awk -v volume="$1" '$1 == "copy" && $2 == volume { print $3 }' "$work/made"
}

helpers_there() {
	grep -hsxE 'vssd-guard|lvm' /proc/[0-9]*/comm
}

# Whatever a set could leave behind, without what moves by itself. With as few programs as can be: it is asked
# hundreds of times, and each takes a while to start where the machine is emulated.
state() {
	local mapped
	udevadm settle
	echo "== lvs, and what is free in their groups"
	lvs -a --noheadings -o vg_name,vg_free_count,lv_name,lv_size,origin,lv_attr,lv_layout | sed 's/ *$//' | sort
	echo "== dm"
	mapped=$(dmsetup info -c --noheadings --separator ' ' -o minor,name,uuid,suspended,tables_loaded)
	{ cut -d ' ' -f 2- <<<"$mapped" && dmsetup table; } | sort
	echo "== nodes"
	find /dev/mapper /dev/$vg /run/vss /dev/vss -mindepth 1 -maxdepth 1 2>/dev/null | sort
	# A loop device's are those of its last use until udev comes by again.
	find /dev/disk -type l ! -lname '*/loop*' -printf '%p %l\n' |
		sed "$(awk 'NF { print "s,dm-" $1 "$," $2 "," }' <<<"$mapped")" | sort
	echo "== mounts"
	findmnt -rno TARGET,SOURCE,FSTYPE,OPTIONS | sort
	echo "== loop devices"
	losetup -nO NAME,BACK-FILE
	echo "== semaphores"
	ipcs -s | grep -c '^0x'
	echo "== processes"
	wait_for 5 not helpers_there || helpers_there # udev's own lvm, or a guard that is on its way out
}

# What unchanged compares with. udev hears of a new file system, or of one that was wiped, by a watch of its own,
# which `udevadm settle` knows nothing of and which misses what happens while it looks: so it is told to look.
baseline() {
	must udevadm trigger --settle --subsystem-match=block
	before=$(state)
}

unchanged() { # NAME
	check_equal "$1" "$before" "$(state)"
}

not() {
	! "$@"
}

# Without a process: it is asked often, and of a machine whose root may be suspended.
suspended() { # LV
	local answer
	read -r answer <"/sys/dev/block/${numbers[$1]}/dm/suspended"
	[ "$answer" = 1 ]
}

none_suspended() {
	local lv
	for lv in "${!numbers[@]}"; do
		! suspended "$lv" || return
	done
}

# All at once: in the window. What LVM suspends while a set is staged it suspends one by one.
all_suspended() {
	local lv
	for lv in "${!numbers[@]}"; do
		suspended "$lv" || return
	done
}

holds_group=true # the sets have their volume group locked
volumes=()       # of the sets that the tests make
together=()      # of those that the service makes
declare -A numbers
watch_volumes() { # LV... : those that suspended and none_suspended know
	local lv
	for lv in "$@"; do
		numbers[$lv]=$(lsblk -dno MAJ:MIN "/dev/$vg/$lv" | tr -d ' ')
	done
}

# A test may look at more while a copy deleted by force is still in use.
a_set_forced() {
	:
}

# What a set is, of /srv/a (ext4), /srv/b (XFS) and the raw volume raw-c, which are the elements of volumes: to
# its readers, to LVM (how `lvs` shows a copy), and to whoever deletes it, in whichever way. OPTIONs: what
# `lvcreate -s` needs for such a volume.
a_set() { # LVS-PATTERN [OPTION...]
	local pattern=$1 sum first raw lv middle name reader
	shift
	echo old | tee /srv/a/file >/srv/b/file
	sum=$(sha256sum <"/dev/$vg/raw-c")
	check "a set of ext4, XFS and a raw volume" create "${volumes[@]}"
	sed 's/^/# /' "$work/made"
	first=$(copy_of /srv/a/)
	raw=$(device_of "/dev/$vg/raw-c")
	lv=vss_$(basename "$first")
	echo new | tee /srv/a/file >/srv/b/file
	must dd if=/dev/zero of="/dev/$vg/raw-c" bs=1M count=8 conv=fsync status=none
	check_equal "the ext4 copy has the old content" old "$(cat "$first/file")"
	check_equal "the XFS copy has the old content" old "$(cat "$(copy_of /srv/b/)/file")"
	check_equal "the raw copy has the old content" "$sum" "$(sha256sum <"$raw")"
	check "a copy cannot be written through its directory" not touch "$first/x"
	check "a copy cannot be written through its device" not dd if=/dev/zero of="$raw" bs=4k count=1 conv=fsync
	check_says "copies are mounted read-only, nosuid and nodev" '^ro,nosuid,nodev' "$(findmnt -no OPTIONS "$first")"
	check_says "LVM sees an active snapshot" "$lv +$vg $pattern" "$(lvs "$vg")"
	check_equal "no link under /dev/disk leads to a copy" "" \
		"$(find /dev/disk -lname "*/$(basename "$(readlink -f "$raw")")")"
	check_says "a UUID means the origin" 'mounted, volume /srv/a/' \
		"$(storage_set probe "UUID=$(blkid -o value -s UUID "/dev/$vg/a")")"
	check_says "the usage is known" "$(basename "$first") [1-9][0-9]* [1-9][0-9]* good" "$(storage_set usage)"
	middle=$(state)
	must vgchange --refresh "$vg"
	must udevadm trigger --subsystem-match=block
	check_equal "vgchange --refresh and udev's trigger change nothing" "$middle" "$(state)"
	for name in "$first" "$raw" "$vg/$lv"; do
		check_says "a copy is no volume to copy: $name" 'VOLUME_NOT_SUPPORTED.*itself a shadow copy' \
			"$(storage_set probe "$name")"
	done

	check "a second set of the same volumes" create "${volumes[@]}"
	check_equal "the second copy has the new content" new "$(cat "$(copy_of /srv/a/)/file")"
	check_equal "the first copy is what it was" old "$(cat "$first/file")"
	must lvcreate -qq -y -s "$@" -n foreign "$vg/a"
	check "a third copy beside a snapshot that LVM made" create /srv/a
	check_equal "the third copy has its content" new "$(cat "$(copy_of /srv/a/)/file")"
	must lvremove -qq -y "$vg/foreign"

	cd "$first" || exit
	check_says "a busy copy is not deleted, and says why" 'in use by .*\(' "$(storage_set delete 2>&1)"
	cd / || exit
	check "all are deleted" storage_set delete
	unchanged "deletion leaves nothing"

	must create "${volumes[@]}"
	must umount "$(copy_of /srv/a/)"
	must lvremove -qq -y "$vg/vss_$(basename "$(copy_of /srv/a/)")"
	check "a copy that LVM has removed can be deleted" storage_set delete
	unchanged "and nothing is left of it"

	must create /srv/a
	tail -f "$(copy_of /srv/a/)/file" >/dev/null &
	reader=$!
	wait_for 10 eval "ls -l /proc/$reader/fd | grep -q ShadowCopy"
	check "a busy copy is deleted by force" storage_set delete force
	a_set_forced
	kill $reader
	wait $reader 2>/dev/null
	wait_for 5 not dmsetup info "$vg-vss_$(basename "$(copy_of /srv/a/)")"
	unchanged "and nothing is left of it either"

	# Several of an origin among them, and one that is in use at first.
	must create "${volumes[@]}"
	must create "${volumes[@]}"
	raw=$(device_of "/dev/$vg/raw-c")
	exec 8<"$raw"
	check_says "together they are not deleted while one is in use" 'in use; end the programs' \
		"$(storage_set delete together 2>&1)"
	exec 8<&-
	check_equal "afterwards they are; the other set went before" "deleted 3 together" \
		"$(storage_set delete together 2>&1 | cut -d ' ' -f 1-3 | xargs)"
	unchanged "and nothing is left of any"

	must create /srv/a
	must vgrename -qq "$vg" reservoir
	check "a copy in a group with a new name is deleted" storage_set delete
	must vgrename -qq reservoir "$vg"
	unchanged "and nothing is left once the group has its old name"
}

# A set that is aborted, killed or cut off at each of its steps: nothing of it is left. The VOLUMEs are those
# of watch_volumes, and one is mounted on /srv/a.
ways_back() { # VOLUME...
	local step begin took creation
	for step in stage rows prepare window finish mount seal; do
		# The abort comes last: what it left would be the recovery's to find.
		if [ "$step" != rows ]; then
			storage_set create --exit-after=$step "$@" >/dev/null
			check "the end of the process after $step is recovered from" storage_set recover
		fi
		check "abort after $step" storage_set create --abort-after=$step "$@"
		unchanged "after $step the end of the process and an abort leave nothing"
	done

	check_says "a failed commit names the volume" 'UNEXPECTED_PROVIDER_ERROR.*could not (resume|message) (/srv/|/dev/)' \
		"$(storage_set create --commit=fail "$@" 2>&1)"
	unchanged "a failed commit leaves nothing"

	# The clock starts when the process is gone: that is when the guard can know.
	storage_set create --commit=kill "$@" >/dev/null 2>&1
	begin=${EPOCHREALTIME/./}
	until none_suspended || [ $((${EPOCHREALTIME/./} - begin)) -gt 10000000 ]; do :; done
	took=$(((${EPOCHREALTIME/./} - begin) / 1000))
	note "the guard took $took ms"
	check "killed in the window: the guard resumes within a second" test $took -lt 1000
	check "killed in the window: the volumes can be written" timeout 10 sh -c 'echo x >/srv/a/x; sync -f /srv/a/x; rm /srv/a/x'
	wait_for 10 not pgrep vssd-guard
	check "killed in the window: recovery" storage_set recover
	unchanged "killed in the window: nothing is left"

	storage_set create --commit=stop --hold=2000 "$@" >"$work/stopped" 2>&1 &
	creation=$!
	wait_for 60 all_suspended
	! "$holds_group" ||
		check "stopped in the window: other LVM commands wait" not timeout -s KILL 0.5 lvs "$vg"
	check "stopped in the window: the guard resumes at the deadline" \
		wait_for 10 none_suspended
	pkill -CONT -x storage-set
	wait $creation
	check_says "stopped in the window: the set fails" HOLD_WRITES_TIMEOUT "$(cat "$work/stopped")"
	unchanged "stopped in the window: nothing is left"

	storage_set create --commit=stop --hold=60000 "$@" >/dev/null 2>&1 &
	creation=$!
	wait_for 60 all_suspended
	pkill -KILL vssd-guard
	pkill -KILL -x storage-set
	wait $creation
	check "daemon and guard killed: the volumes stay suspended" all_suspended
	check "daemon and guard killed: recovery" timeout 60 "$programs/storage-set" recover
	unchanged "daemon and guard killed: nothing is left"
}

# A set of the volumes in `together`, by the service. The load writes to the first, then the second, and so
# on; each copy must fit, and be sound.
set_together() {
	local low high answer set copies devices types
	low=$(load_value)
	answer=$(vssctl create --json --keep "${together[@]}") || {
		echo "create: $answer"
		return 1
	}
	high=$(load_value)
	set_made "$answer" "${together[@]}" || return
	"$programs/vss-verify" --between "$low" "$high" "${copies[@]/%//counter}" || return
	fsck_copies || return
	vssctl delete "$set"
}
