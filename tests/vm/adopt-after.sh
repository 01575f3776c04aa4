#!/bin/bash
# Second boot of the adoption test, on the disks of adopt-before.sh: the volumes are mounted through
# their mappings, copies can be made, and release takes all of it back. In the initramfs vss-adopted
# is broken, see adopt-broken.sh: the root is the partition.
. "$(dirname "$0")/lib-adopt.sh"
. "$(dirname "$0")/lib-paths.sh"
trap - EXIT

check_equal "with the root's mapping half made the machine boots from the partition" "${root}1" "$(mounted_from /)"
check_says "although there was one" 'adopt-broken: vss-root' "$(dmesg | grep adopt)"
check_says "and says so" 'vss-adopted: the root is mounted as it is' "$(dmesg | grep adopt)"
check "nothing is left of the mapping" not dmsetup info vss-root
check_equal "of which vssctl volumes speaks" next-mount "$(adopted_of /)"

for name in a b c whole; do
	check "/srv/$name is mounted" wait_for 60 mountpoint -q "/srv/$name"
	check_equal "and its files are there" "this is $name" "$(cat "/srv/$name/file")"
done
for name in a b c; do
	check_equal "/srv/$name is mounted through its mapping" "/dev/mapper/vss-srv-$name" "$(mounted_from "/srv/$name")"
done
check_equal "/srv/whole is mounted through its mapping" /dev/mapper/vss-everything "$(mounted_from /srv/whole)"
check_equal "no unit has failed" "" "$(systemctl --failed --no-legend --plain | grep -v vm-command)"
check "mount -a has nothing to do" mount -a
for name in a b c whole; do
	check "/srv/$name takes writes" sh -c "echo more >/srv/$name/more && sync -f /srv/$name/more"
done
journalctl -b -o cat -t vss-adopted | sed 's/^/# /'

must mkdir -m 700 /var/lib/vssd/stores
printf '[Stores]\nDefault=/var/lib/vssd/stores\n' >/etc/vss/vssd.conf
must systemctl restart vssd
answer=$(vssctl create --quiet --json --keep /srv/a /srv/b)
check "a set of adopted volumes is made" set_made "$answer" /srv/a /srv/b
check_equal "and its copies have their files" "this is a this is b" \
	"$(cat "${copies[0]:-none}/file" "${copies[1]:-none}/file" | tr '\n' ' ' | sed 's/ $//')"
for name in /dev/disk/by-uuid/"$(uuid_of "${disk}1")" /dev/disk/by-partuuid/5653534c-01 /dev/disk/by-label/first; do
	check "meanwhile its names lead to it: $name" leads_to "$name" /dev/mapper/vss-srv-a
done
check_says "a volume with copies is not released" 'shadow cop' "$(vssctl volumes release /srv/a 2>&1)"
must umount /srv/b
check_says "nor is one that is not mounted" 'shadow cop' "$(vssctl volumes release /srv/b 2>&1)"
must mount /srv/b
check "the copies are deleted" vssctl delete "${set:-none}"
must udevadm settle
check "and its names lead to it still" leads_to /dev/disk/by-partuuid/5653534c-01 /dev/mapper/vss-srv-a

# The map of multipathd.
check "/srv/paths is mounted" wait_for 90 mountpoint -q /srv/paths
check_equal "through its mapping" /dev/mapper/vss-srv-paths "$(mounted_from /srv/paths)"
check_equal "although its UUID led to a path at first" "$paths" "$(cat /run/paths.first)"
check_says "for which its service had waited" vss-adopted@srv-paths "$(cat /run/paths.job)"
map=$(number_of /dev/mapper/paths)
over_map="0 $(blockdev --getsz "$paths") linear $map 0"
check_equal "the mapping lies on the map" "$over_map" "$(dmsetup table vss-srv-paths)"
check "the map's own names are still the map's" \
	test "$(number_of "$(readlink -f /dev/mapper/paths)") $(number_of "/dev/disk/by-id/dm-uuid-$map_uuid")" = "$map $map"
must dd if=/dev/urandom of=/srv/paths/data bs=1M count=24 conv=fsync status=none
sum=$(sha256sum </srv/paths/data)
answer=$(vssctl create --quiet --json --keep /srv/paths)
check "a copy of it is made" set_made "$answer" /srv/paths
of_copy() {
	echo 3 >/proc/sys/vm/drop_caches
	sha256sum <"${copies[0]:-/none}/data"
}
write_part() { # OFFSET-MIB
	dd if=/dev/urandom of=/srv/paths/data bs=1M count=8 seek="$1" conv=fsync,notrunc status=none
}
check "a path fails" path_fails path-a
check "the volume is written on" write_part 0
check_says "by the other path" "$(number_of /dev/mapper/path-a) F .*$(number_of /dev/mapper/path-b) A" "$(dmsetup status paths)"
check "the map is written anew without it" reload_map path-b
check "the volume is written on" write_part 8
check "the path comes back" path_returns path-a
check "the map is written anew with it" reload_map path-a path-b
check "the volume is written on" write_part 16
check_equal "the copy lies between the volume and the map as before" "$over_map" "$(dmsetup table vss-srv-paths-real)"
check_equal "and has what was there" "$sum" "$(of_copy)"
check "it passes its file system's check" fsck_copy "${devices[0]:-/none}" ext4
sum=$(sha256sum </srv/paths/data)
check "it is deleted" vssctl delete "${set:-none}"
must umount /srv/paths
check_equal "what was written meanwhile is on the disk" "$sum" \
	"$(mount /srv/paths && sha256sum </srv/paths/data && umount /srv/paths)"
