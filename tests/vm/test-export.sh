#!/bin/bash
# Copies served over NBD: what a client reads is what is on the device, to the byte; by a socket, by TCP, and as a
# service; nobody writes, whatever they were told, and who deletes the copy has to force it.
#
# On the copies that test-import.sh has left on the host two: one is deleted, the group is let go of.
. "$(dirname "$0")/lib.sh"
trap - EXIT # the disks are kept

copy_of() { # VOLUME KEY
	vssctl list --json | json "[s['$2'] for s in d['snapshots'] if s['volume'] == '/srv/$1/']"
}

# served [OPTION...]: in the background; its process in server, where it is in uri.
served() {
	coproc SERVER { exec vssctl export "$@" "$copy" 2>"$work/served"; }
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

# As large, with as old a file system on it.
differs() { # DEVICE
	[ "$(stat -c %s "$work/image")" = "$(blockdev --getsize64 "$1")" ] && ! cmp -s "$work/image" "$1"
}

no_server() {
	! pgrep -x nbdkit
}

copy=$(copy_of a name)
device=$(copy_of a block_device)
before=$(machine_state)

# Asks for a write though the server has said that it is read-only; prints its answer, an error's number.
write_answer() { # SOCKET
	python3 - "$1" <<-'END'
		import socket, struct, sys
		s = socket.socket(socket.AF_UNIX)
		s.connect(sys.argv[1])
		def hear(n):
		    b = b""
		    while len(b) < n:
		        more = s.recv(n - len(b))
		        assert more, "closed"
		        b += more
		    return b
		assert hear(18)[:16] == b"NBDMAGICIHAVEOPT"
		s.sendall(struct.pack(">I", 3) + b"IHAVEOPT" + struct.pack(">II", 1, 0))
		hear(10)
		s.sendall(struct.pack(">IHHQQI", 0x25609513, 0, 1, 7, 0, 4096) + b"x" * 4096)
		magic, error, handle = struct.unpack(">IIQ", hear(16))
		assert magic == 0x67446698 and handle == 7
		print(error)
	END
}

socket=/run/vss-export/$copy.sock
check "a copy is served" served
check_equal "at a socket of its own" "nbd+unix:///?socket=$socket" "$uri"
check_equal "which root alone may connect to" "600 root" "$(stat -c '%a %U' "$socket")"
check_says "others do not even see it" 'Permission denied' "$(runuser -u nobody -- ls "$socket" 2>&1)"
check "what is read is what is there" same "$uri"
check "and not what another copy has" differs "$(copy_of c block_device)"
check_equal "its size is the device's" "$(blockdev --getsize64 "$device")" "$(nbdinfo --size "$uri")"
check_says "it is read-only" 'is_read_only: true' "$(nbdinfo --no-content "$uri")"
check_equal "who writes all the same is told EPERM" 1 "$(write_answer "$socket")"
check "and has written nothing" same "$uri"
check_says "a second server has no place" 'Address already in use' "$(timeout 60 vssctl export "$copy" 2>&1)"
check_says "the copy is in use" 'in use.*VSS_E_PROVIDER_VETO' "$(vssctl delete "$copy" 2>&1)"
must systemctl restart vssd
check "and read after that" same "$uri"
kill -TERM "$server"
check "it ends when it is told to" ended 0
check "and its server with it" wait_for 5 no_server
check_equal "nothing has changed" "$before" "$(machine_state)"

check "at a socket that was named" served --socket "$work/nbd"
check_equal "which root may connect to" "600 root" "$(stat -c '%a %U' "$work/nbd")"
check "what is read there" same "$uri"
# A client that stays: nbdkit itself would wait for it.
python3 -c 'import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
print(s.recv(18)[:8].decode(), flush=True)
time.sleep(600)' "$work/nbd" >"$work/greeting" &
client=$!
check "with a client" wait_for 60 grep -q NBDMAGIC "$work/greeting"
kill -KILL "$server"
check "the server of one that is killed goes" wait_for 5 no_server
kill "$client"
wait "$server" "$client" 2>/dev/null
check "the socket that it left" test -S "$work/nbd"
check "is no hindrance" served --socket "$work/nbd"
kill -TERM "$server"
check "nor is its end" ended 0

check "by TCP" served --listen 127.0.0.1
check_equal "at the port of NBD" nbd://127.0.0.1:10809 "$uri"
check_says "which one is warned of" 'any user of this machine' "$(cat "$work/served")"
check "what is read by that" same "$uri"
kill -TERM "$server"
check "that one's end" ended 0

mkdir "$work/no-certificates"
check_says "a service that cannot serve" 'did not start' "$(cd "$work" && vssctl export --background --tls=no-certificates "$copy" 2>&1)"
check "has no server" no_server
check "as a service" vssctl export --background --listen 127.0.0.1:10810 "$copy"
check "what is read of it" same nbd://127.0.0.1:10810
check_says "it is one of systemd's" active "$(systemctl is-active "vss-export-$copy")"
check "and stopped as any" systemctl stop "vss-export-$copy"
check "with its server" wait_for 5 no_server

check_says "where nbdkit is not installed" 'nbdkit is not installed' "$(PATH=/nowhere "$(command -v vssctl)" export "$copy" 2>&1)"
check_says "what is no copy" 'no snapshot or set is called .ShadowCopy999.*VSS_E_OBJECT_NOT_FOUND' "$(vssctl export ShadowCopy999 2>&1)"

check "once more" served
check "by force it is deleted" vssctl delete --force "$copy"
check "and what serves it ends by itself" ended 2
check_says "and says why" 'copy is gone|has ended' "$(cat "$work/served")"
check "the server, too" wait_for 5 no_server
check_equal "of the others nothing is lost" 2 "$(vssctl list --json | json "[s['name'] for s in d['snapshots']]" | wc -w)"
must systemctl stop vssd
umount -q /run/vss/* 2>/dev/null || true
must vgchange -qq -an "$vg"
finish
