#!/bin/bash
# The storage layers alone: providers, window and guard over real LVM, without the daemon. What a
# set is, what is left when it is aborted, killed or cut off at each of its steps (nothing), and what
# is refused. storage-set is the driver.
. "$(dirname "$0")/lib-storage.sh"

modprobe -a dm-snapshot dm-thin-pool raid1 loop 2>/dev/null

vg_make
volume_make a 256M ext4
volume_make b 400M xfs
must lvcreate -qq -y -W y -n raw-c -L 64M $vg
must dd if=/dev/urandom of=/dev/$vg/raw-c bs=1M count=8 status=none
volumes=(/srv/a /srv/b "$vg/raw-c")
watch_volumes a b raw-c

# --- a set ------------------------------------------------------------------------------------

baseline
a_set '+sri-a' -L 32M

must create --no-mount /srv/a
dd if=/dev/urandom of=/srv/a/fill bs=1M count=120 conv=fsync status=none
check_says "a store that is full is known" lost "$(storage_set usage)"
check "a lost copy is deleted" storage_set delete
rm /srv/a/fill
unchanged "and leaves nothing"

# --- the way back from every step ---------------------------------------------------------------

ways_back "${volumes[@]}"

# --- after a reboot -----------------------------------------------------------------------------

must create "${volumes[@]}"
copies=("$(copy_of /srv/a/)" "$(copy_of /srv/b/)")
echo newer | tee /srv/a/file >/srv/b/file
must umount "${copies[@]}" /srv/a /srv/b
rm -rf /dev/vss
must vgchange -qq -an "$vg"
check "copies that stay are activated" storage_set activate
check_equal "and have their content" "new new" "$(cat "${copies[0]}/file" "${copies[1]}/file" | xargs)"
must mount "/dev/$vg/a" /srv/a
must mount "/dev/$vg/b" /srv/b
check "and are deleted" storage_set delete
unchanged "and leave nothing"

# --- the root -----------------------------------------------------------------------------------

echo old >/root/file
must sync -f /root/file
check "a set with the root" create / /srv/a
echo new >/root/file
check_equal "the root's copy has the old content" old "$(cat "$(copy_of /)/root/file")"
rm /root/file
check "a set with the root is deleted" storage_set delete
unchanged "a set with the root leaves nothing"
for i in 1 2; do
	storage_set create --commit=kill / /srv/a >"$work/killed" 2>&1
	check "killed in the window, the root too, round $i: it was" grep -q "step prepare" "$work/killed"
	check "killed in the window, the root too, round $i: it came no further" not grep -q "step window" "$work/killed"
	check "killed in the window, the root too, round $i: the root can be written" \
		timeout 10 sh -c 'echo x >/root/x; sync -f /root/x; rm /root/x'
	check "killed in the window, the root too, round $i: recovery" storage_set recover
	unchanged "killed in the window, the root too, round $i: nothing is left"
done

# --- other kinds of volumes ---------------------------------------------------------------------

must lvcreate -qq -y -W y --type striped -i 2 -n striped -L 64M $vg
must lvcreate -qq -y -W y --type raid1 -m 1 -n mirrored -L 64M $vg
wait_for 60 eval "[ \"\$(lvs --noheadings -o copy_percent $vg/mirrored | tr -d ' ')\" = 100.00 ]"
for kind in striped mirrored; do
	must mkfs.ext4 -q /dev/$vg/$kind
	must mkdir -p /srv/$kind
	must mount /dev/$vg/$kind /srv/$kind
	echo old >/srv/$kind/file
done
baseline
check "a set of a striped volume and a RAID 1" create /srv/striped /srv/mirrored
for kind in striped mirrored; do
	echo new >/srv/$kind/file
	must sync -f /srv/$kind/file
done
check_equal "their copies have the old content" "old old" "$(cat "$(copy_of /srv/striped/)/file" "$(copy_of /srv/mirrored/)/file" | xargs)"
check_says "the RAID is whole" '^ *100.00' "$(lvs --noheadings -o copy_percent $vg/mirrored)"
middle=$(state)
must vgchange --refresh $vg
check_equal "vgchange --refresh changes nothing for them" "$middle" "$(state)"
check "their copies are deleted" storage_set delete
unchanged "their deletion leaves nothing"
for step in stage window; do
	check "abort of a RAID's copy after $step" storage_set create --abort-after=$step /srv/mirrored
	unchanged "abort of a RAID's copy after $step leaves nothing"
	storage_set create --exit-after=$step /srv/mirrored >/dev/null
	check "a RAID: the end of the process after $step is recovered from" storage_set recover
	unchanged "a RAID: the end of the process after $step leaves nothing"
done
check_equal "the RAID has its content" new "$(cat /srv/mirrored/file)"

must lvcreate -qq -y -T -L 64M -V 100M -n thin $vg/thinpool
must mkswap /dev/$vg/thin >/dev/null
check_says "swap is refused" 'VOLUME_NOT_SUPPORTED.*swap' "$(storage_set probe $vg/thin)"
must lvcreate -qq -y -s -L 32M -n foreign $vg/a
check_says "snapshots are refused" 'VOLUME_NOT_SUPPORTED.*itself a snapshot' "$(storage_set probe $vg/foreign)"
must lvremove -qq -y $vg/foreign
must mkdir -p /srv/a/part /mnt/bind
must mount --bind /srv/a/part /mnt/bind
check_says "a bind mount is the volume it shows a part of" 'volume /srv/a/ on /dev/mapper/tank-a' "$(storage_set probe /mnt/bind)"
must umount /mnt/bind
check_says "a device that is no LV is refused" 'VOLUME_NOT_SUPPORTED.*neither a logical volume nor' \
	"$(storage_set probe "$(df --output=target /share | tail -n1)")"
must truncate -s 200M /srv/b/image
loop=$(losetup --show -f /srv/b/image)
must vgcreate -qq inner "$loop"
must lvcreate -qq -y -n v -L 64M inner
check_says "a volume on a loop device over a file of another is refused" 'NESTED_VOLUME_LIMIT.*lies on /srv/b/' \
	"$(storage_set create /srv/b inner/v 2>&1)"
check "but alone it is fine" storage_set create inner/v
check "and is deleted" storage_set delete
must vgchange -qq -an inner
must losetup -d "$loop"
rm /srv/b/image

# --- room ---------------------------------------------------------------------------------------

must lvremove -qq -y $vg/thinpool
volume_make large 512M ext4
baseline
free=$(vgs --noheadings -o vg_free_count $vg | tr -d ' ')
must lvcreate -qq -y -W n -Z n -l $((free - 17)) -n filler $vg
check "a set where the group is nearly full" storage_set create /srv/a /srv/large
check_equal "has smaller stores" "32.00m 36.00m" "$(lvs --noheadings -o lv_size -S lv_role=snapshot $vg | xargs)"
check "and is deleted" storage_set delete
must lvextend -qq -l +7 $vg/filler
check_says "a full group is named, with what is needed" "INSUFFICIENT_STORAGE.*$vg has 40 MiB free.*64 MiB" \
	"$(storage_set create /srv/a /srv/b 2>&1)"
must lvremove -qq -y $vg/filler
unchanged "which leaves nothing"

finish
