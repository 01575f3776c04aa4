#!/bin/bash
# The conformance tables through the installed library, against the installed service on the system
# bus, with real volumes. Rows that need storage or memory to fail, or the service to die, are left to the
# suite that has its own of them. A set takes seconds where the machine is emulated: of the rows that make
# one, some are enough here.
. "$(dirname "$0")/lib.sh"

plain=/dev/disk/by-id/virtio-data1 # no logical volume
trap 'clean_up; wipefs -qa "$plain"' EXIT

vg_make /dev/disk/by-id/virtio-data0
volume_make data 300M ext4
volume_make mail 300M ext4
must mkfs.ext4 -q -F "$plain"
must mkdir -p /srv/plain
must mount "$plain" /srv/plain
must systemctl stop vss-hook-writer # the suite's writer is the only one
before=$(machine_state)

# conform NAME SETS FILE...: prints a check for all its rows, and their number.
conform() {
	local name=$1 sets=$2 status said begin=$SECONDS
	shift 2
	"$programs/conformance-shared" --address system --volume /srv/data --other-volume /srv/mail \
		--unsupported-volume /srv/plain --sets "$sets" "$programs/conformance/states.rows" \
		"${@/#/$programs/conformance/}" >"$work/rows" 2>&1
	status=$?
	said=$(tail -n 1 "$work/rows")
	note "$name: $said, in $((SECONDS - begin)) s"
	if [ $status -eq 0 ]; then
		pass "$name: ${said%%;*}"
	else
		fail "$name" "$(cat "$work/rows")"
	fi
}

check "it is the installed library" eval "ldd '$programs/conformance-shared' | grep -Eq 'libvssclient\\.so\\.0 => (/usr)?/lib/'"
conform "documents and restores" 3 documents.rows requester-restore.rows
conform "components and writers" 2 component.rows writer.rows
conform "backups" 2 requester-documents.rows
conform "snapshots" 3 requester-snapshots.rows
"$programs/conformance-shared" --address system --all-broken "$programs/conformance/states.rows" \
	"$programs/conformance/wrong-real.rows" >"$work/rows" 2>&1
check_equal "negative control: rows that do not hold are found" 0 $?
check_equal "afterwards the machine is as before" "$before" "$(machine_state)"
finish
