#!/bin/bash
# A program writes a counter first to one volume, then to another, without pause: in every snapshot
# set made meanwhile the copies must be of one instant, and each copy a sound file system. The
# negative control shows that this test can fail: copies made by lvcreate one after the other.
#
# usage: test-cross-volume.sh [SETS [SETS-WITH-ROOT]]
. "$(dirname "$0")/lib.sh"

sets=${1:-30}
root_sets=${2:-10}

# The copies of two volumes, given as mounted directories, and the load's files in them.
verify_copies() { # LOW HIGH FILE FILE
	"$programs/vss-verify" --between "$@"
}

# One set of VOLUMES, all of it checked; the files are the load's, relative to the first and the
# last volume. Prints why it is not good.
one_set() { # FILE-A FILE-B VOLUME...
	local a=$1 b=$2 low high answer set copies devices types
	shift 2
	low=$(load_value)
	answer=$(vssctl create --json --keep "$@") || {
		echo "create: $answer"
		return 1
	}
	high=$(load_value)
	set_made "$answer" "$@" || return
	verify_copies "$low" "$high" "${copies[0]}/$a" "${copies[-1]}/$b" || return
	fsck_copies || return
	vssctl delete "$set"
}

sets_under_load() { # NAME COUNT FILE-A FILE-B VOLUME...
	local name=$1 count=$2 i
	shift 2
	for ((i = 1; i <= count; i++)); do
		check "$name, set $i of $count: one instant, sound file systems" one_set "$@"
	done
}

# The same with lvcreate: it must be caught.
torn_copies_are_caught() {
	local low high output status=0
	low=$(load_value)
	lvcreate -qq -y -s -n torn-a -L 32M "$vg/a" || return
	lvcreate -qq -y -s -n torn-b -L 32M "$vg/b" || return
	high=$(load_value)
	mkdir -p "$work/a" "$work/b"
	mount -o ro "/dev/$vg/torn-a" "$work/a" && mount -o ro,nouuid "/dev/$vg/torn-b" "$work/b" || return
	output=$(verify_copies "$low" "$high" "$work/a/counter" "$work/b/counter") || status=$?
	umount "$work/a" "$work/b" && lvremove -qq -y "$vg/torn-a" "$vg/torn-b" || return
	echo "$output"
	[ "$status" -eq 1 ] && grep -q '^torn:' <<<"$output"
}

vg_make
volume_make a 320M ext4
volume_make b 320M xfs
must mkdir -p /var/tmp/load

load_start /srv/a/counter /srv/b/counter
check "negative control: lvcreate -s one after the other is found torn" torn_copies_are_caught
sets_under_load "ext4 and XFS" "$sets" counter counter /srv/a /srv/b
check "no write of the load failed" load_stop
note "load: ${load_summary:-}"

load_start /var/tmp/load/counter /srv/b/counter
sets_under_load "root and XFS" "$root_sets" var/tmp/load/counter counter / /srv/b
check "no write of the load failed" load_stop
note "load: ${load_summary:-}"

check "no device is left suspended" no_suspended_device
finish
