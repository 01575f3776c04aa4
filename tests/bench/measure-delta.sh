#!/bin/bash
# measure-delta.sh [RUNS]: how long it takes to say which blocks of 100 GiB have changed, where 1 GiB has, of a
# thick volume and of a thin one; and of this by the pool's own tools. Prints a line `sample NAME VALUE` for each
# measurement, which tests/bench/run gathers and explains. That the blocks are the right ones is tested
# (tests/vm/test-delta.sh); here their number is.
. "$(dirname "$0")/lib-bench.sh"

# What the service cannot do without, and nothing else.
thin_delta_alone() { # DEVICE COPY
	local pool=$vg-pool-tpool older younger result
	older=$(dmsetup table "$2" | cut -d ' ' -f 5)
	younger=$(dmsetup table "$1" | cut -d ' ' -f 5)
	dmsetup message "$pool" 0 reserve_metadata_snap || return
	thin_delta -m --thin1 "$older" --thin2 "$younger" "/dev/mapper/$vg-pool_tmeta"
	result=$?
	dmsetup message "$pool" 0 release_metadata_snap && return "$result"
}

measure() { # NAME DEVICE BLOCK-KIB RUNS
	local copy device run changed
	copy=$(vssctl create --quiet --keep --context nas-rollback "$2") || give_up "$1" "no copy of $2"
	device=$(vssctl show --json "$copy" | json 'd["snapshots"][0]["block_device"]')
	must "$programs/touch-blocks.py" "$2" "$3"
	for ((run = 1; run <= $4; run++)); do
		progress "$1, run $run of $4"
		sample_time "$1" vssctl delta --format bitmap "$copy"
		[ "$1" != delta_thin_ms ] || sample_time delta_thin_alone_ms thin_delta_alone "$2" "$device"
	done
	changed=$(vssctl delta --json "$copy" | json 'd["changed_blocks"] * d["block_size"]')
	[ "$changed" = $((1 << 30)) ] || give_up "$1" "$changed bytes have changed"
	must vssctl delete "$copy"
}

vg_make
must vssctl volumes
# Room for the blocks that are written, which are 1 GiB, and for nothing else of the 100.
must lvcreate -qq -y -T -n pool -L 2G -Z n "$vg/pool"
must lvcreate -qq -y -T -n thin -V 100G "$vg/pool"
measure delta_thin_ms "/dev/$vg/thin" 64 "${1:-5}"
must lvremove -qq -y "$vg/pool"

volume_make files 8G ext4
must truncate -s 115G /srv/files/disk
loop=$(losetup -f --show /srv/files/disk) || give_up "delta_thick_ms" "no loop device"
must vgcreate -qq sparse "$loop"
must lvcreate -qq -y -W n -n thick -L 100G sparse
measure delta_thick_ms /dev/sparse/thick 32 "${1:-5}"
