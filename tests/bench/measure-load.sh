#!/bin/bash
# measure-load.sh RUNS-1 RUNS-8 RUNS-24 RUNS-64 : the write freeze under a full-speed load. Prints a
# line `sample NAME VALUE` for each, which tests/bench/run gathers and explains.
#
# fio writes to all N volumes, one thread for each, as fast as they take it: blocks of 4 KiB at random
# places of a file, past the page cache. A pause is the time that one of its writes takes. fio notes the
# longest of each 20 ms and volume with the time of its end; when it has been told to end, those that
# fall into the window of a set, into all of the set (from before DoSnapshotSet to after it), into the commit
# of staged snapshots by bare ioctls, into N times lvcreate -s, or into some seconds in which nothing else is done,
# are looked up.
. "$(dirname "$0")/lib-bench.sh"

FILE_SIZE=8M # on each volume: less than the copies' stores hold
NOTE_MS=20
# What began in a span of time and has not ended with it ends this much later.
LATE_MS=200

now_ms() {
	echo $((${EPOCHREALTIME/./} / 1000))
}

fio_job() {
	local i
	cat <<-EOJ
		[global]
		rw=randwrite
		bs=4k
		direct=1
		ioengine=psync
		thread=1
		size=$FILE_SIZE
		time_based=1
		runtime=7200
		write_lat_log=$work/fio
		per_job_logs=0
		log_avg_msec=$NOTE_MS
		log_max_value=1
		log_unix_epoch=1
		disable_slat=1
		disable_clat=1
	EOJ
	for ((i = 0; i < ${#volumes[@]}; i++)); do
		printf '[v%d]\nfilename=%s/fio\n' "$i" "${volumes[i]}"
	done
}

# The files are laid out before, so that the load is one of writes from the beginning.
fio_start() {
	local volume
	fio_job >"$work/fio.job"
	for volume in "${volumes[@]}"; do
		[ -e "$volume/fio" ] || must dd if=/dev/zero of="$volume/fio" bs=1M count="${FILE_SIZE%M}" conv=fsync
	done
	spans=()
	rm -f "$work"/fio_*.log
	fio --output="$work/fio.out" "$work/fio.job" >"$work/fio.err" 2>&1 &
	fio=$!
	# It writes when the volumes say so: the sectors written are the seventh field.
	wait_for 120 fio_writes || give_up "the load" "$(cat "$work/fio.err")"
	sleep 2
}

fio_writes() {
	local volume sectors
	for volume in "${volumes[@]}"; do
		read -r _ _ _ _ _ _ sectors _ <"/sys/dev/block/$(mountpoint -d "$volume")/stat"
		[ "$sectors" -gt "$((${FILE_SIZE%M} * 2048 + 4096))" ] || return
	done
}

# Ends the load and looks up what was asked for with span.
fio_stop() {
	local span
	kill -TERM "$fio" && wait "$fio"
	[ -s "$work/fio_lat.log" ] || give_up "the load" "$(cat "$work/fio.err" "$work/fio.out")"
	grep -q 'err= *0' "$work/fio.out" || give_up "the load" "$(cat "$work/fio.out")"
	! grep -Eq 'err= *[1-9]' "$work/fio.out" || give_up "a write failed" "$(grep 'err=' "$work/fio.out")"
	for span in "${spans[@]}"; do
		# shellcheck disable=SC2086 # three words
		set -- $span
		sample "$1" "$(awk -F ', *' -v begin="$2" -v end="$3" '
			$1 >= begin && $1 <= end && $2 > most { most = $2 }
			END { printf "%.3f", most / 1e6 }' "$work/fio_lat.log")"
	done
}

span() { # NAME BEGIN END
	spans+=("$1 $2 $(($3 + LATE_MS))")
}

measure_set() { # N
	local output begin instant held
	begin=$(now_ms)
	# shellcheck disable=SC2016 # for the shell that the requester starts
	output=$("$programs/requester" "${volumes[@]}" -- sh -c 'echo "ended $(date +%s%3N)"' 2>&1) ||
		give_up "a set of $1 volumes under load" "$output"
	instant=$(awk '$1 == "instant" { print $2 }' <<<"$output")
	held=$(awk '$1 == "writes_held" { print int($2) + 1 }' <<<"$output")
	span "window_load_ms_$1" "$((instant - held))" "$((instant + held))"
	span "making_load_ms_$1" "$begin" "$(awk '$1 == "ended" { print $2 }' <<<"$output")"
	set_figures "$1" "$output" writes_held=held_load_ms do_snapshot_set=set_load_ms
}

# The load stands still while snapshots are staged and removed: each dmsetup would wait for it, for an hour with 64
# volumes. The service flushes before its window as well.
measure_floor() { # N
	local output begin
	kill -STOP "$fio"
	floor_stage 4k "${lvs[@]}" >"$work/floor" 2>&1 || give_up "staging $1 volumes" "$(cat "$work/floor")"
	kill -CONT "$fio"
	sleep 2
	sync
	sync
	begin=$(now_ms)
	output=$(floor_window "${lvs[@]}" 2>&1) || give_up "the floor of $1 volumes" "$output"
	span "floor_load_ms_$1" "$begin" "$(now_ms)"
	sleep 1
	kill -STOP "$fio"
	floor_remove "${lvs[@]}" >"$work/floor" 2>&1 || give_up "removing $1 snapshots" "$(cat "$work/floor")"
	kill -CONT "$fio"
}

measure_lvcreate() { # N
	local begin
	sleep 2
	begin=$(now_ms)
	sample_time "lvcreate_load_ms_$1" lvcreate_each -L 16M
	span "lvcreate_load_pause_ms_$1" "$begin" "$(now_ms)"
	sleep 1
	kill -STOP "$fio"
	lvremove_all >"$work/lvm" 2>&1 || give_up "removing $1 snapshots" "$(cat "$work/lvm")"
	kill -CONT "$fio"
}

measure_idle() { # N
	local begin
	sleep 2
	begin=$(now_ms)
	sleep 3
	span "idle_load_ms_$1" "$begin" "$(now_ms)"
}

measure() { # N RUNS
	local n=$1 run
	[ "$2" -gt 0 ] || return 0
	volumes_are "$n" -W y -L 64M "$vg"
	fio_start
	for ((run = 1; run <= $2; run++)); do
		progress "load, N = $n, run $run of $2"
		measure_idle "$n"
		measure_set "$n"
		measure_idle "$n"
		measure_floor "$n"
		measure_lvcreate "$n"
	done
	fio_stop
}

vg_make
must vssctl volumes
measure 1 "${1:-3}"
measure 8 "${2:-3}"
measure 24 "${3:-2}"
measure 64 "${4:-1}"
