#!/bin/bash
# First boot of the adoption test: partitions are adopted, those that are not mounted at once, the others
# for the boots to come; and the root, for which the initramfs is made anew.
. "$(dirname "$0")/lib-adopt.sh"
. "$(dirname "$0")/lib-paths.sh"
trap - EXIT

check_equal "the root is a partition" "${root}1" "$(mounted_from /)"
# Of the image, where it is a logical volume.
sed -i "s|^/dev/mapper/vmroot-root |${root}1 |" /etc/fstab
must vgcreate -qq -y "$vg" "${root}2"
volume_make stores 500M ext4

must partition "$disk" 300 320 100 100
must udevadm settle
must wait_for 30 test -b "${disk}4"
must mkfs.ext4 -q -L first "${disk}1"
must mkfs.xfs -q "${disk}2"
must mkfs.ext4 -q "${disk}3"
must mkswap -q "${disk}4"
must mkfs.ext4 -q -L everything "$whole"
must udevadm settle
mkdir -p /srv/{a,b,c,whole}
cat >>/etc/fstab <<EOT
# four lines, four ways to name a device
UUID=$(uuid_of "${disk}1")	/srv/a ext4 defaults,nofail 0 2
${disk}2   /srv/b   xfs   defaults,nofail 0 0	# as the kernel does
PARTUUID=5653534c-03 /srv/c ext4 nofail
LABEL=everything /srv/whole ext4 nofail 0 0
EOT
cp /etc/fstab /var/tmp/fstab
must systemctl daemon-reload
must mount -a
for name in a b c whole; do
	echo "this is $name" >/srv/$name/file
done
must umount /srv/a
sum=$(bytes_of "${disk}1")

answer=$(vssctl volumes adopt /srv/a 2>&1)
check_says "what is not mounted is adopted at once" '/dev/mapper/vss-srv-a is there' "$answer"
check_equal "no byte of it has changed" "$sum" "$(bytes_of "${disk}1")"
check_equal "the mapping has the same bytes" "$sum" "$(bytes_of /dev/mapper/vss-srv-a)"
check "its UUID leads to the mapping" leads_to "/dev/disk/by-uuid/$(uuid_of "${disk}1")" /dev/mapper/vss-srv-a
check "its label leads to the mapping" leads_to /dev/disk/by-label/first /dev/mapper/vss-srv-a
check "its partition's UUID leads to the mapping" leads_to /dev/disk/by-partuuid/5653534c-01 /dev/mapper/vss-srv-a
check "its place on the disk leads to the mapping" leads_to "$(find /dev/disk/by-id -name 'virtio-data0-part1')" /dev/mapper/vss-srv-a
check "the links of others are theirs" leads_to /dev/disk/by-partuuid/5653534c-02 "${disk}2"
must udevadm trigger --subsystem-match=block
must udevadm settle
check "and udev's trigger does not change that" leads_to "/dev/disk/by-uuid/$(uuid_of "${disk}1")" /dev/mapper/vss-srv-a
check "fstab's line mounts it" mount /srv/a
check_equal "through the mapping" /dev/mapper/vss-srv-a "$(mounted_from /srv/a)"
check_equal "vssctl volumes says so" active "$(adopted_of /srv/a)"
check_equal "its files are there" "this is a" "$(cat /srv/a/file)"
check "mount -a has nothing to do" mount -a
check "fstab was not touched" cmp /etc/fstab /var/tmp/fstab
cp /etc/vss/adopted /var/tmp/adopted
check "to adopt it again is fine" vssctl volumes adopt /srv/a
check "and changes nothing" cmp /etc/vss/adopted /var/tmp/adopted
check "systemd finds nothing wrong" systemd-analyze verify --man=no --generators=yes /run/systemd/generator/srv-a.mount vss-adopted@srv-a.service

check_says "a logical volume is refused" 'logical volume' "$(vssctl volumes adopt /srv/stores 2>&1)"
check_says "swap is refused" 'swap' "$(vssctl volumes adopt "${disk}4" 2>&1)"
check_says "a disk with partitions is refused" 'no file system|lies on it|cannot be adopted' "$(vssctl volumes adopt "$disk" 2>&1)"
check_says "tmpfs is refused" 'in memory' "$(vssctl volumes adopt /run 2>&1)"
check_says "what is not there is refused" 'OBJECT_NOT_FOUND|there is no|no such' "$(vssctl volumes adopt /dev/nothing 2>&1)"
truncate -s 20M /var/tmp/image
mkfs.ext4 -q /var/tmp/image
loop=$(losetup -f --show /var/tmp/image)
check_says "a disk image is refused" 'disk image' "$(vssctl volumes adopt "$loop" 2>&1)"
losetup -d "$loop"
check_says "a bad name is refused" "no name for a mapping" "$(vssctl volumes adopt --name a/b /srv/c 2>&1)"
check "refusals leave nothing" cmp /etc/vss/adopted /var/tmp/adopted

