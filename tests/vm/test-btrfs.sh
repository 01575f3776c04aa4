#!/bin/bash
# Copies by providers of somebody else's: vss-btrfs-provider, on a real btrfs beside a logical volume, and a vendor's. The one is
# registered, started by the bus, and asked first; its copies are snapshots of btrfs, which are mounted,
# kept over restarts, and deleted; sets in which it hangs or dies leave nothing, and nobody suspended.
. "$(dirname "$0")/lib.sh"

provider=vss-btrfs-provider

vg_make /dev/disk/by-id/virtio-data0
volume_make a 256M ext4
must modprobe btrfs
must mkfs.btrfs -q -f /dev/disk/by-id/virtio-data1
must mkdir -p /srv/b /srv/home /srv/part /mnt/b /etc/vss
must mount /dev/disk/by-id/virtio-data1 /srv/b
must btrfs -q subvolume create /srv/b/home
must mount -o subvol=home /dev/disk/by-id/virtio-data1 /srv/home
must mkdir /srv/b/plain
must mount --bind /srv/b/plain /srv/part
printf '[Timeouts]\nProvider=3s\n' >/etc/vss/vssd.conf
must systemctl restart vssd

subvolumes() { # below /srv/b, but for what was there from the beginning
	btrfs subvolume list /srv/b | awk '$NF != "home" { print $NF }'
}

nothing_is_left() { # NAME
	check "$1: nobody is suspended" no_suspended_device
	check_equal "$1: no set is there" "" "$(sets_there)"
	check_equal "$1: no snapshot of btrfs" "" "$(subvolumes)"
	check "$1: no directory of its own" [ ! -e /srv/b/.vss-btrfs ]
	check "$1: nothing is mounted" [ -z "$(findmnt -rno TARGET | grep ^/run/vss/)" ]
	check_equal "$1: no logical volume" a "$(lvs --noheadings -o lv_name "$vg" | grep -v unused | tr -d ' ')"
}

volume_says() { # VOLUME
	busctl call org.vssd.Vss1 /org/vssd/Vss1 org.vssd.Vss1.Manager IsVolumeSupported s "$1"
}

# created VOLUME...: a set that stays; its copies in copies, its id in set.
created() {
	local answer
	answer=$(vssctl create --json --context nas-rollback "$@" 2>&1) || {
		echo "$answer"
		return 1
	}
	set_made "$answer" "$@"
}

fails_with() { # NAME PATTERN VOLUME...
	local name=$1 pattern=$2 said
	shift 2
	said=$(vssctl create --json --context nas-rollback "$@" 2>&1) && said="it did not fail: $said"
	check_says "$name" "$pattern" "$said"
}

# --- before it is registered ---

check_says "without a provider a btrfs is refused, with the way out" '^bss false "" ".*btrfs subvolume snapshot' "$(volume_says /srv/b)"
fails_with "and no set has it" VSS_E_VOLUME_NOT_SUPPORTED /srv/b

# --- registration ---

check "it registers" "$provider" --register
check_says "once" 'already' "$("$provider" --register 2>&1)"
check_says "it is listed" btrfs "$(vssctl providers)"
check_says "the bus has not started it yet" inactive "$(systemctl is-active "$provider")"
check_says "a btrfs is its" '^bss true "btrfs" ""$' "$(volume_says /srv/b)"
check_equal "the bus has started it for that" active "$(systemctl is-active "$provider")"
check_says "a mounted subvolume is its" '^bss true "btrfs"' "$(volume_says /srv/home)"
check_says "a part of one is not" '^bss false "" ".*no subvolume' "$(volume_says /srv/part)"
check_says "a logical volume is LVM's" '^bss true "lvm-thick"' "$(volume_says /srv/a)"
check_says "vssctl volumes has it" '/srv/b/ .*by btrfs' "$(vssctl volumes)"

# --- a set of both kinds ---

