#!/bin/bash
# The three kinds of requesters, each making a set of several mounted volumes, reading the file of
# that instant, deleting the set: a C program against libvssclient, busctl and dbus-send alone,
# vssctl. After each the machine is as before.
. "$(dirname "$0")/lib.sh"

bus=(org.vssd.Vss1 /org/vssd/Vss1 org.vssd.Vss1.Manager)
volumes=(/srv/a /srv/b /srv/c)

# The copies, given as directories, have what stood in the files when the set was made.
read_then() { # DIRECTORY...
	local v=0 found=
	for copy in "$@"; do
		found+=$(cat "$copy/file")
		v=$((v + 1))
	done
	if [ "$v" -ne ${#volumes[@]} ] || [ "$found" != oldoldold ]; then
		echo "$v copies, reading '$found'"
		return 1
	fi
}

write_files() { # TEXT
	local v
	for v in "${volumes[@]}"; do
		echo "$1" >"$v/file"
	done
}

as_before() { # WHO
	check_equal "$1: afterwards the machine is as before" "$before" "$(machine_state)"
}

c_program_reads() {
	# shellcheck disable=SC2016 # the inner shell's
	"$programs/requester" "${volumes[@]}" -- bash -c '
		for v in /srv/a /srv/b /srv/c; do echo new >$v/file; done
		[ "$(cat "$1/file" "$2/file" "$3/file" | tr -d "\n")" = oldoldold ]' bash
}

busctl_script() {
	local answer set copies
	answer=$(busctl --timeout=180 --json=short call "${bus[@]}" CreateSnapshotSet 'asa{ss}' 3 "${volumes[@]}" 0) ||
		return
	write_files new
	set=$(json 'd["data"][0]' <<<"$answer")
	mapfile -t copies < <(json 'd["data"][2]' <<<"$answer")
	read_then "${copies[@]}" || return
	busctl --timeout=180 call "${bus[@]}" DeleteSnapshots 'asa{ss}' 1 "$set" 0
}

dbus_send_script() {
	local answer set copies
	answer=$(dbus-send --system --print-reply=literal --reply-timeout=180000 --dest=org.vssd.Vss1 /org/vssd/Vss1 \
		org.vssd.Vss1.Manager.CreateSnapshotSet array:string:/srv/a,/srv/b,/srv/c \
		dict:string:string:context,nas-rollback) || return
	write_files new
	set=$(grep -Eo '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}' <<<"$answer" | head -n 1)
	mapfile -t copies < <(grep -o '/run/vss/[[:alnum:]]*' <<<"$answer")
	read_then "${copies[@]}" || return
	dbus-send --system --print-reply --reply-timeout=180000 --dest=org.vssd.Vss1 /org/vssd/Vss1 \
		org.vssd.Vss1.Manager.DeleteSnapshots "array:string:$set" dict:string:string:force,no
}

vssctl_create() {
	local answer set copies devices types
	answer=$(vssctl create --json --keep "${volumes[@]}") || {
		echo "$answer"
		return 1
	}
	write_files new
	set_made "$answer" "${volumes[@]}" || return
	read_then "${copies[@]}" || return
	vssctl show "$set" >/dev/null || return
	vssctl delete "$set"
}

vssctl_run() {
	# shellcheck disable=SC2016
	vssctl run "${volumes[@]}" -- sh -c '
		for v in /srv/a /srv/b /srv/c; do echo new >$v/file; done
		[ "$(cat "$VSS_COPY_1/file" "$VSS_COPY_2/file" "$VSS_COPY_3/file" | tr -d "\n")" = oldoldold ]'
}

# The copies of a program that dies go with it.
killed_requester() {
	"$programs/requester" "${volumes[@]}" -- sh -c 'touch /run/requester-has-copies; sleep 600' &
	local pid=$! status=0
	wait_for 120 test -e /run/requester-has-copies || status=1
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	rm -f /run/requester-has-copies
	[ "$status" -eq 0 ] && wait_for 60 machine_is_as_before
}

machine_is_as_before() {
	[ "$(machine_state)" = "$before" ]
}

# The requester's view of a copy: read-only, with the right modes.
copy_is_guarded() {
	local answer set copies devices types result=0
	answer=$(vssctl create --json --keep /srv/a) || return
	set_made "$answer" /srv/a || return
	if touch "${copies[0]}/new" 2>/dev/null; then
		echo "the copy can be written to"
		result=1
	elif ! findmnt -rno OPTIONS "${copies[0]}" | grep -q '^ro.*nosuid.*nodev'; then
		echo "mounted with $(findmnt -rno OPTIONS "${copies[0]}")"
		result=1
	elif setpriv --reuid nobody --regid nogroup --clear-groups cat "${copies[0]}/file" 2>/dev/null; then
		echo "nobody can read the copy"
		result=1
	elif ! blkid -p -o value -s TYPE "${devices[0]}" | grep -qx ext4; then
		echo "no ext4 on ${devices[0]}"
		result=1
	fi
	vssctl delete "$set" && return "$result"
}

# A raw volume has the block device only.
raw_volume() {
	local answer set copies devices types result=0
	lvcreate -qq -y -n raw -L 32M "$vg" && printf old. | dd of="/dev/$vg/raw" conv=fsync status=none || return
	answer=$(vssctl create --json --keep "$vg/raw") || {
		echo "$answer"
		return 1
	}
	printf new. | dd of="/dev/$vg/raw" conv=fsync status=none
	set_made "$answer" "$vg/raw" || return
	[ "${copies[0]}" = "${devices[0]}" ] && [ "$(head -c 4 "${devices[0]}")" = old. ] || result=1
	vssctl delete "$set" && lvremove -qq -y "$vg/raw" && return "$result"
}

vg_make
volume_make a 320M ext4
volume_make b 320M xfs
volume_make c 64M ext4
must vssctl volumes # starts the service, which makes its folders
before=$(machine_state)

write_files old
check "a C program makes a set, reads the old files, deletes it" c_program_reads
as_before "C program"
write_files old
check "busctl does" busctl_script
as_before busctl
write_files old
check "dbus-send does" dbus_send_script
as_before dbus-send
write_files old
check "vssctl create, show and delete do" vssctl_create
as_before "vssctl create"
write_files old
check "vssctl run does" vssctl_run
as_before "vssctl run"
check "a requester that is killed takes its copies with it" killed_requester
check "a copy is read-only, nosuid, nodev, and not for everybody" copy_is_guarded
check "a volume without a file system is copied as a block device" raw_volume
as_before "all"
check "no device is left suspended" no_suspended_device
finish
