# shellcheck shell=bash
# What the VM tests share: checks that count, scratch volumes, the counter load. Sourced.
#
# Each check prints `ok - NAME` or `not ok - NAME: WHY`; finish prints how many there were, by which
# tests/run sees that a script came to its end. Whatever is written here goes to /run, which is
# never suspended.

set -uo pipefail
export TMPDIR=/run LC_ALL=C.UTF-8 SYSTEMD_PAGER='' LVM_SUPPRESS_FD_WARNINGS=1

programs=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d /run/test.XXXXXX)
vg=tank
checks=0
failures=0

note() {
	printf '# %s\n' "$*"
}

pass() { # NAME
	checks=$((checks + 1))
	printf 'ok - %s\n' "$1"
}

fail() { # NAME WHY
	checks=$((checks + 1))
	failures=$((failures + 1))
	printf 'not ok - %s: %s\n' "$1" "$(tr '\n' ' ' <<<"${2:-no reason given}" | cut -c -600)"
	# Of the services themselves: whoever reads this later has nothing but these lines.
	journalctl -q -b -u vssd -u vss-hook-writer -n 12 -o short-precise --no-pager 2>/dev/null | cut -c -300 | sed 's/^/#   /'
}

# check NAME COMMAND... passes if COMMAND succeeds; its output is the reason if not. It runs in this
# shell, so that it can leave something in variables.
check() {
	local name=$1 status
	shift
	"$@" >"$work/output" 2>&1
	status=$?
	if [ $status -eq 0 ]; then
		pass "$name"
	else
		fail "$name" "$1 ended with $status: $(cat "$work/output")"
	fi
	return $status
}

check_equal() { # NAME WANTED FOUND
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1" "$(diff <(printf '%s\n' "$2") <(printf '%s\n' "$3") | grep '^[<>]')"
	fi
}

# check_says NAME PATTERN TEXT: an extended regular expression.
check_says() {
	if grep -Eq -- "$2" <<<"$3"; then
		pass "$1"
	else
		fail "$1" "nothing like '$2' in: $3"
	fi
}

finish() {
	printf '1..%d\n' "$checks"
	[ "$failures" -eq 0 ]
	exit
}

# Things that must work for the test to mean anything.
must() {
	if ! "$@" >"$work/output" 2>&1; then
		fail "set-up" "$*: $(cat "$work/output")"
		finish
	fi
}

wait_for() { # SECONDS COMMAND...
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.1
	done
}

# --- scratch volumes --------------------------------------------------------------------------

vg_make() { # [DISK...]
	[ $# -gt 0 ] || set -- /dev/disk/by-id/virtio-data*
	must vgcreate -qq "$vg" "$@"
}

volume_make() { # NAME SIZE FSTYPE: mounted on /srv/NAME
	must lvcreate -qq -y -W y -n "$1" -L "$2" "$vg"
	must "mkfs.$3" -q "/dev/$vg/$1"
	must mkdir -p "/srv/$1"
	must mount "/dev/$vg/$1" "/srv/$1"
}

# In the thin pool $vg/pool, which is made before.
thin_make() { # NAME SIZE FSTYPE: mounted on /srv/NAME
	must lvcreate -qq -y -T -n "$1" -V "$2" "$vg/pool"
	must "mkfs.$3" -q "/dev/$vg/$1"
	must mkdir -p "/srv/$1"
	must mount "/dev/$vg/$1" "/srv/$1"
}

fsck_copy() { # DEVICE FSTYPE
	case $2 in
	ext4) e2fsck -fn "$1" ;;
	xfs) xfs_repair -n "$1" ;;
	*) echo "$1 has a file system of type '$2'" && false ;;
	esac
}