echo old >/srv/a/file
echo old >/srv/b/file
echo inside >/srv/b/plain/file
sync
check "a set of a logical volume and a btrfs" created /srv/a /srv/b
echo new >/srv/a/file
echo new >/srv/b/file
check_equal "the copy of the logical volume" old "$(cat "${copies[0]}/file")"
check_equal "the copy of the btrfs" old "$(cat "${copies[1]}/file")"
copy=$(vssctl list --json | awk -F '"' '/"snapshot_id":/ { id = $4 } /"volume_display_name": "\/srv\/b"/ { print id }')
check_equal "it has the name of its directory" "${copies[1]##*/}" \
	"$(vssctl list --json | awk -F '"' '/"name":/ { name = $4 } /"volume_display_name": "\/srv\/b"/ { print name }')"
check_equal "and no block device" null "${devices[1]}"
check_says "which is why it is not exported, nor a service begun for that" '^vssctl: the copy is a directory, ' \
	"$(vssctl export --background "$copy" 2>&1)"
check_equal "and why it has no store to be shown" "" "$(vssctl show "$copy" | grep Store:)"
check "it is mounted read-only" findmnt -O ro,nosuid,nodev "${copies[1]}"
check "its origin is not" findmnt -O rw /srv/b
check_says "and nobody writes to it" 'Read-only' "$(touch "${copies[1]}/x" 2>&1)"
check_equal "it is a snapshot of btrfs" 1 "$(subvolumes | wc -l)"
check_says "which is sealed" 'ro=true' "$(btrfs property get "/srv/b/$(subvolumes)" ro)"
check_equal "its directory is root's alone" 700 "$(stat -c %a /srv/b/.vss-btrfs)"
check_says "it says that it is not of the others' instant" 'provider btrfs made the copy while the writers were frozen' \
	"$(busctl call org.vssd.Vss1 /org/vssd/Vss1 org.vssd.Vss1.Manager ListSnapshots 'a{ss}' 1 provider btrfs)"
check_says "the timeline has its commit" btrfs "$(vssctl timeline "$set")"
check "it is exposed" vssctl expose "$copy" /mnt/b
check_equal "and can be read there" old "$(cat /mnt/b/file)"
check "read-only there, too" findmnt -O ro,nosuid,nodev /mnt/b
check "not any more" vssctl unexpose /mnt/b
check "a part of it is" vssctl expose --path plain "$copy" /mnt/b
check_equal "which has what was in it" inside "$(cat /mnt/b/file)"
check "unexposed" vssctl unexpose /mnt/b
check_says "it is nothing without its volume" VSS_E_PROVIDER_VETO "$(vssctl break "$set" 2>&1)"
check_says "its blocks cannot be compared" 'VSS_E_|E_NOTIMPL' "$(vssctl delta "$copy" 2>&1)"
check_says "it stays registered while it has copies" VSS_E_PROVIDER_IN_USE\|'copy was made' "$("$provider" --unregister 2>&1)"

# --- restarts ---

must systemctl restart vssd
check_equal "after a restart its copy is there" old "$(cat "${copies[1]}/file")"
must systemctl stop "$provider"
must systemctl restart vssd
check_equal "after a restart of both, too" old "$(cat "${copies[1]}/file")"
must systemctl stop vssd
must umount "${copies[1]}"
must umount /srv/part
must umount /srv/b
must systemctl start vssd
check_says "what is not mounted is not lost" "$set" "$(sets_there)"
check "but cannot be read" [ ! -e "${copies[1]}/file" ]
must mount /dev/disk/by-id/virtio-data1 /srv/b
must systemctl restart vssd
check_equal "mounted again, it can be read" old "$(cat "${copies[1]}/file")"
check "a copy is deleted by its name" vssctl delete "${copies[1]##*/}"
check "the rest is deleted" vssctl delete "$set"
nothing_is_left "deleted"

# --- under a load ---

