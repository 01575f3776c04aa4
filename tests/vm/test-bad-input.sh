#!/bin/bash
# Wrong requests: each gets its documented code and a sentence that names the thing and the way out,
# and leaves nothing staged.
. "$(dirname "$0")/lib.sh"

calls=$programs/vss-calls
open=(init context=0x10 start) # a set of the context without writers

# refused NAME CODE WORDS CALL... : the last call ends with CODE, its sentence has WORDS in it, and
# nothing is left.
refused() {
	refused_early "$@"
	nothing_is_staged "$1"
}

# Likewise, where nothing can have been staged yet.
refused_early() {
	local name=$1 code=$2 words=$3 output answer
	shift 3
	output=$("$calls" "$@" 2>&1)
	answer=$(tail -n 1 <<<"$output")
	check_says "$name: $code" "^${!#%%=*} $code " "$answer"
	check_says "$name: it says what and why" "$words" "${answer#* * }"
}

nothing_is_staged() { # NAME
	check_equal "$1: nothing is left" "$before" "$(machine_state)"
}

# over_bus NAME ERROR WORDS ARGUMENT... : a bare call of the Manager ends with the D-Bus error.
over_bus() {
	local name=$1 error=$2 words=$3 output
	shift 3
	# Not busctl, which shows the sentence without the error's name.
	output=$(dbus-send --system --print-reply --reply-timeout=120000 --dest=org.vssd.Vss1 /org/vssd/Vss1 "$@" 2>&1)
	check_says "$name: $error" "^Error $error: " "$output"
	check_says "$name: it says what and why" "$words" "$output"
}

vg_make
volume_make a 64M ext4
volume_make b 64M ext4
must mkdir -p /srv/a/inside /srv/tmpfs /srv/plain
must mount -t tmpfs none /srv/tmpfs
must vssctl volumes
disk=$(lsblk -rno PATH,SERIAL | awk '$2 == "share" { print $1 }')
before=$(machine_state)

refused "a path that is not there" VSS_E_OBJECT_NOT_FOUND '/srv/none' "${open[@]}" add=/srv/none
refused "a directory that is no mount point" VSS_E_OBJECT_NOT_FOUND '/srv/a/inside.*/srv/a' "${open[@]}" add=/srv/a/inside
refused_early "a relative path" E_INVALIDARG './srv/a' "${open[@]}" add=./srv/a
refused_early "an empty path" E_INVALIDARG . "${open[@]}" add=
refused "a tmpfs" VSS_E_VOLUME_NOT_SUPPORTED '/srv/tmpfs.*tmpfs' "${open[@]}" add=/srv/tmpfs
refused "a plain disk" VSS_E_VOLUME_NOT_SUPPORTED "$disk|/share" "${open[@]}" add=/share
refused "the same volume twice" VSS_E_OBJECT_ALREADY_EXISTS '/srv/a' "${open[@]}" add=/srv/a add=/srv/a
refused "the same volume by its other name" VSS_E_OBJECT_ALREADY_EXISTS "$vg/a|/srv/a" "${open[@]}" add=/srv/a "add=/dev/$vg/a"
refused_early "an unknown snapshot" VSS_E_OBJECT_NOT_FOUND '6ba7b810' init context=-1 delete=6ba7b810-9dad-11d1-80b4-00c04fd430c8
refused_early "an unknown set" VSS_E_OBJECT_NOT_FOUND '6ba7b810' init context=-1 delete-set=6ba7b810-9dad-11d1-80b4-00c04fd430c8
refused_early "properties of an unknown snapshot" VSS_E_OBJECT_NOT_FOUND '6ba7b810' init properties=6ba7b810-9dad-11d1-80b4-00c04fd430c8
refused_early "a context that is none" E_INVALIDARG . init context=0x1f00
refused_early "VSS_CTX_ALL for a new set" VSS_E_UNSUPPORTED_CONTEXT . init context=-1 start

for call in start add=/srv/a prepare "do" gather state context=0 query complete abort; do
	refused_early "${call%%=*} before InitializeForBackup" VSS_E_BAD_STATE . "$call"
done
refused_early "a second InitializeForBackup" VSS_E_BAD_STATE . init init
refused_early "a second SetContext" VSS_E_BAD_STATE . init context=0 context=0
refused_early "AddToSnapshotSet before StartSnapshotSet" VSS_E_BAD_STATE . init add=/srv/a
refused "StartSnapshotSet without GatherWriterMetadata, then DoSnapshotSet" VSS_E_BAD_STATE . init state start add=/srv/a "do"
refused "DoSnapshotSet before PrepareForBackup" VSS_E_BAD_STATE . init state gather start add=/srv/a "do"
refused_early "PrepareForBackup before SetBackupState" VSS_E_BAD_STATE . init gather start add=/srv/a prepare
refused_early "GatherWriterMetadata twice" VSS_E_BAD_STATE . init gather gather
refused "a call after AbortBackup" VSS_E_BAD_STATE . init state gather start add=/srv/a abort "do"

