#!/bin/bash
# Sets that are broken off: thin copies become ordinary volumes, read-only or not, with the UUID of their origins or one
# of their own; those that depend on their volumes are refused, and nothing has changed. What is left when the
# service dies at any of the steps: a copy or a volume.
. "$(dirname "$0")/lib-storage.sh"

writable=2 all=4 none=8

uuid_of() { # DEVICE
	blkid -p -s UUID -o value "$1"
}

lv_of() { # PATTERN: name and attributes of the one there is
	lvs --noheadings -o lv_name,lv_attr "$vg" | awk -v pattern="$1" '$1 ~ pattern { print $1, $2 }'
}

# made VOLUME...: a set that stays, its id in set.
made() {
	must vssctl create --context nas-rollback "$@"
	set=$(sets_there)
}

# broken [OPTION...]: the set; its volumes are in results.
broken() {
	local answer
	answer=$(vssctl break --json "$@" "$set" 2>&1) || {
		echo "$answer"
		return 1
	}
	mapfile -t results < <(awk -F '"' '$2 == "volume" { print $4 }' <<<"$answer")
	[ ${#results[@]} -gt 0 ]
}

# refused NAME PATTERN [OPTION...]: and everything is as it was.
refused() {
	local name=$1 pattern=$2 before said
	shift 2
	before=$(machine_state)
	said=$(vssctl break "$@" "$set" 2>&1) && said="it was not: $said"
	check_says "$name" "$pattern" "$said"
	check_equal "$name: nothing has changed" "$before" "$(machine_state)"
}

# Its name as the kernel has it: no two lead to one device.
same_device() { # DEVICE DEVICE
	[ -b "$1" ] && [ "$(readlink -f "$1")" = "$(readlink -f "$2")" ]
}

has_file() { # DEVICE TEXT [MOUNT-OPTIONS]: and can be written, unless these are read-only
	local result=0 options=${3:-rw}
	mkdir -p /mnt/broken
	mount -o "$options" "$1" /mnt/broken || return
	[ "$(cat /mnt/broken/file)" = "$2" ] || result=1
	[[ $options = ro* ]] || touch /mnt/broken/new || result=1
	umount /mnt/broken || result=1
	return "$result"
}

bound() {
	must lvcreate -qq -y -n below -L 48M "$vg"
	must dmsetup create plain --table "0 $(blockdev --getsz "/dev/$vg/below") linear /dev/$vg/below 0"
	must mkfs.ext4 -q /dev/mapper/plain
	must mkdir -p /srv/d /etc/vss
	must mount /dev/mapper/plain /srv/d
	printf '[Stores]\nDefault=%s\n' "$vg" >/etc/vss/vssd.conf
	must systemctl restart vssd
	made /srv/c /srv/a
	refused "a set with a thick copy is refused, with the way out" 'thick.*dd.*thin pool.*VSS_E_PROVIDER_VETO' --writable
	must vssctl delete "$set"
	made /srv/d
	refused "one of a mapped device is refused" 'mapped devices.*dd.*VSS_E_PROVIDER_VETO'
	must vssctl delete "$set"
	must umount /srv/d
	must dmsetup remove plain
	must lvremove -qq -y "$vg/below"
	rm /etc/vss/vssd.conf # the next start is without it
}

# Two copies, writable and with UUIDs of their own.
clones() {
	local i lv origin
	made /srv/a /srv/b
	echo later | tee /srv/a/file >/srv/b/file
	check "a set of ext4 and XFS is broken off" broken --writable --revert-identity none
	check_equal "the service does not know it any more" "" "$(sets_there)"
	check_says "nor can it be broken again" VSS_E_OBJECT_NOT_FOUND \
		"$(busctl call org.vssd.Vss1 "/org/vssd/Vss1/set/${set//-/_}" org.vssd.Vss1.SnapshotSet Break u 0 2>&1
			vssctl break "$set" 2>&1)"
	check_equal "there are two volumes" 2 "${#results[@]}"
	for i in 0 1; do
		lv=$(basename "${results[i]}") origin=$([ "$i" = 0 ] && echo a || echo b)
		check_says "it is called after its origin and the copy" "^${origin}_ShadowCopy[0-9]+ Vwi-a" "$(lv_of "^$lv\$")"
		check "the copy's node leads to it" same_device "/dev/vss/${lv#*_}" "${results[i]}"
		check "it has another UUID than its origin" [ "$(uuid_of "${results[i]}")" != "$(uuid_of "/dev/$vg/$origin")" ]
		check "by which it is found" same_device "/dev/disk/by-uuid/$(uuid_of "${results[i]}")" "${results[i]}"
		check "as the origin is" same_device "/dev/disk/by-uuid/$(uuid_of "/dev/$vg/$origin")" "/dev/$vg/$origin"
		check "it can be mounted beside its origin, and written" has_file "${results[i]}" old
		check "its file system is sound" fsck_copy "${results[i]}" "$([ "$i" = 0 ] && echo ext4 || echo xfs)"
	done
	check_says "it can be copied as any volume" 'by lvm-thin$' "$(storage_set probe "${results[0]}" 2>&1)"
	must lvchange -qq -an "${results[@]}"
	must vgchange -qq -aay "$vg"
	check "both come up by themselves" [ -b "${results[0]}" -a -b "${results[1]}" ]
	must systemctl restart vssd
	check "and a restart does not touch them" has_file "${results[1]}" old
	must lvremove -qq -y "${results[@]}"
}

# One copy, in all other ways; in use, exposed, with the origin there and without.
others() {
	local uuid device lv
	uuid=$(uuid_of "/dev/$vg/a")
	made /srv/a
	device=/dev/vss/$(basename /run/vss/ShadowCopy*)
	mkdir -p /mnt/a
	must vssctl expose "$(vssctl list --json | awk -F '"' '$2 == "snapshot_id" { print $4 }')" /mnt/a
	exec 9</mnt/a/file
	refused "one that is read is refused" 'in use.*VSS_E_PROVIDER_VETO'
	exec 9<&-
	exec 9<"$device"
	refused "one whose device somebody has open is refused" 'in use.*VSS_E_PROVIDER_VETO'
	check_equal "and is exposed" later "$(cat /mnt/a/file)"
	exec 9<&-
	refused "it cannot have the identity of an origin that is there" 'VSS_E_BREAK_REVERT_ID_FAILED' --revert-identity all
	check "it is broken off as it is" broken
	lv=$(basename "${results[0]}")
	check "its exposure has ended" not findmnt -rn /mnt/a
	check_says "it is read-only, and does not come up by itself" "^a_ShadowCopy[0-9]+ Vri-a-tz-k" "$(lv_of "^$lv\$")"
	check_equal "it has its origin's UUID" "$uuid" "$(uuid_of "${results[0]}")"
	must udevadm trigger --settle "${results[0]}" "/dev/$vg/a"
	check "but that means the origin" same_device "/dev/disk/by-uuid/$uuid" "/dev/$vg/a"
	check "it can be read" has_file "${results[0]}" later ro
	check "and not be written" not dd if=/dev/zero of="${results[0]}" bs=4k count=1 conv=fsync status=none
	must lvremove -qq -y "${results[0]}"

	made /srv/b
	check "a set is masked" broken --mask
	lv=$(basename "${results[0]}")
	check_says "its volume is there and not active" "^b_ShadowCopy[0-9]+ Vri---tz-k" "$(lv_of "^$lv\$")"
	check "nor has it a device" not [ -e "/dev/vss/${lv#*_}" -o -e "${results[0]}" ]
	must lvremove -qq -y "${results[0]}"

	made /srv/a
	must umount /srv/a
	must lvchange -qq -an "$vg/a"
	check "with the origin gone it takes its place" broken --writable --revert-identity all
	check "by its UUID, too" same_device "/dev/disk/by-uuid/$uuid" "${results[0]}"
	must lvchange -qq -ay "$vg/a"
	must udevadm settle
	check "until the origin is back" same_device "/dev/disk/by-uuid/$uuid" "/dev/$vg/a"
	must mount "/dev/$vg/a" /srv/a
	must lvremove -qq -y "${results[0]}"
}

# The service's death: an lvm that kills its parent at one command, before that is done or after.
lvm_that_kills=/usr/local/sbin/lvm-that-kills # nothing in /run can be executed
cat >"$lvm_that_kills" <<-'EOS'
	#!/bin/bash
	# "before N COMMAND" or "after N COMMAND": the Nth line that begins so. (The environment is not the test's.)
	read -r when n command <"$0.at"
	seen=
	while IFS= read -r line; do
		[ -z "$seen" ] || kill -KILL $PPID
		seen=
		if [[ $line = "$command"* ]] && [ $((--n)) -eq 0 ]; then
			seen=1
			[ "$when" = after ] || {
				kill -KILL $PPID
				break
			}
		fi
		printf '%s\n' "$line"
	done | /usr/sbin/lvm "$@"
EOS
chmod +x "$lvm_that_kills"

# dies AT: a copy of /srv/a that is broken off, up to there.
dies() {
	check "a copy" create /srv/a
	device=$(device_of /srv/a/)
	echo "$1" >"$lvm_that_kills.at"
	# In another shell, whose own words about who was killed are not asked for.
	bash -c '"$@"; exit $?' - "$programs/storage-set" --lvm="$lvm_that_kills" break $((writable | none)) >"$work/ended" 2>&1
	check_equal "who broke it off has died $1" 137 "$?"
}

deaths() {
	local at lv uuid device
	must systemctl stop vssd
	uuid=$(uuid_of "/dev/$vg/a")
	# With the device gone; before it has another identity, and after; named, and not active; done, and known.
	for at in "before 1 lvchange -y -p rw" "after 1 lvchange -y -ay" "after 1 lvrename" "after 2 lvchange -y -ay"; do
		dies "$at"
		check_says "the next start finishes it: $at" 'recovered break' "$(storage_set recover 2>&1)"
		lv=$(lv_of '^a_ShadowCopy')
		check_says "it is a volume" "^a_${device##*/} Vwi-a" "$lv"
		check "with another UUID, and the content" \
			[ "$(uuid_of "$device")" != "$uuid" -a "$(has_file "$device" later && echo good)" = good ]
		check_equal "and nobody knows of a copy" "" "$(storage_set usage 2>&1)$(lv_of ^vss_)"
		must lvremove -qq -y "$vg/${lv%% *}"
	done

	dies "before 1 lvrename"
	must lvcreate -qq -y -an -Zn -Wn -n "a_${device##*/}" -L 4M "$vg"
	check_says "where that cannot be" 'recovered break' "$(storage_set recover 2>&1)"
	check_says "it is a copy again" "^vss_${device##*/} Vri---tz-k" "$(lv_of ^vss_)"
	check "that can be read" storage_set activate
	check_equal "with the UUID that it had" "$uuid" "$(uuid_of "$device")"
	check_equal "and the content" later "$(cat "$(copy_of /srv/a/)/file")"
	check "it is broken off with another name" storage_set break $((writable | none))
	check_says "which is free" "^a-2_${device##*/} Vwi-a" "$(lv_of '^a-2_')"
	check "the node leads to it" same_device "$device" "/dev/$vg/a-2_${device##*/}"
	must lvremove -qq -y "$vg/a-2_${device##*/}" "$vg/a_${device##*/}"

	check "a copy" create /srv/a
	check_says "what does not become another one is refused" 'BREAK_REVERT_ID_FAILED.*is there' \
		"$(storage_set break "$all" 2>&1)"
	check "and deleted" storage_set delete
	must systemctl start vssd
	rm -f "$lvm_that_kills"*
}

vg_make
must lvcreate -qq -y -T -L 500M "$vg/pool"
thin_make a 200M ext4
thin_make b 320M xfs
volume_make c 48M ext4
echo old | tee /srv/a/file >/srv/b/file
parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(bound clones others deaths)
[[ " ${parts[*]} " = *" clones "* ]] || echo later | tee /srv/a/file >/srv/b/file
for part in "${parts[@]}"; do
	note "$part: $SECONDS s"
	"$part"
done
check_equal "no refusal left anything to be cleared up" "" "$(journalctl -q -b -u vssd -o cat | grep 'unfinished step')"
note "done: $SECONDS s"
finish