answer=$(vssctl volumes adopt /srv/b 2>&1)
check_says "what is mounted is adopted for later, and how to have it now is said" 'next boot.*umount /srv/b' "$answer"
check_equal "and stays mounted as it is" "${disk}2" "$(mounted_from /srv/b)"
check_equal "of which vssctl volumes speaks" next-mount "$(adopted_of /srv/b)"
check_equal "a kernel's name in fstab is an UUID now, and nothing else changed" \
	"$(sed "s|^${disk}2 |UUID=$(uuid_of "${disk}2") |" /var/tmp/fstab)" "$(cat /etc/fstab)"
check "what was there is kept" cmp /etc/vss/fstab.before-srv-b /var/tmp/fstab
check "mount -a has nothing to do" mount -a
check "what is mounted is adopted under a name" vssctl volumes adopt --name everything /srv/whole
check "and by its device" vssctl volumes adopt "${disk}3"
check_says "the service cannot make the mapping of what is in use" 'in use as it is' \
	"$(/usr/libexec/vss/vss-adopted srv-b 2>&1)"
check_equal "and it stays mounted" "${disk}2" "$(mounted_from /srv/b)"

# A map of multipathd: which is in use as such, and named as device-mapper does.
must mkdir -p /etc/systemd/system/sysinit.target.wants
must mkfs.ext4 -q "$paths"
install_paths "$(uuid_of "$paths")"
must udevadm control --reload
must modprobe -a dm-multipath dm-round-robin
must dmsetup create path-a --table "$(path_table)"
must dmsetup create path-b --table "$(path_table)"
must dmsetup create paths --uuid "$map_uuid" --table "$(map_table path-a path-b)"
must udevadm settle
echo '/dev/mapper/paths /srv/paths ext4 nofail 0 0' >>/etc/fstab
must mount --mkdir /srv/paths
echo "this is paths" >/srv/paths/file
check_says "a multipath map cannot be copied, and what to do is said" \
	"multipathd writes anew.*vssctl volumes adopt /srv/paths" "$(vssctl create /srv/paths 2>&1)"
check_says "one of its paths is not what is adopted" VOLUME_NOT_SUPPORTED "$(vssctl volumes adopt "$paths" 2>&1)"
check_says "the map is adopted" 'next boot' "$(vssctl volumes adopt /srv/paths 2>&1)"
check_says "by its own UUID" " map=$map_uuid" "$(cat /etc/vss/adopted)"
check_equal "and its name in fstab, which stays the map's, is an UUID now" \
	"UUID=$(uuid_of "$paths") /srv/paths ext4 nofail 0 0" "$(tail -n 1 /etc/fstab)"

sha256sum /usr/bin/* >/var/tmp/sums
must cp /etc/fstab /var/tmp/fstab.root
check_says "a root can be adopted and the initramfs left to the administrator" "run 'update-initramfs" \
	"$(vssctl volumes adopt --no-initramfs / 2>&1)"
check_says "its line of fstab has an UUID" "^UUID=$(uuid_of "${root}1") / " "$(cat /etc/fstab)"
check "and be released" vssctl volumes release --no-initramfs /
check "fstab is what it was" cmp /etc/fstab /var/tmp/fstab.root
mv /usr/sbin/mkinitramfs /usr/sbin/mkinitramfs.away
check_says "it is refused where initramfs-tools is not there" 'initramfs-tools.*mkinitramfs' "$(vssctl volumes adopt / 2>&1)"
mv /usr/sbin/mkinitramfs.away /usr/sbin/mkinitramfs
check "of which nothing is left" cmp /etc/fstab /var/tmp/fstab.root
check_says "the root is adopted for the next boot" 'from the next boot on' "$(vssctl volumes adopt / 2>&1)"
check_equal "of which vssctl volumes speaks" next-mount "$(adopted_of /)"
check "the initramfs has the line" has_line
sed 's/^/# /' /etc/vss/adopted
finish
