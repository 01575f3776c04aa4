#!/bin/bash
# Copies where somebody wants them: mounted on a directory, whole or a part of it, thick and thin, ext4 and XFS;
# over a restart, the death and a reboot of the machine; and what is refused. Shares are test-shares.sh's.
#
# And a copy that was broken off is a volume after the reboot as it was before it.
#
# usage: test-expose.sh before|after: in the first boot, and in the second one on the same disks.
. "$(dirname "$0")/lib.sh"
trap - EXIT # the disks are kept

broken=/etc/test-broken # between the boots: the volume and its UUID

exposed_in() { # ID: what the service says
	vssctl show --json "$1" | json "[d['snapshots'][0]['exposed_name'], d['snapshots'][0]['exposed_path']]"
}

# shown DIRECTORY TEXT: read-only, nosuid and nodev, and with that text in its file.
shown() {
	local options
	options=$(findmnt -nro OPTIONS "$1") || {
		echo "nothing is mounted on $1"
		return 1
	}
	[[ ,$options, == *,ro,* && ,$options, == *,nosuid,* && ,$options, == *,nodev,* ]] || {
		echo "its options are $options"
		return 1
	}
	! touch "$1/new" 2>/dev/null || return
	[ "$(cat "$1/file")" = "$2" ]
}

hidden() { # DIRECTORY
	! findmnt -rn "$1" && [ -d "$1" ] && [ -z "$(ls -A "$1")" ]
}

# refused NAME CODE ARGUMENT...: vssctl expose, and nothing has changed.
refused() {
	local name=$1 code=$2 before said
	shift 2
	before=$(findmnt -rn | sort)
	said=$(vssctl expose "$@" 2>&1) && said="it was not: $said"
	check_says "$name" "$code" "$said"
	check_equal "$name: nothing is mounted" "$before" "$(findmnt -rn | sort)"
}

