#!/bin/bash
# measure.sh RUNS-1 RUNS-8 RUNS-24 : the measurements of `make bench`, in the VM. Prints a line
# `sample NAME VALUE` for each, which tests/bench/run gathers.
#
# For N = 1, 8 and 24 small mounted volumes, vss-counter writes to all of them in turn, without
# pause, from before the first run to after the last one. A round measures, one after the other:
#
#   window_ms    the longest time between two acknowledged writes of that process, from before
#                DoSnapshotSet to after it: the write freeze as an application sees it
#   held_ms      of that, what the service held: first suspend to last resume, by its own clock
#   floor_ms     the same as window_ms, by the same process, while N snapshots that were staged
#                beforehand are committed by bare parallel ioctls with nothing of the service
#                (window-floor)
#   set_ms       wall time of DoSnapshotSet, from the call to the end of its IVssAsync
#   lvcreate_ms  wall time of N times lvcreate -s, one after the other
#
# and, for comparison, idle_ms: the longest such pause in as long a time in which nothing is done.
# Rounds are interleaved (service, floor, lvcreate, service, ...), so that whatever changes on the
# machine changes for all.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/floor.sh"

sample() {
	printf 'sample %s %s\n' "$1" "$2"
}

give_up() {
	fail "$1" "$2"
	finish
}

# The service: window and set.
measure_set() { # N
	local output
	load_pause >/dev/null
	output=$("$programs/requester" "${volumes[@]}" -- "$programs/measure-pause.sh" "$load" "$work/load" 2>&1) ||
		give_up "a set of $1 volumes" "$output"
	sample "window_ms_$1" "$(awk '$1 == "pause" { print $2 }' <<<"$output")"
	sample "held_ms_$1" "$(awk '$1 == "writes_held" { print $2 }' <<<"$output")"
	sample "set_ms_$1" "$(awk '$1 == "do_snapshot_set" { print $2 }' <<<"$output")"
}

measure_floor() { # N
	local output
	floor_stage 4k "${lvs[@]}" >"$work/floor" 2>&1 || give_up "staging $1 volumes" "$(cat "$work/floor")"
	load_pause >/dev/null
	output=$(floor_window "${lvs[@]}" 2>&1) || give_up "the floor of $1 volumes" "$output"
	sample "floor_ms_$1" "$(load_pause)"
	floor_remove "${lvs[@]}" >"$work/floor" 2>&1 || give_up "removing $1 snapshots" "$(cat "$work/floor")"
}

measure_lvcreate() { # N
	local begin end lv
	begin=$(date +%s%N)
	for lv in "${lvs[@]}"; do
		lvcreate -qq -y -s -n "$lv-floor" -L 16M "$vg/$lv" >/dev/null || give_up "lvcreate -s" "$lv"
	done
	end=$(date +%s%N)
	sample "lvcreate_ms_$1" "$(((end - begin) / 1000000)).$(printf %03d $(((end - begin) / 1000 % 1000)))"
	floor_remove "${lvs[@]}" || give_up "removing $1 snapshots" "lvremove"
}

measure_idle() { # N
	load_pause >/dev/null
	sleep 3
	sample "idle_ms_$1" "$(load_pause)"
}

measure() { # N RUNS
	local n=$1 run
	volumes=()
	lvs=()
	files=()
	for ((i = 1; i <= n; i++)); do
		lvs+=("v$i")
		volumes+=("/srv/v$i")
		files+=("/srv/v$i/counter")
		[ -b "/dev/$vg/v$i" ] || volume_make "v$i" 64M ext4
	done
	load_start "${files[@]}"
	for ((run = 1; run <= $2; run++)); do
		note "N = $n, run $run of $2, after $SECONDS s"
		measure_set "$n"
		measure_floor "$n"
		measure_lvcreate "$n"
		measure_idle "$n"
	done
	load_stop >/dev/null
}

vg_make
must vssctl volumes
measure 1 "${1:-5}"
measure 8 "${2:-3}"
measure 24 "${3:-3}"
