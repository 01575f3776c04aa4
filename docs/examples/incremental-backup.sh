#!/bin/sh
# A backup of a volume block by block: all of it once, then what has changed, by vssctl delta.
#
#   incremental-backup.sh backup VOLUME DIRECTORY    the first time all of it, later what changed
#   incremental-backup.sh restore DIRECTORY DEVICE   writes the last state to a device or a file
#
# DIRECTORY, which is not on the VOLUME, then has
#
#   0.data              all blocks of the first copy
#   N.ranges, N.data    the blocks that changed up to the N-th: where they belong, and what is in them
#   copy                the id of the set of the last copy: it is kept, as the next is compared with it
#
# A run that fails leaves the backup as it was. Blocks are found without reading the volume; what is
# read is the copy, so that the volume may be in use.
set -eu

block_device() { # SET
	vssctl show --json "$1" | sed -n 's/^ *"block_device": "\(.*\)",$/\1/p'
}

last_number() { # DIRECTORY
	n=0
	while [ -e "$1/$((n + 1)).data" ]; do n=$((n + 1)); done
	echo "$n"
}

backup() { # VOLUME DIRECTORY
	mkdir -p "$2"
	set=$(vssctl create --quiet --keep --context nas-rollback "$1")
	trap 'vssctl delete "$set"' EXIT
	device=$(block_device "$set")
	if [ ! -e "$2/copy" ]; then
		dd if="$device" of="$2/0.data" bs=1M status=none
		sync "$2/0.data"
		echo "$set" >"$2/copy.new"
	else
		last=$(cat "$2/copy")
		n=$(($(last_number "$2") + 1))
		vssctl delta --compare "$last" "$set" >"$2/$n.ranges"
		while read -r offset length; do
			dd if="$device" bs=1M iflag=skip_bytes,count_bytes skip="$offset" count="$length" status=none
		done <"$2/$n.ranges" >"$2/new.data"
		sync "$2/$n.ranges" "$2/new.data"
		echo "$set" >"$2/copy.new"
		# From here on there is one more.
		mv "$2/new.data" "$2/$n.data"
	fi
	mv "$2/copy.new" "$2/copy"
	sync "$2"
	trap - EXIT
	[ -z "${last:-}" ] || vssctl delete "$last"
}

restore() { # DIRECTORY DEVICE
	dd if="$1/0.data" of="$2" bs=1M conv=notrunc status=none
	n=1
	while [ -e "$1/$n.data" ]; do
		position=0
		while read -r offset length; do
			dd if="$1/$n.data" of="$2" bs=1M iflag=skip_bytes,count_bytes skip="$position" count="$length" \
				oflag=seek_bytes seek="$offset" conv=notrunc status=none
			position=$((position + length))
		done <"$1/$n.ranges"
		n=$((n + 1))
	done
	sync "$2"
}

case "${1:-} $#" in
'backup 3') backup "$2" "$3" ;;
'restore 3') restore "$2" "$3" ;;
*)
	sed -n 's/^#   incremental/incremental/p' "$0" >&2
	exit 1
	;;
esac