before() {
	local set thick thin xfs device
	vg_make /dev/disk/by-id/virtio-data[01]
	must lvcreate -qq -y -T -L 400M "$vg/pool"
	volume_make a 200M ext4
	volume_make b 400M xfs
	thin_make c 200M ext4
	for set in a b c; do
		mkdir -p "/srv/$set/sub/deep" "/mnt/$set"
		echo "$set" | tee "/srv/$set/file" >"/srv/$set/sub/deep/file"
		ln -s sub "/srv/$set/link"
	done
	check "a set that stays" vssctl create --context nas-rollback /srv/a /srv/b /srv/c
	mapfile -t ids < <(vssctl list --json | json "[s['snapshot_id'] for s in sorted(d['snapshots'], key=lambda s: s['volume'])]")
	thick=${ids[0]} xfs=${ids[1]} thin=${ids[2]}
	for set in a b c; do
		echo later >"/srv/$set/file"
	done

	check "a thick copy is exposed" vssctl expose "$thick" /mnt/a
	check "a copy of XFS" vssctl expose --path sub/deep "$xfs" /mnt/b/
	check "a thin copy" vssctl expose "$thin" /mnt/c
	check "the thick one is read there" shown /mnt/a a
	check "the part of the one of XFS" shown /mnt/b b
	check "the thin one" shown /mnt/c c
	check_equal "the service knows the whole" "/mnt/a
None" "$(exposed_in "$thick")"
	check_equal "and the part" "/mnt/b
sub/deep" "$(exposed_in "$xfs")"

	mkdir -p /mnt/empty /mnt/full /mnt/mounted
	touch /mnt/full/.hidden
	must mount -t tmpfs other /mnt/mounted
	ln -sfn empty /mnt/link
	refused "exposed already" VSS_E_OBJECT_ALREADY_EXISTS "$thick" /mnt/empty
	check "unexposed" vssctl unexpose /mnt/a
	check "it is gone, and the directory is there" hidden /mnt/a
	refused "a link" E_INVALIDARG "$thick" /mnt/link
	refused "a part that is a link" E_INVALIDARG --path link "$thick" /mnt/empty
	refused "a part outside" E_INVALIDARG --path ../.. "$thick" /mnt/empty
	refused "a directory that is not empty" E_INVALIDARG "$thick" /mnt/full
	refused "no directory" E_INVALIDARG "$thick" /mnt/none
	refused "a mount point" VSS_E_OBJECT_ALREADY_EXISTS "$thick" /mnt/mounted
	refused "where another one is" VSS_E_OBJECT_ALREADY_EXISTS "$thick" /mnt/c
	refused "a path with .." E_INVALIDARG "$thick" /mnt/full/../empty
	refused "among the copies" E_INVALIDARG "$thick" /run/vss/x
	must mount --bind /dev/null /usr/bin/net # as if Samba were not installed
	refused "without a service for shares" VSS_E_PROVIDER_VETO "$thick" --share yesterday
	must umount /usr/bin/net

	must useradd -M -G backup keeper
	install -d -o keeper /mnt/own
	as_keeper() {
		setpriv --reuid keeper --regid keeper --init-groups vssctl "$@"
	}
	check_says "who is not root does not expose on root's directories" E_ACCESSDENIED \
		"$(as_keeper expose "$thick" /mnt/empty 2>&1)"
	check "but on one of their own" as_keeper expose "$thick" /mnt/own
	check "which is read there" shown /mnt/own a
	check "and ended" as_keeper unexpose /mnt/own

	must vssctl expose "$thick" /mnt/a
	exec 9</mnt/a/file
	check_says "one that is in use is not ended, and who uses it is named" "\\([0-9]+\\)" "$(vssctl unexpose /mnt/a 2>&1)"
	check "it is there all the same" shown /mnt/a a
	check_says "nor is it deleted" VSS_E_PROVIDER_VETO "$(vssctl delete "$thick" 2>&1)"
	exec 9<&-

	must systemctl restart vssd
	check "over a restart of the service" shown /mnt/a a
	check_equal "once" 1 "$(findmnt -rno TARGET | grep -c '^/mnt/a$')"
	must systemctl stop vssd
	must umount /mnt/c
	must systemctl start vssd
	check "what was missing is back" shown /mnt/c c
	must systemctl kill -s KILL vssd
	check "after its death it is there" wait_for 60 vssctl show "$thick"
	check "and what is exposed as well" shown /mnt/a a

	check "by force it is deleted" vssctl delete --force "$thick"
	check "and not exposed any more" hidden /mnt/a

	set=$(vssctl create --quiet --keep --context nas-rollback /srv/c)
	check "a copy is broken off" eval "vssctl break --json --writable --revert-identity none $set >$work/broken"
	device=$(json 'd["volumes"][0]["volume"]' <"$work/broken")
	must mkdir -p /mnt/broken
	must mount "$device" /mnt/broken
	check "it can be written" eval "echo mine >/mnt/broken/own"
	must umount /mnt/broken
	echo "$device $(blkid -p -s UUID -o value "$device")" >$broken
	sync
	finish
}

after() {
	local device uuid
	vgchange -qq -aay "$vg"
	must vssctl list
	read -r device uuid <$broken
	check "the broken copy came up as any volume" [ -b "$device" ]
	check_equal "by its own UUID" "$(readlink -f "$device")" "$(readlink -f "/dev/disk/by-uuid/$uuid")"
	check "it is another than its origin's" [ "$uuid" != "$(blkid -p -s UUID -o value "/dev/$vg/c")" ]
	must mount "$device" /mnt/broken
	check_equal "with what was in the copy, and what was written since" "later mine" "$(cat /mnt/broken/file /mnt/broken/own | xargs)"
	check "it can be written" touch /mnt/broken/new
	must umount /mnt/broken
	check_equal "and the service knows nothing of it" "" "$(vssctl list --json | json "[s for s in d['snapshots'] if s['block_device'] == '/dev/vss/${device##*_}']")"
	must lvremove -qq -y "$device"
	mapfile -t ids < <(vssctl list --json | json "[s['snapshot_id'] for s in sorted(d['snapshots'], key=lambda s: s['volume'])]")
	check_equal "two copies are left" 2 "${#ids[@]}"
	check "after a boot the part is exposed" shown /mnt/b b
	check "and the thin copy" shown /mnt/c c
	check "they are ended" vssctl unexpose /mnt/b
	check "both" vssctl unexpose "${ids[1]}"
	check "nothing is left of the one" hidden /mnt/b
	check "nor of the other" hidden /mnt/c
	check "they are deleted without force" vssctl delete "${ids[@]}"
	clean_up
	finish
}

"$1"
