#!/bin/bash
# Third boot of the adoption test, with the initramfs of the first as it is: the root is mounted through its
# mapping, a copy of it can be made and holds, and it is released.
. "$(dirname "$0")/lib-adopt.sh"

uuid=$(uuid_of "${root}1")
check_equal "the root is mounted through its mapping" /dev/mapper/vss-root "$(mounted_from /)"
check_equal "vssctl volumes says so" active "$(adopted_of /)"
check_equal "which is one to one over the partition" \
	"0 $(blockdev --getsz "${root}1") linear $(lsblk -dno MAJ:MIN "${root}1" | tr -d ' ') 0" "$(dmsetup table vss-root)"
check "its UUID leads to the mapping" leads_to "/dev/disk/by-uuid/$uuid" /dev/mapper/vss-root
check "its label leads to the mapping" leads_to /dev/disk/by-label/root /dev/mapper/vss-root
check "its partition's UUID leads to the mapping" leads_to /dev/disk/by-partuuid/5653524f-01 /dev/mapper/vss-root
check_equal "no unit has failed" "" "$(systemctl --failed --no-legend --plain | grep -v vm-command)"
check "its files are what they were" sha256sum --quiet -c /var/tmp/sums
check "it takes writes" sh -c 'echo x >/var/tmp/x && sync -f /var/tmp/x'
check "mount -a has nothing to do" mount -a
check "it can be mounted anew" mount -o remount,rw /

must vgchange -qq -aay "$vg"
must mount --mkdir "/dev/$vg/stores" /srv/stores
must mkdir -m 700 /srv/stores/vss
printf '[Stores]\nDefault=/srv/stores/vss\n' >/etc/vss/vssd.conf
must systemctl restart vssd
echo old >/var/tmp/file
answer=$(vssctl create --quiet --json --keep /)
check "a copy of the root is made" set_made "$answer" /
check_equal "by the provider of mapped devices" dm "$(vssctl volumes --json | json "[v['provider'] for v in d['volumes'] if v['name'] == '/']")"
sum=$(cd "${copies[0]:-/none}" && sha256sum usr/bin/* | sha256sum)
echo new >/var/tmp/file
must dd if=/dev/urandom of=/var/tmp/much bs=1M count=32 conv=fsync status=none
check_equal "it has what was there" old "$(cat "${copies[0]:-/none}/var/tmp/file")"
check_equal "and what is written changes nothing in it" "$sum" "$(cd "${copies[0]:-/none}" && sha256sum usr/bin/* | sha256sum)"
check "it passes its file system's check" fsck_copy "${devices[0]:-/none}" ext4
check_equal "the root has what was written" new "$(cat /var/tmp/file)"
check_says "a root with copies is not released" 'shadow cop' "$(vssctl volumes release / 2>&1)"
check "the copy is deleted" vssctl delete "${set:-none}"

check_says "the root is released for the next boot" 'from the next boot on' "$(vssctl volumes release / 2>&1)"
check_equal "and is its mapping until then" until-unmount "$(adopted_of /)"
check "the initramfs has no line" has_no_line
check "fstab's line is what it was, to the byte" grep -qx "${root}1 / ext4 defaults 0 0" /etc/fstab
finish
