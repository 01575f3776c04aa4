#!/bin/bash
# Changed blocks, of thick and thin volumes of LVM and of other mapped devices: what vssctl delta says is held
# against all bytes of both sides, at rest and under load; the metadata snapshot of a thin pool is released
# whatever happens; the example of an incremental backup restores bit for bit; and of a volume of 100 GiB of
# which 1 GiB has changed the answer comes within a second.
#
# usage: test-delta.sh [PART...]: only these of the parts, which are functions: exact loaded released example
# large
. "$(dirname "$0")/lib-storage.sh"

parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(exact loaded released example large)
conf=/etc/vss/vssd.conf
drop_in=/run/systemd/system/vssd.service.d
disk=$(readlink -f /dev/disk/by-id/virtio-data0)
kinds=(thick thin dm)
declare -A device=([thick]=/dev/$vg/thick [thin]=/dev/$vg/thin [dm]=/dev/mapper/plain)
declare -A provider=([thick]=lvm-thick [thin]=lvm-thin [dm]=dm)
pool=$vg-pool-tpool

modprobe -a dm-snapshot dm-thin-pool loop 2>/dev/null

make_volumes() {
	local kind
	must wipefs -qa "$disk"
	must addpart "$disk" 1 2048 $((64 * 2048))
	must addpart "$disk" 2 $((65 * 2048)) $((1900 * 2048))
	# For what is too large for /run.
	must mkfs.ext4 -q "${disk}2"
	must mkdir -p /srv/files
	must mount "${disk}2" /srv/files
	vg_make /dev/disk/by-id/virtio-data1
	must lvcreate -qq -y -n thick -L 64M "$vg"
	must lvcreate -qq -y -T -n pool -L 600M -Z n "$vg/pool"
	must lvcreate -qq -y -T -n thin -V 64M "$vg/pool"
	must dmsetup create plain --table "0 $((64 * 2048)) linear ${disk}1 0"
	for kind in "${kinds[@]}"; do
		must dd if=/dev/urandom of="${device[$kind]}" bs=1M count=24 oflag=direct status=none
	done
	must mkdir -p /etc/vss
	printf '[Stores]\nDefault=%s\n' "$vg" >"$conf"
	must systemctl restart vssd
}

# Random bytes to a place of a volume, on its disk when this returns.
scribble() { # DEVICE KIB-OFFSET KIB
	dd if=/dev/urandom of="$1" bs=1K seek="$2" count="$3" conv=notrunc,fsync status=none
}

a_copy() { # DEVICE: the id of its set
	vssctl create --quiet --keep --context nas-rollback "$1"
}

copy_device() { # SET
	vssctl show --json "$1" | json 'd["snapshots"][0]["block_device"]'
}

# Asks for the blocks, and holds them against the bytes. The last line is delta-check's.
compared() { # OLDER-DEVICE YOUNGER-DEVICE [OPTION...] COPY [COPY]
	local size
	size=$(vssctl delta --json "${@:3}" | json 'd["block_size"]') || return
	vssctl delta "${@:3}" >"$work/ranges" || return
	"$programs/delta-check.py" "$1" "$2" "$size" "$work/ranges"
}