check "the map is released" vssctl volumes release /srv/paths
check_equal "fstab has its name again" '/dev/mapper/paths /srv/paths ext4 nofail 0 0' "$(grep /srv/paths /etc/fstab)"
check "and mounted" mount /srv/paths
check_equal "as it is" /dev/mapper/paths "$(mounted_from /srv/paths)"
must umount /srv/paths
sed -i '/ \/srv\/paths /d' /etc/fstab
rm -f "$map_rules" "$make_paths" /etc/systemd/system/sysinit.target.wants/paths.service

answer=$(vssctl volumes release /srv/a 2>&1)
check_says "what is mounted is released for later" 'when it is unmounted' "$answer"
check_says "no copies are made of it any more" 'has been released.*VOLUME_NOT_SUPPORTED' "$(vssctl create /srv/a 2>&1)"
check_equal "and stays mounted" /dev/mapper/vss-srv-a "$(mounted_from /srv/a)"
check_equal "of which vssctl volumes speaks" until-unmount "$(adopted_of /srv/a)"
check "its node stays, too" test -b /dev/mapper/vss-srv-a
must umount /srv/a
check "the mapping goes with the unmounting" wait_for 30 not dmsetup info vss-srv-a
must udevadm settle
check "fstab's line mounts it" mount /srv/a
check_equal "as it is" "${disk}1" "$(mounted_from /srv/a)"
check_equal "with its files" "this is a" "$(cat /srv/a/file)"
check_says "to release it again is fine" 'not adopted' "$(vssctl volumes release /srv/a 2>&1)"

must umount /srv/b
sum=$(bytes_of "${disk}2")
check "what is not mounted is released at once" vssctl volumes release /srv/b
check "the mapping is gone" not dmsetup info vss-srv-b
check_equal "no byte of it has changed" "$sum" "$(bytes_of "${disk}2")"
check "fstab is what it was, to the byte" cmp <(tail -n +2 /etc/fstab) <(tail -n +2 /var/tmp/fstab) # the first is the root's
check "its line mounts it" mount /srv/b
check_equal "as it is" "${disk}2" "$(mounted_from /srv/b)"

# Another file system in the place of the one that was adopted.
must umount /srv/c
must dmsetup remove vss-srv-c
must udevadm settle
must mkfs.ext4 -q -F "${disk}3"
must udevadm settle
check_says "what is not what was adopted gets no mapping, and the log says why" 'not what was adopted' \
	"$(/usr/libexec/vss/vss-adopted srv-c 2>&1)"
check "there is none" not dmsetup info vss-srv-c
check "the mount goes on with the partition" systemctl start srv-c.mount
check_equal "as it is" "${disk}3" "$(mounted_from /srv/c)"
check_says "the failure can be seen" 'not what was adopted' "$(journalctl -b -o cat -u vss-adopted@srv-c.service)"
must umount /srv/c
check "it can be adopted anew" vssctl volumes adopt /srv/c
check "and is mapped" mount /srv/c
check_equal "under its old name" /dev/mapper/vss-srv-c "$(mounted_from /srv/c)"

# What has become of it is read from the disk, not from what was known of the partition.
must umount /srv/c
must blkid -p "${disk}3"
must mkfs.ext4 -q -F -U 5653534c-0000-4000-8000-000000000003 /dev/mapper/vss-srv-c
must vssctl volumes adopt /srv/c
check_says "a new UUID is noted when it is adopted once more" 'uuid=5653534c-0000-4000-8000-000000000003' "$(cat /etc/vss/adopted)"
must mount /srv/c

# The package goes without a release: its generator, rules and service are not there at the next boot.
must umount /srv/c /srv/whole
must udevadm settle
must dmsetup remove --retry vss-srv-c vss-everything
rm -f /lib/systemd/system-generators/vss-adopted-generator /lib/udev/rules.d/61-vss-adopted.rules \
	'/lib/systemd/system/vss-adopted@.service'
must udevadm control --reload
must systemctl daemon-reload
must udevadm settle
check "without vssd the volumes are mounted" systemctl start srv-c.mount srv-whole.mount
check_equal "as they are" "${disk}3 $whole" "$(mounted_from /srv/c) $(mounted_from /srv/whole)"
check "and released" sh -c 'vssctl volumes release /srv/c && vssctl volumes release /srv/whole'
check_equal "no volume but the root is left in the list" "" "$(grep -v '^#\|^root ' /etc/vss/adopted)"
finish
