#!/bin/bash
# measure-cow.sh BATCHES BATCHES-OF-SIZES : what writing to an origin costs. Prints a line `sample NAME VALUE`
# for each measurement, which tests/bench/run gathers and explains.
#
# Each measurement writes, past the page cache, to places that have not been written since the
# snapshots were made, because only the first write of a chunk copies it out: one after the other in
# blocks of 1 MiB, and at random places in blocks of 16 KiB and 4 KiB. A batch are fresh snapshots and ROUNDS
# rounds of short writes, of which later ones take later parts of the volume. Within a round one variant
# follows the other after a fraction of a second, to the same places, in an order that turns around from
# round to round.
#
# Ours is an origin with N copies of the service; bare is an origin with N snapshots that are made here by
# dmsetup, with chunks of the same size; sizes are bare origins with one snapshot each, whose chunks are
# 4 KiB to 256 KiB, and one without.
. "$(dirname "$0")/lib-bench.sh"

ORIGIN=1G
ROUNDS=6
PART=160 # MiB of the origin for each round
SIZES=(4 8 16 32 64 128 256)

fio_jobs() { # NAME=DEVICE...
	local round i variant at
	cat <<-EOJ
		[global]
		direct=1
		ioengine=libaio
		iodepth=8
		thread=1
		stonewall=1
	EOJ
	for ((round = 0; round < ROUNDS; round++)); do
		at=$((round * PART))
		for pattern in "seq rw=write bs=1M offset=${at}M size=16M" \
			"rand16 rw=randwrite bs=16k offset=$((at + 16))M size=48M io_size=2M" \
			"rand4 rw=randwrite bs=4k offset=$((at + 64))M size=96M io_size=1M"; do
			for ((i = 1; i <= $#; i++)); do
				variant=${*:$((round % 2 ? $# + 1 - i : i)):1}
				printf '[%s_%s]\nfilename=%s\nrandseed=%d\n' "${variant%%=*}" "${pattern%% *}" "${variant#*=}" $((round + 1))
				tr ' ' '\n' <<<"${pattern#* }"
			done
		done
	done
}

# All variants, ROUNDS times; samples cow_NAME_PATTERN.
fio_batch() { # NAME=DEVICE...
	fio_jobs "$@" >"$work/fio.job"
	fio --output-format=json --output="$work/fio.json" "$work/fio.job" >"$work/fio.err" 2>&1 ||
		give_up "writing to $*" "$(cat "$work/fio.err")"
	json '["%s %.4f" % (j["jobname"], j["write"]["bw_bytes"] / 1e6) for j in d["jobs"] if not j["error"]]' \
		<"$work/fio.json" >"$work/fio.lines"
	[ "$(wc -l <"$work/fio.lines")" = $((ROUNDS * 3 * $#)) ] || give_up "writing to $*" "$(cat "$work/fio.json")"
	while read -r name rate; do
		sample "cow_$name" "$rate"
	done <"$work/fio.lines"
}

dm_make() { # NAME TABLE
	must dmsetup create "$1" --table "$2"
}

# bare_make ORIGIN CHUNK-KIB N: /dev/mapper/ORIGIN-bare, an origin over the LV with N snapshots whose
# stores are the LVs ORIGIN-cow1, ...
bare_make() {
	local size i
	size=$(blockdev --getsz "/dev/$vg/$1")
	for ((i = 1; i <= $3; i++)); do
		[ -b "/dev/$vg/$1-cow$i" ] || must lvcreate -qq -y -n "$1-cow$i" -L "$STORE" "$vg"
		must dd if=/dev/zero of="/dev/$vg/$1-cow$i" bs=1M count=1 oflag=direct
		dm_make "$1-snap$i" "0 $size snapshot /dev/$vg/$1 /dev/$vg/$1-cow$i P $(($2 * 2))"
	done
	dm_make "$1-bare" "0 $size snapshot-origin /dev/$vg/$1"
}

bare_remove() { # ORIGIN N
	local i
	must dmsetup remove --retry "$1-bare"
	for ((i = 1; i <= $2; i++)); do
		must dmsetup remove --retry "$1-snap$i"
	done
}

# All snapshots still hold what they were made of: one that is lost costs nothing.
snapshots_hold() { # COUNT
	local good
	good=$(dmsetup status --target snapshot | grep -Ec ' snapshot [0-9]+/[0-9]+ [0-9]+$')
	[ "$good" = "$1" ] || give_up "the snapshots hold" "$good of $1: $(dmsetup status)"
}

make_copies() { # N
	local i set
	sets=()
	for ((i = 0; i < $1; i++)); do
		set=$(vssctl create --keep --quiet "/dev/$vg/ours" 2>"$work/create") || give_up "a copy" "$(cat "$work/create")"
		sets+=("$set")
	done
}

measure_ratio() { # N BATCHES
	local n=$1 batch chunk
	for ((batch = 1; batch <= $2; batch++)); do
		make_copies "$n"
		if [ "$n" = 0 ]; then
			progress "no snapshots, batch $batch of $2"
			fio_batch "ours_$n=/dev/$vg/ours" "bare_$n=/dev/$vg/bare"
			continue
		fi
		chunk=$(($(dmsetup table --target snapshot | awk '{ print $NF; exit }') / 2))
		bare_make bare "$chunk" "$n"
		progress "$n snapshots, chunks of $chunk KiB, batch $batch of $2"
		fio_batch "ours_$n=/dev/$vg/ours" "bare_$n=/dev/mapper/bare-bare"
		snapshots_hold $((2 * n))
		bare_remove bare "$n"
		must vssctl delete --force "${sets[@]}"
	done
}

# How full the store is: sectors.
store_used() { # SNAPSHOT
	dmsetup status "$1" | awk '{ split($4, used, "/"); print used[1] }'
}

measure_sizes() { # BATCHES
	local chunk batch variants=("chunk_none=/dev/$vg/c0") written=$((ROUNDS * (16 + 2 + 1) * 2048))
	must lvcreate -qq -y -W y -n c0 -L "$ORIGIN" "$vg"
	for chunk in "${SIZES[@]}"; do
		must lvcreate -qq -y -W y -n "c$chunk" -L "$ORIGIN" "$vg"
		variants+=("chunk_$chunk=/dev/mapper/c$chunk-bare")
	done
	for ((batch = 1; batch <= $1; batch++)); do
		for chunk in "${SIZES[@]}"; do
			bare_make "c$chunk" "$chunk" 1
		done
		progress "sizes of chunks, batch $batch of $1"
		fio_batch "${variants[@]}"
		snapshots_hold ${#SIZES[@]}
		for chunk in "${SIZES[@]}"; do
			sample "cow_chunk_${chunk}_store" "$(awk -v used="$(store_used "c$chunk-snap1")" -v written=$written \
				'BEGIN { printf "%.3f", used / written }')"
			bare_remove "c$chunk" 1
		done
	done
}

vg_make
must vssctl volumes
must lvcreate -qq -y -W y -n ours -L "$ORIGIN" "$vg"
must lvcreate -qq -y -W y -n bare -L "$ORIGIN" "$vg"
STORE=320M # as the service's, of a volume of this size
measure_ratio 1 "${1:-2}"
measure_ratio 4 "${1:-2}"
measure_ratio 0 "${1:-2}"
must lvremove -qq -y "$vg/ours" "$vg/bare" "$vg/bare-cow1" "$vg/bare-cow2" "$vg/bare-cow3" "$vg/bare-cow4"
STORE=640M
measure_sizes "${2:-2}"