# One creation at a time on the host, until its end.
"$calls" "${open[@]}" add=/srv/a sleep=15000 >"$work/holder" &
holder=$!
wait_for 60 grep -q '^add S_OK' "$work/holder"
refused "a second creation meanwhile" VSS_E_SNAPSHOT_SET_IN_PROGRESS . "${open[@]}"
kill -KILL "$holder"
wait "$holder" 2>/dev/null
check "the first one's death makes way" "$calls" "${open[@]}" add=/srv/a abort

# A full VG: no room for the copies' stores.
free=$(vgs --noheadings --nosuffix --units m -o vg_free "$vg" | tr -d ' ')
must lvcreate -qq -y -W n -n filler -l 100%FREE "$vg"
filled=$(machine_state)
answer=$("$calls" "${open[@]}" add=/srv/a add=/srv/b "do" 2>&1 | tail -n 1)
check_says "a full VG ($free MiB were free): VSS_E_INSUFFICIENT_STORAGE" '^(do|add) VSS_E_INSUFFICIENT_STORAGE ' "$answer"
check_says "a full VG: it is named" "$vg" "$answer"
check_equal "a full VG: nothing is left" "$filled" "$(machine_state)"
# Room for the first copy's store only: all or nothing.
must lvreduce -qq -f -L -8M "$vg/filler"
filled=$(machine_state)
answer=$("$calls" "${open[@]}" add=/srv/a add=/srv/b "do" 2>&1 | tail -n 1)
check_says "a nearly full VG" '^do VSS_E_INSUFFICIENT_STORAGE |^do VSS_S_ASYNC_FINISHED' "$answer"
[[ $answer == *FINISHED* ]] || check_equal "a nearly full VG: nothing is left" "$filled" "$(machine_state)"
must lvremove -qq -y "$vg/filler"

# A caller without rights.
as_nobody=(setpriv --reuid nobody --regid nogroup --clear-groups)
answer=$("${as_nobody[@]}" "$calls" init 2>&1)
check_says "nobody may not make a session: E_ACCESSDENIED" '^create E_ACCESSDENIED .' "$answer"
answer=$("${as_nobody[@]}" vssctl create --keep /srv/a 2>&1)
check_equal "vssctl then ends with 4" 4 $?
answer=$("${as_nobody[@]}" dbus-send --system --print-reply --dest=org.vssd.Vss1 /org/vssd/Vss1 \
	org.vssd.Vss1.Manager.CreateSnapshotSet array:string:/srv/a dict:string:string:context,nas-rollback 2>&1)
check_says "nobody over the bus" '^Error org\.(vssd\.Vss1|freedesktop\.DBus)\.Error\.AccessDenied: ' "$answer"
nothing_is_staged "nobody"

# Malformed messages.
M=org.vssd.Vss1.Manager
over_bus "a wrong signature" org.freedesktop.DBus.Error.InvalidArgs . $M.CreateSnapshotSet string:/srv/a
over_bus "no arguments" org.freedesktop.DBus.Error.InvalidArgs . $M.CreateSnapshotSet
over_bus "an unknown method" org.freedesktop.DBus.Error.UnknownMethod . $M.Explode
over_bus "an unknown option" org.vssd.Vss1.Error.InvalidArg colour $M.CreateSnapshotSet array:string:/srv/a dict:string:string:colour,red
over_bus "a volume without a name" org.vssd.Vss1.Error.InvalidArg . $M.CreateSnapshotSet array:string: dict:string:string:context,nas-rollback
over_bus "a context that a call cannot have" org.vssd.Vss1.Error.InvalidArg backup $M.CreateSnapshotSet array:string:/srv/a \
	dict:string:string:context,backup
over_bus "a volume that is not there" org.vssd.Vss1.Error.ObjectNotFound /srv/none $M.CreateSnapshotSet array:string:/srv/a,/srv/none \
	dict:string:string:context,nas-rollback
over_bus "an id that is none" org.vssd.Vss1.Error.InvalidArg zebra $M.DeleteSnapshots array:string:zebra dict:string:string:force,no
nothing_is_staged "malformed messages"

# Somebody else's session: its number is in the journal.
"$calls" "${open[@]}" sleep=20000 >"$work/holder" &
holder=$!
wait_for 60 grep -q '^start S_OK' "$work/holder"
session=/org/vssd/Vss1/session/$(journalctl -u vssd -o cat | sed -n 's/^Session \([0-9]*\) .*/\1/p' | tail -n 1)
answer=$(dbus-send --system --print-reply --dest=org.vssd.Vss1 "$session" org.vssd.Vss1.BackupComponents.AbortBackup 2>&1)
check_says "another connection's session ($session)" '^Error org.vssd.Vss1.Error.AccessDenied: .' "$answer"
kill -KILL "$holder"
wait "$holder" 2>/dev/null

vssctl create --keep /srv/a none:at/all >/dev/null 2>&1
check_equal "vssctl ends with 2 when nothing was made" 2 $?
vssctl create --wrong-option >/dev/null 2>&1
check_equal "vssctl ends with 1 for wrong usage" 1 $?
nothing_is_staged "all"
check "after all this a set is made" "$calls" "${open[@]}" add=/srv/a add=/srv/b "do"
check_equal "and gone with its requester" "$before" "$(sleep 5; machine_state)"
check "no device is left suspended" no_suspended_device
finish