load_start /srv/a/counter /srv/b/counter
for i in 1 2 3; do
	check "set $i under a load" created /srv/a /srv/b
	# The btrfs first, the others afterwards: never the other way round.
	first=$(sed 's/^0*\(.\)/\1/' "${copies[0]}/counter")
	second=$(sed 's/^0*\(.\)/\1/' "${copies[1]}/counter")
	note "set $i: $first in the logical volume's copy, $second in that of btrfs"
	check "set $i: the one has a whole number" [ "$first" -gt 0 ]
	check "set $i: so has the other" [ "$second" -gt 0 ]
	check "set $i: the btrfs is the older one" [ "$second" -le "$first" ]
	must vssctl delete "$set"
done
check "the load has seen no error" load_stop
echo home >/srv/home/file
check "subvolumes alone" created /srv/b /srv/home
echo later >/srv/home/file
check_equal "are two snapshots" 2 "$(subvolumes | wc -l)"
check_equal "of what was in them" home "$(cat "${copies[1]}/file")"
must vssctl delete "$set"
nothing_is_left "under a load"

# --- what fails ---

pid_of_provider() {
	systemctl show -P MainPID "$provider"
}

# A directory that is somebody else's in its place.
must mkdir -m 777 /srv/b/.vss-btrfs
fails_with "a directory that is not root's alone is not used" 'VSS_E_PROVIDER_VETO' /srv/a /srv/b
must rmdir /srv/b/.vss-btrfs
must ln -s /srv/a /srv/b/.vss-btrfs
fails_with "nor is a link followed" 'VSS_E_PROVIDER_VETO' /srv/a /srv/b
must rm /srv/b/.vss-btrfs
nothing_is_left "refused"

volume_says /srv/b >/dev/null # it runs
must kill -STOP "$(pid_of_provider)"
fails_with "one that hangs is not waited for" VSS_E_UNEXPECTED_PROVIDER_ERROR /srv/a /srv/b
must kill -CONT "$(pid_of_provider)"
nothing_is_left "hanging"
must systemctl restart vssd # which has left it alone since

# --- it ends at a call, or lies ---

ends=$work/ends
drop_in=/run/systemd/system/$provider.service.d
must mkdir -p "$drop_in"
printf '[Service]\nEnvironment=LD_PRELOAD=%s PROVIDER_ENDS=%s\n' "$programs/provider-ends.so" "$ends" >"$drop_in/ends.conf"
must systemctl daemon-reload
must systemctl restart "$provider"

writes_go_on() {
	timeout 10 sh -c 'date >/srv/a/written && sync -f /srv/a/written && date >/srv/b/written && sync -f /srv/b/written'
}

# ends NAME CODE STEP...: a set of both kinds in which these happen fails with that code and leaves nothing.
ends() {
	local name=$1 code=$2
	shift 2
	printf '%s\n' "$@" >"$ends"
	fails_with "$name: the code" "$code" /srv/a /srv/b
	check "$name: that was why" [ ! -e "$ends" ]
	check "$name: writes go on" writes_go_on
	nothing_is_left "$name"
}

unexpected=VSS_E_UNEXPECTED_PROVIDER_ERROR
calls=(BeginPrepareSnapshot EndPrepareSnapshots PreCommitSnapshots CommitSnapshots PostCommitSnapshots
	PreFinalCommitSnapshots GetSnapshotProperties PostFinalCommitSnapshots)

# It is asked about the other one, too; which others can copy.
printf 'IsVolumeSupported before\n' >"$ends"
fails_with "dead in IsVolumeSupported: the code" "$unexpected" /srv/b
nothing_is_left "dead in IsVolumeSupported"
printf 'IsVolumeSupported before\n' >"$ends"
check "dead in it, of another's volume, the set is made" created /srv/a
check "it was asked" [ ! -e "$ends" ]
must vssctl delete "$set"
for call in "${calls[@]}"; do
	ends "dead before $call" "$unexpected" "$call before"
	ends "dead in $call" "$unexpected" "$call unanswered"
done
# As before the next call, but that one finds nobody.
for call in EndPrepareSnapshots CommitSnapshots; do
	ends "dead behind $call" "$unexpected" "$call after"
