#!/bin/bash
# measure-window.sh thick|thin RUNS-1 RUNS-8 RUNS-24 RUNS-64 : the write freeze that a light load sees,
# and the wall time of sets. Prints a line `sample NAME VALUE` for each, which tests/bench/run
# gathers and explains.
#
# For N = 1, 8, 24 and 64 small mounted volumes, vss-counter writes to all of them in turn, without
# pause, from before the first run to after the last one. A round measures, one after the other, a set
# of the service and its deletion; N staged snapshots committed by bare parallel ioctls
# (window-floor; thick ones only); N times lvcreate -s; and nothing at all. So whatever changes on the
# machine changes for all.
. "$(dirname "$0")/lib-bench.sh"

kind=$1
shift
case $kind in
thick) suffix='' make=(-W y -L 64M "$vg") room=(-L 16M) ;;
thin) suffix=_thin make=(-V 64M --thinpool "$vg/pool") room=() ;;
*) give_up "$kind" "neither thick nor thin" ;;
esac

# The service: window, set and deletion.
measure_set() { # N
	local output
	load_pause >/dev/null
	output=$("$programs/requester" "${volumes[@]}" -- "$programs/measure-pause.sh" "$load" "$work/load" 2>&1) ||
		give_up "a set of $1 volumes" "$output"
	set_figures "$1" "$output" "pause=window${suffix}_ms" "writes_held=held${suffix}_ms" \
		"do_snapshot_set=set${suffix}_ms" "delete_snapshots=delete${suffix}_ms"
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
	load_pause >/dev/null
	sample_time "lvcreate${suffix}_ms_$1" lvcreate_each "${room[@]}"
	sample "lvcreate${suffix}_pause_ms_$1" "$(load_pause)"
	sample_time "lvremove${suffix}_ms_$1" lvremove_all
}

measure_idle() { # N
	load_pause >/dev/null
	sleep 3
	sample "idle${suffix}_ms_$1" "$(load_pause)"
}

measure() { # N RUNS
	local n=$1 run
	[ "$2" -gt 0 ] || return 0
	volumes_are "$n" "${make[@]}"
	load_start "${files[@]}"
	for ((run = 1; run <= $2; run++)); do
		progress "$kind, N = $n, run $run of $2"
		measure_set "$n"
		[ "$kind" = thin ] || measure_floor "$n"
		measure_lvcreate "$n"
		measure_idle "$n"
	done
	load_stop >/dev/null || give_up "the load" "$(cat "$work/load")"
}

vg_make
[ "$kind" = thick ] || must lvcreate -qq -y -T -L 8G --poolmetadatasize 64M -Z y "$vg/pool"
must vssctl volumes
measure 1 "${1:-5}"
measure 8 "${2:-3}"
measure 24 "${3:-2}"
measure 64 "${4:-1}"