# Each answer as ranges, as a bitmap and as a document is the same one.
forms_agree() { # COPY
	vssctl delta --json "$1" >"$work/json" && vssctl delta "$1" >"$work/ranges" &&
		vssctl delta --format bitmap "$1" >"$work/bitmap" || return
	python3 - "$work/json" "$work/ranges" "$work/bitmap" <<-'EOP'
		import json, sys
		d = json.load(open(sys.argv[1]))
		lines = [tuple(map(int, line.split())) for line in open(sys.argv[2])]
		bits = open(sys.argv[3], "rb").read()
		assert lines == [(r["offset"], r["length"]) for r in d["ranges"]], lines
		blocks = {b for o, n in lines for b in range(o // d["block_size"], -(-(o + n) // d["block_size"]))}
		assert blocks == {i for i in range(len(bits) * 8) if bits[i // 8] >> i % 8 & 1}
		assert len(blocks) == d["changed_blocks"] > 0
		assert len(bits) == -(-d["blocks"] // 8)
		assert d["blocks"] == -(-d["volume_size"] // d["block_size"])
	EOP
}

exact() {
	local kind dev first second
	for kind in "${kinds[@]}"; do
		dev=${device[$kind]}
		first=$(a_copy "$dev")
		check_says "$kind: a copy by its provider" "^${provider[$kind]}\$" \
			"$(vssctl show --json "$first" | json 'd["snapshots"][0]["provider"]')"
		check_equal "$kind: nothing has changed at first" "" "$(vssctl delta "$first" 2>&1)"
		scribble "$dev" 5121 1
		scribble "$dev" 10000 200
		scribble "$dev" 40000 100 # where nothing was before
		scribble "$dev" 65535 1   # the end
		check_says "$kind: a copy and its volume: what differs is listed, and nothing else" \
			'^differ [1-9][0-9]* missed 0 equal 0$' "$(compared "$(copy_device "$first")" "$dev" "$first" 2>&1)"
		check "$kind: ranges, bitmap and JSON agree" forms_agree "$first"
		cp "$work/ranges" "$work/first"

		second=$(a_copy "$dev")
		scribble "$dev" 10100 1  # once more
		scribble "$dev" 20000 70 # for the first time
		check_says "$kind: the younger copy and its volume" '^differ [1-9][0-9]* missed 0 equal 0$' \
			"$(compared "$(copy_device "$second")" "$dev" "$second" 2>&1)"
		check_says "$kind: the older copy and its volume" '^differ [1-9][0-9]* missed 0 equal 0$' \
			"$(compared "$(copy_device "$first")" "$dev" "$first" 2>&1)"
		check_says "$kind: two copies: what differs is listed" '^differ [1-9][0-9]* missed 0' \
			"$(compared "$(copy_device "$first")" "$(copy_device "$second")" "$first" "$second" 2>&1)"
		check_says "$kind: two copies, compared: nothing else is" '^differ [1-9][0-9]* missed 0 equal 0$' \
			"$(compared "$(copy_device "$first")" "$(copy_device "$second")" --compare "$first" "$second" 2>&1)"
		check_equal "$kind: that is what had changed when the younger was made" "$(cat "$work/first")" "$(cat "$work/ranges")"

		# A list that lacks a block, and one of another pair.
		sed 1d "$work/first" >"$work/less"
		check_says "$kind: control: a list that lacks a block is noticed" 'missed [1-9]' \
			"$("$programs/delta-check.py" "$(copy_device "$first")" "$(copy_device "$second")" 65536 "$work/less")"
		vssctl delta "$second" >"$work/other"
		check_says "$kind: control: so is another pair's" 'missed [1-9]' \
			"$("$programs/delta-check.py" "$(copy_device "$first")" "$(copy_device "$second")" 65536 "$work/other")"
		check_says "$kind: the younger one first is refused" E_INVALIDARG "$(vssctl delta "$second" "$first" 2>&1)"
		must vssctl delete "$first" "$second"
	done
}

# The store is read while the kernel writes it, and deleted while it is read.
loaded() {
	local kind dev copy writer asked wrong
	for kind in "${kinds[@]}"; do
		dev=${device[$kind]}
		copy=$(a_copy "$dev")
		# Small, so that the store does not fill up.
		(while :; do
			dd if=/dev/urandom of="$dev" bs=4K seek=$((RANDOM % 768)) count=1 conv=notrunc oflag=direct status=none
		done) &
		writer=$!
		asked=0 wrong=
		for _ in {1..15}; do
			vssctl delta "$copy" >"$work/ranges" 2>"$work/wrong" || wrong=$(cat "$work/wrong")
			asked=$((asked + 1))
		done
		kill "$writer"
		wait "$writer" 2>/dev/null
		must wait_for 30 not pgrep -x dd # its last
		check_equal "$kind: under load it is read, $asked times" "" "$wrong"
		check_says "$kind: and then it is as it should be" '^differ [1-9][0-9]* missed 0 equal 0$' \
			"$(compared "$(copy_device "$copy")" "$dev" "$copy" 2>&1)"
		(for _ in {1..20}; do vssctl delta "$copy"; done) >/dev/null 2>&1 &
		asked=$!
		check "$kind: a copy is deleted while others look at it" vssctl delete "$copy"
		wait "$asked"
		check_says "$kind: then there is nothing to look at" VSS_E_OBJECT_NOT_FOUND "$(vssctl delta "$copy" 2>&1)"
	done
}

held() {
	[ "$(dmsetup status "$pool" | cut -d ' ' -f 7)" != - ]
}

# Another thin_delta: slow, or failing. (It is all of the tools of its package; nobody asks for them meanwhile.)
put_thin_delta() { # SCRIPT
	printf '#!/bin/sh\n%s\n' "$1" >/usr/local/sbin/thin_delta
	chmod +x /usr/local/sbin/thin_delta
	mount --bind /usr/local/sbin/thin_delta /usr/sbin/thin_delta
}

put_thin_delta_back() {
	umount -l /usr/sbin/thin_delta
}

released() {
	local copy asker
	copy=$(a_copy "${device[thin]}")
	must vssctl delta "$copy"
	check "a metadata snapshot is released" not held
	must dmsetup message "$pool" 0 reserve_metadata_snap
	check_says "another's is left alone" "another program reads.*$pool" "$(vssctl delta "$copy" 2>&1)"
	check "and still there" held
	must dmsetup message "$pool" 0 release_metadata_snap

	must put_thin_delta 'echo "the metadata is in pieces" >&2; exit 1'
	check_says "a thin_delta that fails says why" 'in pieces' "$(vssctl delta "$copy" 2>&1)"
	check "and the snapshot is released" not held
	must put_thin_delta_back

	# Not started anew at once: there would be nothing to see.
	must mkdir -p "$drop_in"
	printf '[Service]\nRestart=no\n' >"$drop_in/test.conf"
	must systemctl daemon-reload
	must put_thin_delta 'sleep 1000'
	vssctl delta "$copy" >/dev/null 2>&1 &
	asker=$!
	check "while it is read the pool has one" wait_for 60 held
	systemctl kill --kill-whom=all --signal=KILL vssd
	wait "$asker"
	must put_thin_delta_back
	check "the daemon was killed: it is there" held
	rm -r "$drop_in"
	must systemctl daemon-reload
	systemctl reset-failed vssd
	must systemctl start vssd
	check "the next start releases it" not held
	check "and the next question is answered" vssctl delta "$copy"
	check "released" not held
	must vssctl delete "$copy"
}

# The example, on a file system that is in use.
example() {
	local backup=$programs/incremental-backup.sh dir=/srv/files/backup restored=/srv/files/restored last i
	must mkfs.ext4 -q "${device[thick]}"
	must mkdir -p /srv/thick
	must mount "${device[thick]}" /srv/thick
	echo first >/srv/thick/file
	check "the example backs up all" "$backup" backup /srv/thick "$dir"
	for i in 1 2; do
		dd if=/dev/urandom of="/srv/thick/data$i" bs=1M count=2 status=none
		echo "state $i" >/srv/thick/file
		check "the example backs up what changed ($i)" "$backup" backup /srv/thick "$dir"
	done
	check "that is less than all: $(stat -c %s "$dir"/*.data | xargs)" \
		test "$(stat -c %s "$dir/2.data")" -lt $(($(stat -c %s "$dir/0.data") / 4))
	last=$(cat "$dir/copy")
	check_equal "it keeps one copy" 1 "$(vssctl list --json | json 'len(d["snapshots"])')"
	rm /srv/thick/data1
	must truncate -s 64M "$restored"
	check "the example restores" "$backup" restore "$dir" "$restored"
	check "bit for bit" cmp "$restored" "$(copy_device "$last")"
	mv "$dir/1.data" "$dir/1.gone"
	must "$backup" restore "$dir" "$restored"
	check "control: without one of its parts it does not" not cmp "$restored" "$(copy_device "$last")"
	must vssctl delete "$last"
	must umount /srv/thick
	rm -r "$dir" "$restored"
}

within_a_second() { # COPY WANTED-BYTES
	local begin took n
	for _ in 1 2 3; do
		begin=${EPOCHREALTIME/./}
		vssctl delta --format bitmap "$1" >"$work/bitmap" || return
		took=$(((${EPOCHREALTIME/./} - begin) / 1000))
		note "the blocks of 100 GiB: $took ms"
		[ "$took" -ge 1000 ] || break
	done
	n=$(vssctl delta --json "$1" | json 'd["changed_blocks"] * d["block_size"]')
	echo "$n bytes, $took ms"
	[ "$n" = "$2" ] && [ "$took" -lt 1000 ]
}

large() {
	local copy loop
	# The pool has not so much: what is read of a block is what there is of it, the metadata.
	must lvextend -qq -L +1100M "$vg/pool"
	must lvcreate -qq -y -T -n large -V 100G "$vg/pool"
	copy=$(a_copy "/dev/$vg/large")
	must "$programs/touch-blocks.py" "/dev/$vg/large" 64
	check "thin: 1 GiB of 100 GiB within a second" within_a_second "$copy" $((1 << 30))
	must vssctl delete "$copy"
	must lvremove -qq -y "$vg/large"

	must truncate -s 115G /srv/files/disk
	loop=$(losetup -f --show /srv/files/disk)
	must vgcreate -qq sparse "$loop"
	must lvcreate -qq -y -W n -n large -L 100G sparse
	copy=$(a_copy /dev/sparse/large)
	must "$programs/touch-blocks.py" /dev/sparse/large 32
	check "thick: 1 GiB of 100 GiB within a second" within_a_second "$copy" $((1 << 30))
	must vssctl delete "$copy"
}

unmake_volumes() {
	put_thin_delta_back
	rm -rf "$drop_in"
	systemctl daemon-reload
	rm -f /usr/local/sbin/thin_delta
	vssctl list --json | json 'sorted({s["snapshot_set_id"] for s in d["snapshots"]})' | xargs -r vssctl delete --force
	rm -f "$conf"
	systemctl restart vssd
	vgremove -qq -ff -y sparse
	losetup -j /srv/files/disk -nO NAME | xargs -r losetup -d
	umount /srv/thick /srv/files
	dmsetup remove plain
	for i in 1 2; do
		delpart "$disk" "$i"
	done
	udevadm settle
} >/dev/null 2>&1
trap 'unmake_volumes; clean_up' EXIT

make_volumes
for part in "${parts[@]}"; do
	begin=$SECONDS
	"$part"
	note "$part: $((SECONDS - begin)) s"
done
finish
