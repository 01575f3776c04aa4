#!/bin/bash
# Thin volumes: what a copy of one is to LVM and to its pool, what is left when a set of them ends at any
# of its steps (nothing, and the pool agrees with LVM), what is refused; and sets of thin and thick
# volumes together, which are of one instant.
#
# usage: test-thin.sh [SETS [KILLS [PART...]]]: so many sets of thin and thick volumes, so many kills of lvm;
# only these of the parts, which are functions: a_thin_set aborted ended killed rebooted refused mixed
. "$(dirname "$0")/lib-storage.sh"

sets=${1:-10}
kills=${2:-8}
parts=("${@:3}")
[ ${#parts[@]} -gt 0 ] || parts=(a_thin_set aborted ended killed rebooted refused mixed)
pool=$vg-pool-tpool

modprobe -a dm-snapshot dm-thin-pool 2>/dev/null

# The pool's own state, which moves with every volume made or removed: LVM and the kernel must have counted
# the same.
transactions_agree() {
	local ours theirs
	ours=$(lvs --noheadings -o transaction_id "$vg/pool" | tr -d ' ')
	theirs=$(dmsetup status "$pool" | cut -d ' ' -f 4)
	[ "$ours" = "$theirs" ] || {
		echo "LVM counts $ours transactions, the pool $theirs"
		return 1
	}
}

# And LVM has noted no message that it did not deliver.
pool_agrees() {
	transactions_agree || return
	vgcfgbackup -qq -f "$work/metadata" "$vg" || return
	if grep -q 'message[0-9]* {' "$work/metadata"; then
		grep -A2 'message[0-9]* {' "$work/metadata"
		return 1
	fi
}

# What the pool has, read from its metadata on disk while it is down: sound, and of LVM's volumes.
pool_is_sound() {
	local wanted found sound=true
	wanted=$(lvs -a --noheadings -o thin_id -S "pool_lv=pool" "$vg" | sort -n | xargs)
	umount /srv/a /srv/b && vgchange -qq -an "$vg" || return
	lvchange -qq -y -ay "$vg/pool_tmeta" || return
	thin_check "/dev/$vg/pool_tmeta" || sound=false
	found=$(thin_dump "/dev/$vg/pool_tmeta" | sed -n 's/.*<device dev_id="\([0-9]*\)".*/\1/p' | sort -n | xargs)
	lvchange -qq -an "$vg/pool_tmeta" && vgchange -qq -ay "$vg" || return
	mount "/dev/$vg/a" /srv/a && mount "/dev/$vg/b" /srv/b || return
	echo "LVM knows the thin volumes $wanted, the pool $found"
	[ "$wanted" = "$found" ] && "$sound"
}

a_set_forced() {
	check "LVM and the pool agree, though a copy is in use that neither has any more" transactions_agree
	must lvcreate -qq -y -s -n later "$vg/b"
	must lvremove -qq -y "$vg/later"
	check "LVM goes on as ever with that pool" pool_agrees
}

# What a set is.
a_thin_set() {
	check_says "a thin volume is the thin provider's" 'volume /srv/a/ on .* by lvm-thin$' "$(storage_set probe /srv/a)"
	# Active, and not to be activated by LVM itself.
	a_set '+Vri-aotz-k'
	check "a set: the pool agrees" pool_agrees

	# What a copy costs is in its pool, and is what the origin had.
	must create /srv/a
	check_says "the usage is what the copy has, of its size" ' [1-9][0-9]* 419430400 good' "$(storage_set usage)"
	must lvcreate -qq -y -s -n later "$vg/a"
	must lvremove -qq -y "$vg/later"
	check "LVM's own snapshots come and go, and the pool agrees" pool_agrees
	check "and the copy is deleted" storage_set delete

	must lvcreate -qq -y -s -n temporary "$vg/a"
	must lvchange -qq -ay -K "$vg/temporary"
	check "a copy of a thin snapshot" create "$vg/temporary"
	must lvremove -qq -y "$vg/temporary"
	check "it outlives its origin" grep -q new "$(device_of "/dev/$vg/temporary")"
	check "and is deleted" storage_set delete
	unchanged "and nothing is left of it"
}

# The way back from every step.
aborted() {
	ways_back "${volumes[@]}"
	check "the ways back: the pool agrees" pool_agrees
}

lvm_that_ends=/usr/local/sbin/lvm-that-ends # nothing in /run can be executed

# Lets lvm die at that step (lvm-ends.c), where a kill by the clock meets it once in hundreds.
lvm_ends() { # STEP VERB [ARGUMENT...]
	echo "$1" >"$work/ends"
	# In another shell, whose own words about who was killed are not asked for.
	bash -c '"$@"' - "$programs/storage-set" --lvm="$lvm_that_ends" "${@:2}" >"$work/ended" 2>&1
	[ -e "$work/ends" ] || return 0
	rm -f "$work/ends"
	storage_set delete >"$work/deleted" 2>&1
	echo "it did not: $(cat "$work/ended")"
	return 1
}

recovered() { # STEP
	check "$1: recovery" timeout 60 "$programs/storage-set" recover
	storage_set delete >"$work/deleted" 2>&1 # what was to be deleted when lvm died alone
	unchanged "$1: nothing is left"
}

# LVM's next command does what its last left undone.
lvm_goes_on() {
	lvcreate -qq -y -s -n later "$vg/b" && lvremove -qq -y "$vg/later"
}

ended() {
	printf '#!/bin/sh\nLD_PRELOAD=%s LVM_ENDS=%s exec /usr/sbin/lvm "$@"\n' \
		"$programs/lvm-ends.so" "$work/ends" >"$lvm_that_ends"
	must chmod +x "$lvm_that_ends"
	for step in "both before create_snap" "both after create_snap" "both after create_snap 2" \
		"both after set_transaction_id 2" "both after suspend:$vg-a" "lvm before create_snap 2" \
		"lvm after create_snap"; do
		check "made, $step" lvm_ends "$step" create "${volumes[@]}"
		recovered "made, $step"
		check "made, $step: the pool agrees" pool_agrees
	done
	for step in "both before delete" "both after delete 2" "both after set_transaction_id" "lvm after delete"; do
		must create "${volumes[@]}"
		check "deleted, $step" lvm_ends "$step" delete together
		recovered "deleted, $step"
		check "deleted, $step: LVM goes on with that pool" lvm_goes_on
		check "deleted, $step: the pool agrees" pool_agrees
	done
	# Somebody meets that pool before the service does. He is refused, but LVM has taken note.
	must lvcreate -qq -y -T -V 64M -n foreign "$vg/pool"
	check "met by another" lvm_ends "both after create_snap" create "${volumes[@]}"
	check "met by another: he is refused" not lvremove -qq -y "$vg/foreign"
	recovered "met by another"
	check "met by another: LVM goes on with that pool" lvm_goes_on
	check "met by another: the pool agrees" pool_agrees
	check "the pool is sound, wherever lvm has ended" pool_is_sound
}

# And from inside any of them: lvm itself is killed with the service, in the midst of what it does.
killed() {
	must create "${volumes[@]}"
	staging=$(awk '$2 == "stage" { print int($3 / 1000) }' "$work/made")
	must storage_set delete
	for ((i = 1; i <= kills; i++)); do
		msec=$((staging * i / (kills + 1)))
		setsid "$programs/storage-set" create "${volumes[@]}" >/dev/null 2>&1 &
		creation=$!
		sleep "$((msec / 1000)).$(printf %03d $((msec % 1000)))"
		kill -KILL -- "-$creation" 2>/dev/null
		wait "$creation" 2>/dev/null
		check "killed with its lvm after $msec ms: recovery" timeout 60 "$programs/storage-set" recover
		storage_set delete >/dev/null # should it have come to its end
		unchanged "killed with its lvm after $msec ms: nothing is left"
		check "killed with its lvm after $msec ms: the pool agrees" pool_agrees
	done
	# The way out is no different: copies that are deleted together.
	for ((i = 1; i <= (kills + 1) / 3; i++)); do
		must create "${volumes[@]}"
		msec=$((staging * i / 8))
		setsid "$programs/storage-set" delete together >"$work/killed" 2>&1 &
		deletion=$!
		sleep "$((msec / 1000)).$(printf %03d $((msec % 1000)))"
		kill -KILL -- "-$deletion" 2>/dev/null
		wait "$deletion" 2>/dev/null
		check "a deletion killed with its lvm after $msec ms: recovery" timeout 60 "$programs/storage-set" recover
		storage_set delete >/dev/null # should it not have begun
		unchanged "a deletion killed with its lvm after $msec ms: nothing is left"
		must lvm_goes_on
		check "a deletion killed with its lvm after $msec ms: the pool agrees" pool_agrees
	done
	check "the pool is sound, and has LVM's volumes and no others" pool_is_sound
}

# LVM by itself activates no copy; we do.
rebooted() {
	echo new | tee /srv/a/file >/srv/b/file
	must create "${volumes[@]}"
	copies=("$(copy_of /srv/a/)" "$(copy_of /srv/b/)")
	echo newer | tee /srv/a/file >/srv/b/file
	must umount "${copies[@]}" /srv/a /srv/b
	rm -rf /dev/vss
	must vgchange -qq -an "$vg"
	must vgchange -qq -aay "$vg"
	check_equal "LVM by itself activates no copy" "" "$(dmsetup ls | grep ShadowCopy)"
	must vgchange -qq -an "$vg"
	check "copies that stay are activated" storage_set activate
	check_equal "and have their content" "new new" "$(cat "${copies[0]}/file" "${copies[1]}/file" | xargs)"
	must vgchange -qq -ay "$vg"
	must mount "/dev/$vg/a" /srv/a
	must mount "/dev/$vg/b" /srv/b
	check_equal "no link under /dev/disk leads to them" "" \
		"$(udevadm settle; find /dev/disk -lname "*/$(basename "$(readlink -f "$(device_of /srv/a/)")")")"
	check "and are deleted" storage_set delete
	unchanged "and leave nothing"
	check "after a reboot: the pool agrees" pool_agrees
	check "after a reboot: the pool is sound" pool_is_sound
}

# Sets the flag in the superblock that asks for a check, as the kernel does after an error.
ask_for_check() { # POOL: down afterwards
	local table
	lvchange -qq -an "$vg/$1" && lvchange -qq -y -ay "$vg/$1_tmeta" || return
	table=$(dmsetup table "$vg-$1_tmeta")
	# LVM activates it read-only.
	lvchange -qq -an "$vg/$1_tmeta" && dmsetup create scratch --table "$table" || return
	python3 - /dev/mapper/scratch <<-'EOS' || return
		import os, struct, sys
		device = os.open(sys.argv[1], os.O_RDWR)
		data = bytearray(os.pread(device, 4096, 0))
		def checksum():
		    c = 0xFFFFFFFF
		    for byte in data[4:]:
		        c ^= byte
		        for _ in range(8):
		            c = (c >> 1) ^ (0x82F63B78 if c & 1 else 0)
		    return c ^ 160774
		assert struct.unpack_from("<I", data, 0)[0] == checksum(), "this is no superblock of dm-thin"
		struct.pack_into("<I", data, 4, struct.unpack_from("<I", data, 4)[0] | 1)
		struct.pack_into("<I", data, 0, checksum())
		os.pwrite(device, data, 0)
		os.fsync(device)
	EOS
	dmsetup remove --retry scratch
}

# What is refused, before anything is made.
refused() {
	must lvcreate -qq -y -s -L 32M -n foreign "$vg/a"
	check_says "a thin volume with thick snapshots is refused" 'VOLUME_NOT_SUPPORTED.*snapshots of the thick kind' \
		"$(storage_set probe /srv/a)"
	must lvremove -qq -y "$vg/foreign"
	unchanged "a thick snapshot leaves nothing behind"

	must lvcreate -qq -y -T -L 64M -V 100M -n full "$vg/small"
	must dd if=/dev/urandom of="/dev/$vg/full" bs=1M count=40 conv=fsync status=none
	check_says "a pool that is nearly full takes no copy" "INSUFFICIENT_STORAGE.*$vg/small has [0-9]+ KiB of data left" \
		"$(storage_set create "$vg/full" 2>&1)"
	check "but the volume is one to copy" storage_set probe "$vg/full"
	must lvextend -qq -L +40M "$vg/small"
	check "once it is extended it does" create "$vg/full"
	check "and the copy is deleted" storage_set delete
	must lvchange -qq -an "$vg/full"
	check "the metadata asks for a check" ask_for_check small
	must lvchange -qq -ay --config global/thin_check_executable='""' "$vg/full"
	check_says "a pool that needs a check takes no copy" 'VOLUME_NOT_SUPPORTED.*needs a check' "$(storage_set probe "$vg/full")"
	must lvchange -qq -an "$vg/full" "$vg/small"
	must lvremove -qq -ff -y "$vg/small" # LVM checks it when it activates it for that
	unchanged "what was refused leaves nothing"
}

# Thin and thick volumes in one set.
mixed() {
	volume_make c 320M ext4
	together=(/srv/a /srv/c /srv/b)
	rows=$(vssctl volumes --json | json '[v["name"] + " " + str(v["provider"]) for v in d["volumes"]]')
	for row in "/srv/a/ lvm-thin" "/srv/b/ lvm-thin" "/srv/c/ lvm-thick"; do
		check_says "vssctl volumes: $row" "^$row$" "$rows"
	done
	baseline
	load_start /srv/a/counter /srv/c/counter /srv/b/counter
	for ((i = 1; i <= sets; i++)); do
		check "thin and thick, set $i of $sets: one instant, sound file systems" set_together
	done
	check "no write of the load failed" load_stop
	note "load: ${load_summary:-}"
	unchanged "thin and thick: nothing is left"
	check "thin and thick: the pool agrees" pool_agrees
	must umount /srv/c
	check "thin and thick: the pool is sound" pool_is_sound
	must mount "/dev/$vg/c" /srv/c
}

vg_make
must lvcreate -qq -y -T -L 1200M "$vg/pool"
thin_make a 400M ext4
thin_make b 400M xfs
must lvcreate -qq -y -T -V 64M -n raw-c "$vg/pool"
must dd if=/dev/urandom of="/dev/$vg/raw-c" bs=1M count=8 status=none
volumes=(/srv/a /srv/b "$vg/raw-c")
watch_volumes a b raw-c
baseline
for part in "${parts[@]}"; do
	"$part"
done
check "no device is left suspended" no_suspended_device
finish
