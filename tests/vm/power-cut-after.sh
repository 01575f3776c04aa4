#!/bin/bash
# Second boot of the power-cut test, on the disks that the first one left.
. "$(dirname "$0")/lib.sh"

# The kernel numbers and names the disks in the order in which it meets them.
without_numbers() {
	sed 's/[0-9]*:[0-9]*/M:N/g; s|^\(/share\) /dev/[a-z]* |\1 DISK |'
}

states_differ_in_finished_sets_only() {
	for id in $(sets_there); do
		vssctl delete "$id" || return
	done
	diff <(without_numbers </var/tmp/before) <(machine_state | without_numbers)
}

set=$(cat /var/tmp/set)
no_suspended_device || note "before the service has started"
check "the volumes are mounted again" wait_for 30 eval 'findmnt /srv/a && findmnt /srv/b'
check "their file systems take writes" eval 'echo x >/srv/a/x && echo x >/srv/b/x && sync'
check "the service starts" vssctl list
check "no device is suspended" no_suspended_device
check "that of the mapped device ended with the boot" eval '! vssctl list --json | grep -q /dev/mapper/plain'
check_equal "and its store is deleted" "" "$(ls /var/lib/vssd/stores)"
check_says "and the log says so" 'made before the machine started' "$(journalctl -b -o cat -u vssd)"
answer=$(vssctl show --json "$set")
check_says "the set from before the cut is there" "$set" "$answer"
mapfile -t copies < <(json '[s["device_object"] for s in d["snapshots"]]' <<<"$answer")
check "and its copies are readable and of one instant" \
	"$programs/vss-verify" "${copies[0]:-none}/counter" "${copies[1]:-none}/counter"
check "beside finished sets nothing is left of what the cut interrupted" states_differ_in_finished_sets_only
answer=$(vssctl create --json --keep /srv/a /srv/b 2>&1)
check "the next set is made" set_made "$answer" /srv/a /srv/b
[ -z "$set" ] || check "and deleted" vssctl delete "$set"
finish