done
ends "dead in the taking back" VSS_E_PROVIDER_VETO "CommitSnapshots fails ProviderVeto" "AbortSnapshots before"
ends "dead behind it" VSS_E_PROVIDER_VETO "CommitSnapshots fails ProviderVeto" "AbortSnapshots unanswered"
ends "late with CommitSnapshots" VSS_E_HOLD_WRITES_TIMEOUT "CommitSnapshots late 5"
ends "late with EndPrepareSnapshots" "$unexpected" "EndPrepareSnapshots late 5"
ends "a code that a call does not have" "$unexpected" "PreCommitSnapshots fails InsufficientStorage"

printf '%s\n' "PostCommitSnapshots before" "DeleteSnapshot before" >"$ends"
fails_with "dead twice: the code" "$unexpected" /srv/a /srv/b
check "dead twice: writes go on" writes_go_on
check_equal "dead twice: the copy is left" 1 "$(subvolumes | wc -l)"
check_equal "dead twice: and is none of a set" "" "$(sets_there)"
printf 'PostFinalCommitSnapshots after\n' >"$ends"
check "dead behind the last call, the set is there" created /srv/a /srv/b
check_equal "and what was left is not" 1 "$(subvolumes | wc -l)"
for end in before unanswered; do
	printf 'DeleteSnapshot %s\n' "$end" >"$ends"
	check_says "dead in a deletion ($end): the code" "$unexpected" "$(vssctl delete "$set" 2>&1)"
	check_says "dead in a deletion ($end): the copy is known" "$set" "$(sets_there)"
	check "dead in a deletion ($end): again" vssctl delete "$set"
	nothing_is_left "dead in a deletion ($end)"
	check "the next set is made" created /srv/a /srv/b
done
must vssctl delete "$set"

# What it says of its copy is mounted: not what somebody uses.
must lvcreate -qq -y -n unused -L 16M "$vg"
for device in /srv/b /dev/disk/by-id/virtio-data1 "/dev/$vg/a" "/dev/$vg/unused" /dev/vmroot/root /run/vss /proc/self/root /nowhere; do
	ends "$device is no copy" "(says of its copy|cannot be used).*$unexpected" "GetSnapshotProperties device $device"
done
check "the root can be written to" touch /root/written
must lvremove -qq -y "$vg/unused"

# Nobody answers, and none can be started.
check "a set that outlives its provider" created /srv/a /srv/b
must systemctl mask --runtime --now "$provider"
check_says "without a process it is not deleted" "$unexpected" "$(vssctl delete "$set" 2>&1)"
check_says "and stays known" "$set" "$(sets_there)"
check_says "its volume is not for others" "^bss false \"\" \".*cannot be reached" "$(volume_says /srv/b)"
fails_with "no set is made" "$unexpected" /srv/a /srv/b
must systemctl unmask --runtime "$provider"
check "with one it is" vssctl delete "$set"
nothing_is_left "it came back"
rm -r "$drop_in"
must systemctl daemon-reload
must systemctl restart "$provider"

# The service itself dies in a set: before the copy is made, and with luck behind that.
for pause in 0 0.5 1; do
	vssctl create --json --context nas-rollback /srv/a /srv/b >"$work/created" 2>&1 &
	creating=$!
	check "a set is begun" wait_for 60 [ -e /srv/b/.vss-btrfs ]
	sleep "$pause"
	must systemctl kill -s KILL vssd
	if wait "$creating"; then # it was through
		check "the set that was there is deleted" vssctl delete "$(sets_there)"
	fi
	wait_for 60 systemctl is-active vssd
	wait_for 20 [ ! -e /srv/b/.vss-btrfs ]
	nothing_is_left "the service was killed after $pause s"
done

# --- the end of it ---

check "it unregisters" "$provider" --unregister
check_says "and a btrfs is refused as before" '^bss false "" ".*btrfs subvolume snapshot' "$(volume_says /srv/b)"
check_says "twice is once too often" 'no provider' "$("$provider" --unregister 2>&1)"

