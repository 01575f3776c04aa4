#!/bin/bash
# Mapped devices that are not LVM's: an opened LUKS volume on a partition, linear mappings. Where the stores
# of their copies go and where they must not; what a copy is; what is left when a set ends at any of its
# steps, when the service is killed, when the machine starts anew: nothing; sets with LVM's volumes, which
# are of one instant.
#
# usage: test-dm.sh [SETS [PART...]]: so many sets under load; only these of the parts, which are functions:
# refused a_dm_set encrypted full aborted rebooted mixed restarted
. "$(dirname "$0")/lib-storage.sh"

sets=${1:-6}
parts=("${@:2}")
[ ${#parts[@]} -gt 0 ] || parts=(refused a_dm_set encrypted full aborted rebooted mixed restarted)
conf=/etc/vss/vssd.conf
unit=vssd.service
disk=$(readlink -f /dev/disk/by-id/virtio-data0)
files=/srv/files/stores

modprobe -a dm-snapshot dm-crypt loop 2>/dev/null

# storage-set, told where stores go.
storage_set() {
	local verb=$1
	shift
	"$programs/storage-set" "$verb" "${places[@]/#/--place=}" "$@"
}

linear() { # NAME DEVICE
	dmsetup create "$1" --table "0 $(blockdev --getsz "$2") linear $2 0"
}

mounted() { # DEVICE DIRECTORY FSTYPE
	must "mkfs.$3" -q "$1"
	must mkdir -p "$2"
	must mount "$1" "$2"
}

open_crypt() {
	cryptsetup open --key-file "$work/key" "$@" "${disk}1" crypt
}

plain_rules=/run/udev/rules.d/90-plain.rules

make_volumes() {
	must wipefs -qa "$disk"
	# Partitions of the kernel only: no program is needed to write a table.
	must addpart "$disk" 1 2048 $((400 * 2048))
	must addpart "$disk" 2 $((401 * 2048)) $((400 * 2048))
	must addpart "$disk" 3 $((801 * 2048)) $((64 * 2048))
	must addpart "$disk" 4 $((865 * 2048)) $((200 * 2048))
	must wipefs -qa "${disk}1" "${disk}2" "${disk}3" "${disk}4"
	vg_make /dev/disk/by-id/virtio-data1
	must lvcreate -qq -y -n files -L 300M "$vg"
	mounted "/dev/$vg/files" /srv/files ext4
	must mkdir "$files"
	must lvcreate -qq -y -n c -L 320M "$vg"
	mounted "/dev/$vg/c" /srv/c ext4
	echo secret >"$work/key"
	must cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 "${disk}1" "$work/key"
	must open_crypt
	mounted /dev/mapper/crypt /srv/a ext4
	# The partition below has the same UUID. To udev the last that it has looked at is the one that is meant.
	must mkdir -p /run/udev/rules.d
	must sh -c "echo 'ENV{DM_NAME}==\"plain\", OPTIONS+=\"link_priority=10\"' >$plain_rules"
	must udevadm control --reload
	must linear plain "${disk}2"
	mounted /dev/mapper/plain /srv/b xfs
	must linear raw "${disk}3"
	must dd if=/dev/urandom of=/dev/mapper/raw bs=1M count=8 status=none
}

# The passphrase once more, and the volume stays mounted.
give_key() {
	cryptsetup refresh --disable-keyring --key-file "$work/key" crypt
}

probed() { # VOLUME
	storage_set probe "$1" 2>&1
}

created() {
	storage_set create "$@" 2>&1
}

# What is refused, before anything is made.
refused() {
	local theirs='global { system_id_source = "lvmlocal" } local { system_id = "theirs" }'
	check_says "a key that the kernel has in no keyring is asked for" \
		'VOLUME_NOT_SUPPORTED.*cryptsetup refresh --disable-keyring crypt' "$(probed /srv/a)"
	check "cryptsetup refresh gives it" give_key
	baseline
	check_says "then the LUKS volume is this provider's" 'volume /srv/a/ on .* by dm$' "$(probed /srv/a)"
	check_says "and a linear mapping" 'volume /srv/b/ on .* by dm$' "$(probed /srv/b)"
	check_says "LVM's volumes are not" 'volume /srv/c/ on .* by lvm-thick$' "$(probed /srv/c)"

	places=()
	check_says "without a place for the store there is no copy" \
		'INSUFFICIENT_STORAGE.*no place for the copy-on-write store of /srv/b/: none is configured.*\[Stores\]' "$(created /srv/b)"
	must mkdir /srv/b/stores
	places=(Default=/srv/b/stores)
	check_says "a directory on the volume itself is none" '/srv/b/stores lies on /srv/b/' "$(created /srv/b)"
	places=(Default=/srv/a)
	check_says "nor one on another volume of the set" '/srv/a lies on /srv/a/' "$(created /srv/b /srv/a)"
	must dd if=/dev/zero of=/srv/b/image bs=1M count=0 seek=64 status=none
	loop=$(losetup --show -f /srv/b/image)
	must mkdir /srv/image
	mounted "$loop" /srv/image ext4
	places=(Default=/srv/image)
	check_says "nor one in an image that lies there" '/srv/image lies on /srv/b/' "$(created /srv/b)"
	places=("Default=$loop")
	check_says "nor a device in use" "$loop .*in use" "$(created /srv/b)"
	must umount /srv/image
	places=("Default=$loop")
	check_says "nor one that holds something" "$loop is not empty.*wipefs" "$(created /srv/b)"
	must losetup -d "$loop"
	must rm -r /srv/b/image /srv/b/stores /srv/image
	places=(Default=/run)
	check_says "nor what cannot reserve room" '/run .*only ext4 and XFS' "$(created /srv/b)"
	must chmod o+w "$files"
	places=("Default=$files")
	check_says "nor what others can write" "$files can be written by others" "$(created /srv/b)"
	must chmod o-w "$files"
	places=("Default=$files /nowhere reservoir")
	must fallocate -l 225M /srv/files/filler
	check_says "nor what is full, and each is named" \
		"$files has [0-9]+ MiB to spare.*; /nowhere is not there; reservoir is no volume group" "$(created /srv/b)"
	must rm /srv/files/filler
	# Active here, so that LVM's reports have it.
	must vgcreate -qq --config "$theirs" reservoir "${disk}4"
	must lvcreate -qq -y --config "$theirs" -n v -L 16M reservoir
	places=("Default=reservoir")
	check_says "nor a group of another host" 'reservoir is a volume group of another host' "$(created /srv/b)"
	must vgremove -qq -ff -y --config "$theirs" reservoir
	must pvremove -qq "${disk}4"
	places=("${all_places[@]}")

	must dmsetup create map -u mpath-3600 --table "0 8192 linear ${disk}4 0"
	check_says "a map of multipathd is refused" 'VOLUME_NOT_SUPPORTED.*multipathd writes anew' "$(probed /dev/mapper/map)"
	must dmsetup remove map
	must dmsetup create odd --table '0 8192 zero'
	check_says "and what is of an odd kind" "VOLUME_NOT_SUPPORTED.*of the kind 'zero'" "$(probed /dev/mapper/odd)"
	must dmsetup remove odd
	unchanged "what was refused leaves nothing"
}

# What a copy is: with a store of each kind.
a_dm_set() {
	local raw sum first device
	echo old | tee /srv/a/file >/srv/b/file
	sum=$(sha256sum </dev/mapper/raw)
	check "a set of an ext4 on LUKS, an XFS and a raw volume" create "${volumes[@]}"
	sed 's/^/# /' "$work/made"
	first=$(copy_of /srv/a/)
	raw=$(device_of /dev/mapper/raw)
	echo new | tee /srv/a/file >/srv/b/file
	must dd if=/dev/zero of=/dev/mapper/raw bs=1M count=8 conv=fsync status=none
	check_equal "the ext4 copy has the old content" old "$(cat "$first/file")"
	check_equal "the XFS copy has the old content" old "$(cat "$(copy_of /srv/b/)/file")"
	check_equal "the raw copy has the old content" "$sum" "$(sha256sum <"$raw")"
	check "a copy cannot be written through its directory" not touch "$first/x"
	check "a copy cannot be written through its device" not dd if=/dev/zero of="$raw" bs=4k count=1 conv=fsync
	check_says "the first store is in a file that is reserved" '^-rw------- .* 33554432 .*\.cow$' "$(ls -l "$files"/*.cow)"
	check_equal "all of it" 65536 "$(stat -c %b "$files"/*.cow | awk '{ print $1 - $1 % 64 }')"
	check_says "the second on the spare partition" "^0 65536 linear $(lsblk -dno MAJ:MIN "${disk}4" | tr -d ' ') 2048$" \
		"$(dmsetup table "vss_$(basename "$(copy_of /srv/b/)")-cow")"
	check_says "the third is a logical volume" "vss_store[0-9]+ +$vg" "$(lvs "$vg")"
	udevadm settle
	for device in $(dmsetup info -c --noheadings -o blkdevname,uuid --separator ' ' | awk '$2 ~ /^VSS-COPY-/ { print $1 }'); do
		check_equal "no link under /dev/disk leads to $device" "" "$(find /dev/disk -lname "*/$device")"
	done
	check_says "a UUID means the origin" 'volume /srv/a/' "$(probed "UUID=$(blkid -o value -s UUID /dev/mapper/crypt)")"
	check_says "the usage is known" "$(basename "$first") [1-9][0-9]* 33554432 good" "$(storage_set usage)"
	for name in "$first" "$raw" "/dev/mapper/vss_$(basename "$first")-cow" /dev/mapper/plain-real "/dev/$vg/vss_store"*; do
		check_says "what is ours is no volume: $name" VOLUME_NOT_SUPPORTED "$(probed "$name")"
	done
	middle=$(state)
	must udevadm trigger --subsystem-match=block
	check_equal "udev's trigger changes nothing" "$middle" "$(state)"

	check "a second set of the same volumes" create "${volumes[@]}"
	check_equal "the second copy has the new content" new "$(cat "$(copy_of /srv/a/)/file")"
	check_equal "the first copy is what it was" old "$(cat "$first/file")"
	check_says "where a store lies is in no set with its volume" 'store on /srv/files/.*NESTED_VOLUME_LIMIT' \
		"$(vssctl create --keep /srv/a /srv/files 2>&1)"
	cd "$first" || exit
	check_says "a busy copy is not deleted, and says why" 'in use by .*\(' "$(storage_set delete 2>&1)"
	cd / || exit
	check "all are deleted" storage_set delete
	unchanged "deletion leaves nothing"
	check_equal "no file either" "" "$(ls "$files")"

	must create "${volumes[@]}"
	exec 7<"$(device_of /dev/mapper/raw)"
	check "a busy copy is deleted by force" storage_set delete force
	check "what had it open reads no more" not dd of=/dev/null bs=4k count=1 skip=100 iflag=direct status=none <&7
	exec 7<&-
	wait_for 5 not eval 'dmsetup ls | grep -q ShadowCopy'
	unchanged "and nothing is left of it"
}

# What cryptsetup makes of its mapping while there are copies.
encrypted() {
	local table
	table=$(dmsetup table --showkeys crypt)
	must create /srv/a
	check "the copy's origin is cryptsetup's no more" not cryptsetup resize --key-file "$work/key" --size 409600 crypt
	check_says "which changed nothing" snapshot-origin "$(dmsetup table crypt)"
	check_equal "the key is not in the log" "" "$(journalctl -o cat | grep -F "$(cut -d ' ' -f 5 <<<"$table")")"
	check "the copy is deleted" storage_set delete
	check_equal "and the mapping is what it was" "$table" "$(dmsetup table --showkeys crypt)"
	check "cryptsetup knows it again" cryptsetup status crypt
	unchanged "encrypted: nothing is left"

	must cryptsetup refresh --key-file "$work/key" crypt
	check_says "a key that the kernel alone has is not enough" 'cryptsetup refresh' "$(vssctl create --keep /srv/a 2>&1)"
	must cryptsetup luksDump -q --dump-volume-key --volume-key-file "$work/volume-key" --key-file "$work/key" "${disk}1"
	must key_in_user_keyring add "$(dmsetup table --showkeys crypt | cut -d ' ' -f 5 | cut -d : -f 4-)" "$work/volume-key"
	check "one in root's user keyring is" vssctl create --keep /srv/a
	must delete_sets
	must key_in_user_keyring clear
	must give_key
	unchanged "encrypted: nothing is left of that either"
}

# As keyctl does: add DESCRIPTION FILE, or clear.
key_in_user_keyring() {
	python3 - "$@" <<-'EOS'
		import ctypes, sys
		USER_KEYRING, CLEAR, ADD_KEY, KEYCTL = -4, 7, 248, 250
		call = ctypes.CDLL(None, use_errno=True).syscall
		if sys.argv[1] == "add":
		    key = open(sys.argv[3], "rb").read()
		    r = call(ADD_KEY, b"logon", sys.argv[2].encode(), key, len(key), USER_KEYRING)
		else:
		    r = call(KEYCTL, CLEAR, USER_KEYRING, 0, 0, 0)
		sys.exit(r < 0 and f"errno {ctypes.get_errno()}")
	EOS
}

delete_sets() {
	sets_there | xargs -r -n 1 vssctl delete
}

# More is written than the store holds: the copy is lost, the volume is not.
full() {
	must create /srv/a
	check "a volume goes on when a store is full" dd if=/dev/urandom of=/srv/a/large bs=1M count=60 conv=fsync status=none
	check_says "the copy is lost" 'lost$' "$(storage_set usage)"
	check "its reader is told" not dd if="$(device_of /srv/a/)" of=/dev/null bs=4k count=1 iflag=direct status=none
	check "and it is deleted" storage_set delete
	must rm /srv/a/large
	must sync
	unchanged "full: nothing is left"
}

aborted() {
	holds_group=false
	numbers=()
	for name in crypt plain raw; do
		numbers[$name]=$(lsblk -dno MAJ:MIN "/dev/mapper/$name" | tr -d ' ')
	done
	ways_back "${volumes[@]}"
	check_equal "the ways back: no file is left" "" "$(ls "$files")"
}

# Another boot has another id. What device-mapper had is gone then; the stores are not.
rebooted() {
	local id
	must create "${volumes[@]}"
	check "copies outlive the end of a process" storage_set activate
	id=$(cat /proc/sys/kernel/random/uuid)
	echo "$id" >"$work/boot"
	must mount --bind "$work/boot" /proc/sys/kernel/random/boot_id
	check_says "but not the boot" 'made before the machine started' "$(storage_set activate 2>&1)"
	must storage_set delete
	must umount /proc/sys/kernel/random/boot_id
	unchanged "rebooted: the stores are deleted"
	check_equal "rebooted: the files, too" "" "$(ls "$files")"
}

# With LVM's volumes in one set, by the service.
mixed() {
	together=(/srv/a /srv/c /srv/b)
	rows=$(vssctl volumes --json | json '[v["name"] + " " + str(v["provider"]) for v in d["volumes"]]')
	for row in "/srv/a/ dm" "/srv/b/ dm" "/dev/mapper/raw dm" "/srv/c/ lvm-thick"; do
		check_says "vssctl volumes: $row" "^$row$" "$rows"
	done
	check_says "vssctl volumes says that they end with the boot" '/srv/b/.*yes, by dm, until the machine stops' "$(vssctl volumes | cat)"
	baseline
	load_start /srv/a/counter /srv/c/counter /srv/b/counter
	for ((i = 1; i <= sets; i++)); do
		check "mapped and LVM's, set $i of $sets: one instant, sound file systems" set_together
	done
	check "no write of the load failed" load_stop
	note "load: ${load_summary:-}"
	unchanged "mixed: nothing is left"
}

service_is_back() {
	systemctl is-active -q "$unit" && vssctl volumes
}

# The service ends in whichever way; the copies of finished sets stay.
restarted() {
	local answer set copies devices types msec
	answer=$(vssctl create --json --keep /srv/a /srv/b)
	check "a set that is kept" set_made "$answer" /srv/a /srv/b
	note "$(vssctl create --keep /srv/b 2>&1 >/dev/null)"
	check "the service is started anew" systemctl restart "$unit"
	check "its copies are still read" test -e "${copies[0]}/file" -a -e "${copies[1]}/file"
	check "and deleted" delete_sets
	for msec in 100 300 600 1000 1500; do
		vssctl create --keep /srv/a /srv/b >/dev/null 2>&1 &
		sleep "$((msec / 1000)).$(printf %03d $((msec % 1000)))"
		systemctl kill --kill-whom=all --signal=KILL "$unit"
		wait $!
		systemctl reset-failed "$unit"
		must systemctl start "$unit"
		check "killed after $msec ms: the volumes can be written" timeout 60 sh -c 'echo x >/srv/a/x && sync -f /srv/a/x && rm /srv/a/x'
		check "killed after $msec ms: the service is back" wait_for 60 service_is_back
		must delete_sets
		unchanged "killed after $msec ms: nothing is left"
		check_equal "killed after $msec ms: no file either" "" "$(ls "$files")"
	done
}

# Before lib.sh takes away what it knows of.
unmake_volumes() {
	storage_set delete force
	rm -f "$conf"
	systemctl restart "$unit"
	umount /srv/a /srv/b /srv/c /srv/files
	cryptsetup close crypt
	dmsetup remove plain
	dmsetup remove raw
	rm -f "$plain_rules"
	udevadm control --reload
	for i in 1 2 3 4; do
		delpart "$disk" "$i"
	done
	udevadm settle
} >/dev/null 2>&1
trap 'unmake_volumes; clean_up' EXIT

places=()
all_places=("/srv/a=$files" "/dev/mapper/plain=${disk}4" "Default=$vg")
volumes=(/srv/a /srv/b /dev/mapper/raw)
make_volumes
must mkdir -p /etc/vss
{
	echo "[Stores]"
	printf '%s\n' "${all_places[@]}"
} >"$conf"
must systemctl restart "$unit"
[ "${parts[0]}" = refused ] || must give_key
places=("${all_places[@]}")
baseline
for part in "${parts[@]}"; do
	"$part"
	[ "$part" != refused ] || baseline
done
check "no device is left suspended" no_suspended_device
finish