# fsck_copies [INDEX...]: of devices and types, all without; side by side, and ahead of a load, which need not be
# fast meanwhile. Says what the check of each has to say that finds something.
fsck_copies() {
	local i pids=() result=0
	[ $# -gt 0 ] || set -- "${!devices[@]}"
	for i in "$@"; do
		{ renice -n -10 -p "$BASHPID" && fsck_copy "${devices[i]}" "${types[i]}"; } >"$work/fsck-$i" 2>&1 &
		pids[i]=$!
	done
	for i in "${!pids[@]}"; do
		wait "${pids[i]}" || {
			echo "${devices[i]} (${types[i]}): $(tail -n 5 "$work/fsck-$i")"
			result=1
		}
	done
	return "$result"
}

# Everything that a snapshot set could leave behind, in an order that does not change.
machine_state() {
	echo "== lvs"
	lvs -a --noheadings -o vg_name,lv_name,lv_size,origin,lv_layout | sort
	echo "== dm"
	dmsetup info -c --noheadings --separator ' ' -o name,uuid,suspended,tables_loaded | sort
	dmsetup table | sort
	echo "== mounts"
	findmnt -rno TARGET,SOURCE,FSTYPE | sort
	echo "== loop devices"
	losetup -nO NAME,BACK-FILE
	echo "== nodes"
	find /run/vss /dev/vss -mindepth 1 2>/dev/null | sort
	echo "== sets"
	vssctl list --json | grep -v '"used_bytes":' # an origin writes its journal back in its own time
}

no_suspended_device() {
	local suspended
	suspended=$(dmsetup info -c --noheadings -o name,suspended | grep -v ':Active$')
	[ -z "$suspended" ] || {
		echo "suspended: $suspended"
		return 1
	}
}

# --- the load ---------------------------------------------------------------------------------

load_start() { # FILE...
	"$programs/vss-counter" "$@" >"$work/load" 2>&1 &
	load=$!
	load_files=("$@")
	wait_for 60 grep -q started "$work/load" || {
		fail "the load writes" "$(cat "$work/load")"
		finish
	}
}

# Fails if the load did: a write to a volume went wrong. Its summary is in load_summary then.
load_stop() {
	local pid=$load
	load=
	if ! kill -TERM "$pid" || ! wait "$pid"; then
		cat "$work/load"
		return 1
	fi
	load_summary=$(tail -n 1 "$work/load")
}

# The longest pause, in milliseconds, since the last call.
load_pause() {
	local before
	before=$(grep -c '^pause' "$work/load")
	kill -USR1 "$load" || return
	wait_for 30 eval "[ \$(grep -c '^pause' '$work/load') -gt $before ]" || return
	awk '/^pause/ { p = $2 } END { print p }' "$work/load"
}

load_value() { # of the first file, as the page cache has it
	sed 's/^0*\(.\)/\1/' "${load_files[0]}"
}

# --- vssctl's JSON ----------------------------------------------------------------------------

# Where machines are emulated python takes a second or two to start, under load four. What is asked
# after each set is therefore read without it, by the lines that vssctl prints.

# json EXPRESSION: of the document on stdin, named d; lists are printed a line each.
json() {
	python3 -I -S -c '
import json, sys
d = json.load(sys.stdin)
r = eval(sys.argv[1])
for x in r if isinstance(r, (list, tuple)) else [r]:
    print(x)
' "$1"
}

# The ids of all sets there are.
sets_there() {
	vssctl list --json | awk -F '"' '$2 == "snapshot_set_id" { print $4 }' | sort -u
}

# set_made VOLUME...: reads what `vssctl create --json` said of a set of these volumes into
# set, copies, devices and types, the last three in the order of the VOLUMEs. Or says what is wrong.
set_made() { # ANSWER VOLUME...
	local rows answer=$1
	shift
	rows=$(awk -F '"' '
		BEGIN {
			for (i = 1; i < ARGC; i++) {
				volumes[i] = ARGV[i]
				ARGV[i] = ""
			}
		}
		function value() { return NF > 3 ? $4 : "null" }
		/^  "snapshot_set_id": / { set = value() }
		/^  "failed_writers": \[\],?$/ { writers_good = 1 }
		/^      "volume_display_name": / { volume = value(); n++ }
		/^      "device_object": / { row[volume] = value() }
		/^      "(block_device|file_system)": / { row[volume] = row[volume] " " value() }
		END {
			print set
			for (i = 1; i < ARGC; i++) {
				if (split(row[volumes[i]], parts, " ") != 3)
					exit 1
				print row[volumes[i]]
			}
			exit !(set && writers_good && n == ARGC - 1)
		}' "$@" <<<"$answer") || {
		echo "not the answer that was hoped for, of $*: $answer"
		return 1
	}
	set=$(head -n 1 <<<"$rows")
	mapfile -t copies < <(tail -n +2 <<<"$rows" | cut -d ' ' -f 1)
	mapfile -t devices < <(tail -n +2 <<<"$rows" | cut -d ' ' -f 2)
	mapfile -t types < <(tail -n +2 <<<"$rows" | cut -d ' ' -f 3)
}

# --- the end ----------------------------------------------------------------------------------

# Takes away what the test made, so that the next one finds an empty machine.
clean_up() {
	[ -z "${load:-}" ] || kill -KILL "$load"
	systemctl stop vss-hook-writer
	rm -rf /etc/vss/writers.d/*
	sets_there | xargs -r vssctl delete --force
	findmnt -rno TARGET | grep '^/srv/' | sort -r | xargs -r umount
	vgremove -qq -ff -y "$vg"
	rm -rf "$work"
} >/dev/null 2>&1
trap clean_up EXIT