# --- a vendor's block devices ---

# Its process is the one of the bus tests, on the bus of the system: what it says of its copies is a
# logical volume that is a copy indeed.
volume_make mail 64M ext4
echo old >/srv/mail/file
must umount /srv/mail
must lvcreate -qq -y -W y -n vendors -L 64M "$vg"
must dd if="/dev/$vg/mail" of="/dev/$vg/vendors" bs=1M conv=fsync
must mount "/dev/$vg/mail" /srv/mail
echo new >/srv/mail/file
must mkdir -p "$work/vendor"
printf '%s\n' '<busconfig><policy user="root"><allow own="com.example.Vendor"/><allow send_destination="com.example.Vendor"/></policy></busconfig>' \
	>/etc/dbus-1/system.d/com.example.Vendor.conf
must busctl call org.freedesktop.DBus / org.freedesktop.DBus ReloadConfig
VSSD_FAKE_DIR=$work/vendor "$programs/fake-vendor" unix:path=/run/dbus/system_bus_socket &
vendor=$!
check "a vendor has its name" wait_for 20 busctl status com.example.Vendor
check "and is registered" busctl call org.vssd.Vss1 /org/vssd/Vss1 org.vssd.Vss1.Manager RegisterProvider 'ssusssoa{sv}' \
	5a3c1d52-8d0e-4c2f-9d64-2f0b1c7a9e11 vendor 2 1.0 5a3c1d52-8d0e-4c2f-9d64-2f0b1c7a9e12 com.example.Vendor /com/example/vendor 0
check_says "a volume is its" '^bss true "vendor" ""$' "$(volume_says /srv/mail)"
check_says "which LVM could copy, too" '^bss true "lvm-thick"' "$(volume_says /srv/a)"
printf 'GetSnapshotProperties device /dev/%s/vendors\n' "$vg" >"$work/vendor/vendor"
check "a set of its copy and another" created /srv/mail /srv/a
check_equal "it can be read" old "$(cat "${copies[0]}/file")"
check "read-only" findmnt -O ro,nosuid,nodev "${copies[0]}"
check_equal "it is a block device" "/dev/$vg/vendors" "${devices[0]}"
check_says "whose file system nobody has held" 'not held while its provider' \
	"$(busctl call org.vssd.Vss1 /org/vssd/Vss1 org.vssd.Vss1.Manager ListSnapshots 'a{ss}' 1 provider vendor)"
must systemctl restart vssd
check_equal "after a restart, too" old "$(cat "${copies[0]}/file")"
check "the set is deleted" vssctl delete "$set"
check_equal "by the vendor, too" "" "$(ls "$work/vendor/copies")"

# Of what is not mounted.
must umount /srv/mail
echo "/dev/$vg/mail" >"$work/vendor/vendor-more"
check_says "a volume that is not mounted is its" '^bss true "vendor" ""$' "$(volume_says "/dev/$vg/mail")"
check "it is copied" created "/dev/$vg/mail"
check_equal "its copy is the device" "/dev/$vg/vendors" "${copies[0]}"
check "which can be read" cmp -n 4096 "${copies[0]}" "/dev/$vg/vendors"
check "and deleted" vssctl delete "$set"
printf 'GetSnapshotProperties device %s\n' "$work" >"$work/vendor/vendor"
fails_with "a directory is none of it" "$unexpected" "/dev/$vg/mail"
rm "$work/vendor/vendor"
check_equal "nothing is left of that" "" "$(ls "$work/vendor/copies")"
check "it is unregistered" busctl call org.vssd.Vss1 /org/vssd/Vss1 org.vssd.Vss1.Manager UnregisterProvider s 5a3c1d52-8d0e-4c2f-9d64-2f0b1c7a9e11
must kill "$vendor"
rm -f /etc/dbus-1/system.d/com.example.Vendor.conf /etc/vss/vssd.conf
finish
