#!/bin/bash
# Copies served over NBD: what a client reads is what is on the device, to the byte; by TCP, by a socket, and as a
# service; nobody writes, and who deletes the copy has to force it.
#
# On the copies that test-import.sh has left on the host two: one is deleted, the group is let go of.
. "$(dirname "$0")/lib.sh"
trap - EXIT # the disks are kept

copy_named() { # KEY: of the copy of /srv/a
	vssctl list --json | json "[s['$1'] for s in d['snapshots'] if s['volume'] == '/srv/a/']"
}

# served [OPTION...]: in the background; its process in server, where it is in uri.
served() {
	coproc SERVER { exec vssctl export "$@" "$name" 2>"$work/served"; }
	server=$SERVER_PID
	read -r -t 60 uri <&"${SERVER[0]}" || {
		cat "$work/served"
		return 1
	}
}

ended() { # STATUS
	local status=0
	wait "$server" || status=$?
	[ "$status" = "$1" ] || {
		echo "it ended with $status, not $1: $(cat "$work/served")"
		return 1
	}
}

same() { # URI
	rm -f "$work/image"
	nbdcopy "$1" "$work/image" && cmp "$work/image" "$device"
}

no_server() {
	! pgrep -x nbdkit
}

name=$(copy_named name)
device=$(copy_named block_device)
before=$(machine_state)

check "a copy is served" served
check_equal "to this machine, at the port of NBD" nbd://127.0.0.1:10809 "$uri"
check "what is read is what is there" same "$uri"
check_says "its size is the device's" "$(blockdev --getsize64 "$device")" "$(nbdinfo --size "$uri")"
check_says "it is read-only" 'is_read_only: true' "$(nbdinfo "$uri")"
check_says "a second server has no place" 'Address already in use' "$(vssctl export "$name" 2>&1)"
check_says "the copy is in use" 'in use.*VSS_E_PROVIDER_VETO' "$(vssctl delete "$name" 2>&1)"
must systemctl restart vssd
check "and read after that" same "$uri"
kill -TERM "$server"
check "it ends when it is told to" ended 0
check "and its server with it" wait_for 5 no_server
check_equal "nothing has changed" "$before" "$(machine_state)"

check "at a socket" served --socket "$work/nbd"
check_equal "which root may connect to" "600 root" "$(stat -c '%a %U' "$work/nbd")"
check "what is read there" same "$uri"
kill -KILL "$server"
check "the server of one that is killed goes" wait_for 5 no_server
wait "$server" 2>/dev/null
rm -f "$work/nbd"

check "as a service" vssctl export --background --listen 127.0.0.1:10810 "$name"
check "what is read of it" same nbd://127.0.0.1:10810
check_says "it is one of systemd's" active "$(systemctl is-active "vss-export-$name")"
check "and stopped as any" systemctl stop "vss-export-$name"
check "with its server" wait_for 5 no_server

check_says "where nbdkit is not installed" 'nbdkit is not installed' "$(PATH=/nowhere "$(command -v vssctl)" export "$name" 2>&1)"
check_says "what is no copy" 'no copy|no snapshot|not found|there is no' "$(vssctl export ShadowCopy999 2>&1)"

check "once more" served
check "by force it is deleted" vssctl delete --force "$name"
check "and what serves it ends by itself" ended 2
check_says "and says why" 'copy is gone|has ended' "$(cat "$work/served")"
check "the server, too" wait_for 5 no_server
check_equal "of the others nothing is lost" 2 "$(vssctl list --json | json "[s['name'] for s in d['snapshots']]" | wc -w)"
must systemctl stop vssd
umount -q /run/vss/* 2>/dev/null || true
must vgchange -qq -an "$vg"
finish
