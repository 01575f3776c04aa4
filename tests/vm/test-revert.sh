#!/bin/bash
# Volumes that are reverted to their copies: thick ones by a merge in the kernel, thin ones by an exchange, over the
# death of the service, a reboot and a power cut in the middle; the root at the next boot; what is refused, and has
# changed nothing.
#
# usage: test-revert.sh before|middle|again|after: in four boots on the same disks; the power is cut in the second.
. "$(dirname "$0")/lib-storage.sh"
trap - EXIT # the disks are kept

throttle=/sys/module/dm_snapshot/parameters/snapshot_copy_throttle
root=$(findmnt -no SOURCE /)

# Stores begin large enough for what is written here in one go: how they grow is another test's.
configure() { # [LINE...]
	must mkdir -p /etc/vss
	printf '%s\n' '[Areas]' Start=80M "$@" >/etc/vss/vssd.conf
	must systemctl restart vssd
}

# copies VOLUME: ids, oldest first.
copies() {
	vssctl list --json | json "[s['snapshot_id'] for s in sorted(d['snapshots'], key=lambda s: int(s['name'][10:])) if s['volume'] == '$1']"
}

# copy VOLUME...: one that stays; the ids of the newest of the first are in id, its node in node.
copy() {
	must vssctl create --context nas-rollback "$@"
	id=$(copies "$1" | tail -n 1)
	node=$(vssctl list --json | json "[s['block_device'] for s in d['snapshots'] if s['snapshot_id'] == '$id']")
}

directory_of() { # ID
	vssctl list --json | json "[s['device_object'] for s in d['snapshots'] if s['snapshot_id'] == '$1']"
}

under_way() { # VOLUME
	vssctl revert --status --quiet "$1"
}

over() { # VOLUME: and none that has failed, which ends as this, too
	wait_for 300 not under_way "$1" && [[ $(vssctl revert --status "$1" 2>&1) = *"no revert of $1 is under way"* ]]
}

table_of() { # LV: its targets
	dmsetup table "$vg-$1" | awk '{ print $3 }' | sort -u | xargs
}

sum() { # DEVICE
	sha256sum <"$1"
}

tree() { # DIRECTORY: all that is in it, and what it is
	(cd "$1" && find . -path ./lost+found -prune -o -printf '%p %y %s %m %T@\n' -type f -exec sha256sum {} \; | sort)
}

# Sorted: what was unmounted for a question is mounted again as it was, and comes last.
all_there() {
	machine_state | sort
	findmnt -rno TARGET,SOURCE,FSTYPE,OPTIONS | sort
}

# refused NAME PATTERN ARGUMENT...: and everything is as it was.
refused() {
	local name=$1 pattern=$2 before said
	shift 2
	before=$(all_there)
	said=$(vssctl revert --yes "$@" 2>&1) && said="it was not: $said"
	check_says "$name" "$pattern" "$said"
	check_equal "$name: nothing has changed" "$before" "$(all_there)"
}

# Of a raw volume every byte can be compared, before and after.
raw() { # LV KIND
	local was now
	must dd if=/dev/urandom of="/dev/$vg/$1" bs=1M count=24 conv=fsync status=none
	copy "/dev/$vg/$1"
	was=$(sum "$node")
	check_equal "the $2 copy is what the volume was" "$was" "$(sum "/dev/$vg/$1")"
	must dd if=/dev/urandom of="/dev/$vg/$1" bs=64k seek=100 count=50 conv=fsync,notrunc status=none
	must dd if=/dev/zero of="/dev/$vg/$1" bs=1M seek=20 count=8 conv=fsync,notrunc status=none
	check "which has changed since (negative control)" [ "$was" != "$(sum "/dev/$vg/$1")" ]
	must vssctl create --context nas-rollback "/dev/$vg/$1" # a newer one
	exec 9<"/dev/$vg/$1"
	refused "one whose device somebody has open is refused, before anything is deleted" 'lsof.*VSS_E_VOLUME_IN_USE' --force "$id"
	exec 9<&-
	check_says "without a terminal it takes a word" 'takes --yes' "$(vssctl revert "$id" 2>&1 </dev/null)"
	check "it is reverted" vssctl revert --yes "$id"
	now=$(sum "/dev/$vg/$1")
	check_equal "and what it was, byte for byte" "$was" "$now"
	check_equal "its copies are gone, this one and the newer" "" "$(copies "/dev/$vg/$1")"
	check_equal "LVM has nothing of it any more" "" "$(lvs -a --noheadings -o lv_name "$vg" | grep -F "vss_$(basename "$node")")"
	check "nor has the kernel" not dmsetup info "$vg-vss_$(basename "$node")"
	check "the volume can be written" dd if=/dev/zero of="/dev/$vg/$1" bs=4k count=1 conv=fsync,notrunc status=none
	copy "/dev/$vg/$1"
	check "and copied again" vssctl delete "$id"
}

# A mounted one, between an older copy, which stays, and a newer one, which does not.
mounted() { # NAME FSTYPE KIND
	local older was oldest newest options
	oldest=$(tree "/srv/$1")
	copy "/srv/$1/"
	older=$id
	must dd if=/dev/urandom of="/srv/$1/wanted" bs=1M count=8 conv=fsync status=none
	rm -rf "/srv/$1/sub"
	was=$(tree "/srv/$1")
	copy "/srv/$1/"
	must dd if=/dev/urandom of="/srv/$1/wanted" bs=1M count=16 conv=fsync status=none
	echo unwanted >"/srv/$1/new"
	newest=$(copies "/srv/$1/" | tail -n 1)
	must vssctl create --context nas-rollback "/srv/$1/"
	options=$(findmnt -no OPTIONS "/srv/$1")
	check_equal "there are three $3 copies" 3 "$(copies "/srv/$1/" | wc -l)"
	check "the volume differs (negative control)" [ "$was" != "$(tree "/srv/$1")" ]

	exec 9<"/srv/$1/wanted"
	refused "one that is in use is refused, and who uses it is named" "in use by [^ ]+ \\([0-9]+\\).*VSS_E_VOLUME_IN_USE" "$newest"
	exec 9<&-
	cd "$(directory_of "$newest")" || exit
	refused "as one whose copy is read" 'in use.*VSS_E_VOLUME_IN_USE' "$newest"
	cd / || exit

	check "the $3 volume with $2 is reverted" vssctl revert --yes --no-wait "$newest"
	check_equal "it is mounted as it was" "$options" "$(findmnt -no OPTIONS "/srv/$1")"
	check_equal "and is what it was, at once" "$was" "$(tree "/srv/$1")"
	echo after >"/srv/$1/after"
	check "to its end" over "/srv/$1/"
	check_equal "what was written meanwhile is there" after "$(cat "/srv/$1/after")"
	rm "/srv/$1/after"
	check_equal "and all else, but for the directory's time" "$(grep -v '^\. ' <<<"$was")" "$(tree "/srv/$1" | grep -v '^\. ')"
	check_equal "the newer copy is gone, the older one is there" "$older" "$(copies "/srv/$1/")"
	check_equal "with what it had" "$oldest" "$(tree "$(directory_of "$older")")"
	umount "/srv/$1"
	check "the file system is sound" fsck_copy "/dev/$vg/$1" "$2"
	must mount "/dev/$vg/$1" "/srv/$1"

	if [ "$3" = thin ]; then
		# LVM has lost whose copy it is.
		refused "the older one is refused, before anything is deleted" 'break it off.*VSS_E_VOLUME_NOT_SUPPORTED' "$older"
		check "it can be broken off" vssctl break "$(vssctl list --json | json "[s['snapshot_set_id'] for s in d['snapshots'] if s['snapshot_id'] == '$older']")"
		return
	fi
	check "and to the older one" vssctl revert --yes "$older"
	check_equal "which is what it was first" "$(grep -v '^\. ' <<<"$oldest")" "$(tree "/srv/$1" | grep -v '^\. ')"
	check_equal "no copy is left" "" "$(copies "/srv/$1/")"
	check "nothing is suspended" no_suspended_device
}

plain() {
	must lvcreate -qq -y -n below -L 48M "$vg"
	must dmsetup create plain --table "0 $(blockdev --getsz "/dev/$vg/below") linear /dev/$vg/below 0"
	configure '[Stores]' "Default=$vg"
	copy /dev/mapper/plain
	refused "a mapped device is refused, with the reason" 'reboot.*E_NOTIMPL' --force "$id"
	must vssctl delete "$id"
	must dmsetup remove plain
	must lvremove -qq -y "$vg/below"
	configure
}

forced() {
	local reader
	copy /srv/a/
	echo unwanted >/srv/a/new
	tail -f /srv/a/new >/dev/null &
	reader=$!
	disown
	must wait_for 10 eval "ls -l /proc/$reader/fd | grep -q /srv/a/new"
	check "by force its programs are ended" vssctl revert --yes --force "$id"
	check "this one was" not kill -0 "$reader"
	check "and the volume is what it was" not [ -e /srv/a/new ]
	copy /srv/a/
	bash -c 'trap "" TERM; exec 9>/srv/a/new; while :; do sleep 1; done' &
	reader=$!
	disown
	must wait_for 10 eval "ls -l /proc/$reader/fd | grep -q /srv/a/new"
	check "one that does not end when it is asked to, too" vssctl revert --yes --force "$id"
	check "is ended" not kill -0 "$reader"
	check "and that volume is what it was" not [ -e /srv/a/new ]
}

# So many pieces, each apart from the others, are merged one by one, which takes minutes with that throttle: every
# second chunk of a copy's store.
scatter() { # FILE MIB
	must python3 -I -S -c '
import os, sys
fd = os.open(sys.argv[1], os.O_WRONLY)
for at in range(0, int(sys.argv[2]) << 20, 64 << 10):
    os.pwrite(fd, os.urandom(4096), at)
os.fsync(fd)
' "$@"
}

# What is left to be copied back, and per cent.
progress_of() { # VOLUME
	vssctl revert --status --json "$1" | json "[r[k] for r in d['reverts'] for k in ('left_bytes', 'progress', 'total_bytes')]" | xargs
}

progresses() { # VOLUME
	local left percent total later more
	read -r left percent total <<<"$(progress_of "$1")"
	wait_for 60 eval "read -r later more total <<<\"\$(progress_of $1)\" && [ \"\$later\" -lt $left ] && [ \"\$more\" -gt $percent ]"
	echo "of $total bytes $left were left ($percent%), now ${later:-none} (${more:-none}%)"
	[ "${later:-$left}" -gt 0 ] && [ "${later:-$left}" -lt "$left" ] && [ "$left" -le "$total" ] && [ "$more" -gt "$percent" ] && [ "$more" -lt 100 ]
}

# A writer of whom the administrator says that its files must not be rolled back.
blocked() {
	local class=6f0d1b1e-0a55-4c5f-8b0e-1d3a52c7f001
	mkdir -p /etc/vss/writers.d /etc/vss/revert-block.d
	printf '[Writer]\nName=Ledger\nId=%s\n[Commands]\nPostSnapshot=/bin/true\n[Paths]\nInclude=/srv/a * recursive\n' $class >/etc/vss/writers.d/ledger.conf
	must systemctl restart vss-hook-writer
	must wait_for 30 eval 'vssctl writers --json | grep -q Ledger'
	copy /srv/a/
	echo unwanted >/srv/a/new
	echo "$class" >/etc/vss/revert-block.d/ledger.conf
	refused "one with files of a writer that blocks it is refused, also by force" 'revert-block.*VSS_E_PROVIDER_VETO' --force "$id"
	check "what was changed is there" [ "$(cat /srv/a/new)" = unwanted ]
	check "whoever wants it all the same reverts it" vssctl revert --yes --ignore-writers "$id"
	check "to what it was" not [ -e /srv/a/new ]
	rm -r /etc/vss/writers.d/ledger.conf /etc/vss/revert-block.d
	must systemctl stop vss-hook-writer
}

# A copy whose store has overflowed while nobody could let it grow.
overflowed() {
	copy /srv/b/
	must systemctl stop vssd
	must dd if=/dev/urandom of=/srv/b/flood bs=1M count=110 conv=fsync status=none
	must systemctl start vssd
	must wait_for 30 eval "vssctl list --json | json \"[s['overflowed'] for s in d['snapshots'] if s['snapshot_id'] == '$id']\" | grep -q True"
	refused "a copy that was lost is refused" 'overflowed.*VSS_E_VOLUME_NOT_SUPPORTED' --force "$id"
	check_equal "the volume has what was written" $((110 << 20)) "$(stat -c %s /srv/b/flood)"
	must vssctl delete "$id"
	rm /srv/b/flood
}

# The service's death while the kernel merges, as slowly as it can be told to.
deaths() {
	local was later
	copy "/dev/$vg/raw"
	was=$(sum "$node")
	scatter "/dev/$vg/raw" 96
	echo 1 >"$throttle"
	must vssctl revert --yes --no-wait "$id"
	check_equal "it is merging" snapshot-merge "$(table_of raw)"
	check_equal "and reads what it was" "$was" "$(sum "/dev/$vg/raw")"
	check_says "vssctl tells of it" 'is being reverted, [0-9]+%' "$(vssctl list 2>&1)"
	check "how far it is, too, which grows" progresses "/dev/$vg/raw"
	check "by each of its names" under_way "$(realpath "/dev/$vg/raw")"
	check "LVM's, too" under_way "$vg/raw"
	check "and not by another's (negative control)" not under_way "/dev/$vg/a"
	check_says "a second revert is refused" VSS_E_REVERT_IN_PROGRESS "$(vssctl revert --yes --force "$id" 2>&1)"
	check_says "and so is a copy" VSS_E_PROVIDER_VETO "$(vssctl create --context nas-rollback "/dev/$vg/raw" 2>&1)"
	must systemctl kill -s KILL vssd
	check "after its death the service looks after it" wait_for 60 under_way "/dev/$vg/raw"
	must systemctl stop vssd
	check_equal "which goes on without" snapshot-merge "$(table_of raw)"
	later=$(sum "/dev/$vg/raw")
	echo 100 >"$throttle"
	must systemctl start vssd
	check "to its end" over "/dev/$vg/raw"
	check_equal "the volume has its own table" linear "$(table_of raw)"
	check_equal "and was all the time what it was" "$was $was" "$later $(sum "/dev/$vg/raw")"
	check "nothing is suspended" no_suspended_device
}

lvm=/usr/local/sbin/lvm-that-kills # nothing in /run can be executed

# Between LVM's word and the kernel's: an lvm that kills the service at that command.
between() {
	local when was
	cat >"$lvm" <<-'EOS'
		#!/bin/bash
		# "before" or "after" the command that begins a merge, or lets LVM forget it.
		die() {
			rm "$0.at"
			kill -KILL $PPID
		}
		read -r when command <"$0.at"
		seen=
		while IFS= read -r line; do
			[ -z "$seen" ] || die
			seen=
			if [[ $line = "$command"* ]]; then
				seen=1
				[ "$when" = after ] || {
					die
					break
				}
			fi
			printf '%s\n' "$line"
		done | /usr/sbin/lvm "$@"
	EOS
	chmod +x "$lvm"
	must systemctl stop vssd
	for when in "before lvconvert --nolocking --config activation/retry_deactivation=0 -y -b --mergesnapshot" \
		"after lvconvert --nolocking --config activation/retry_deactivation=0 -y -b --mergesnapshot" \
		"before lvremove" "after lvremove"; do
		check "a copy" create "/dev/$vg/raw"
		node=$(device_of "/dev/$vg/raw")
		was=$(sum "$node")
		must dd if=/dev/urandom of="/dev/$vg/raw" bs=1M count=8 conv=fsync,notrunc status=none
		echo "$when" >"$lvm.at"
		bash -c '"$@"; exit $?' - "$programs/storage-set" --lvm="$lvm" revert >"$work/ended" 2>&1
		check_equal "who reverts it has died: $when" 137 "$?"
		check_equal "the volume is not suspended" Active "$(dmsetup info -c --noheadings -o suspended "$vg-raw")"
		check "it is reverted by who comes next" storage_set revert
		check_equal "to what it was" "$was" "$(sum "/dev/$vg/raw")"
		check_equal "with its own table" linear "$(table_of raw)"
		check "and nothing is suspended" no_suspended_device
		check_equal "and without a copy" "" "$(storage_set usage 2>&1)$(lvs -a --noheadings -o lv_name "$vg" | grep vss_)"
	done
	must systemctl start vssd
}

# killed LV "OUTCOME WHEN" COMMAND: the same of the service itself, whose lvm it is: what its next start makes of it,
# which has nothing but its intent. A volume that is "kept" is what it was when the revert was asked for.
killed() {
	local was now options outcome=${2% *} at="${2#* } $3"
	cat >"$lvm-stands-in" <<-EOS
		#!/bin/bash
		if [ \$# -eq 0 ] && [ -e $lvm.at ] && [ "\$(cat /proc/\$PPID/comm)" = vssd ]; then
			exec $lvm
		fi
		exec -a "\${0##*/}" $lvm-real "\$@"
	EOS
	chmod +x "$lvm-stands-in"
	cp /usr/sbin/lvm "$lvm-real"
	must mount --bind "$lvm-stands-in" /usr/sbin/lvm
	was=$(tree "/srv/$1")
	copy "/srv/$1/"
	must dd if=/dev/urandom of="/srv/$1/wanted" bs=1M count=6 conv=fsync status=none
	echo unwanted >"/srv/$1/new"
	now=$(tree "/srv/$1")
	options=$(findmnt -no OPTIONS "/srv/$1")
	echo "$at" >"$lvm.at"
	vssctl revert --yes --no-wait "$id" >/dev/null 2>&1 # who asks at its beginning hears nothing of it
	check "the service has died $at" wait_for 60 not [ -e "$lvm.at" ]
	check "the next start ends it" wait_for 180 eval "vssctl list && systemctl is-active vssd && ! under_way /srv/$1"
	check_equal "the volume is mounted as it was" "$options" "$(findmnt -no OPTIONS "/srv/$1")"
	if [ "$outcome" = kept ]; then
		check_equal "nothing has happened to it" "$now" "$(tree "/srv/$1")"
		check_equal "nor to its copy" "$was" "$(tree "$(directory_of "$id")")"
		check "to which it can be reverted" vssctl revert --yes "$id"
	fi
	check_equal "it is what it was" "$(grep -v '^\. ' <<<"$was")" "$(tree "/srv/$1" | grep -v '^\. ')"
	check_equal "no copy is left" "" "$(copies "/srv/$1/")$(lvs -a --noheadings -o lv_name "$vg" | grep vss_)"
	check "nothing is suspended" no_suspended_device
	must umount -l /usr/sbin/lvm
	must umount "/srv/$1"
	check "its file system is sound" fsck_copy "/dev/$vg/$1" ext4
	must mount "/dev/$vg/$1" "/srv/$1"
}

# Two that go on in the next boot; what is written meanwhile stays.
two_merges() {
	must dd if=/dev/urandom of=/srv/a/large bs=1M count=64 conv=fsync status=none
	tree /srv/a >/root/tree-a
	copy /srv/a/
	scatter /srv/a/large 64
	echo unwanted >/srv/a/new
	check "the volume differs (negative control)" [ "$(cat /root/tree-a)" != "$(tree /srv/a)" ]
	copy "/dev/$vg/raw"
	sum "$node" >/root/sum-raw
	scatter "/dev/$vg/raw" 96
	check "the other volume differs (negative control)" [ "$(cat /root/sum-raw)" != "$(sum "/dev/$vg/raw")" ]
	echo 1 >"$throttle"
	must vssctl revert --yes --no-wait "$(copies /srv/a/)"
	must vssctl revert --yes --no-wait "$id"
	echo meanwhile >/srv/a/meanwhile
	check_equal "both are merging" "snapshot-merge snapshot-merge" "$(table_of a) $(table_of raw)"
	sync
}

two_merged() {
	vgchange -qq -ay "$vg"
	check "after the boot they are merged to their end" over "/dev/$vg/raw"
	check "both" over /srv/a/
	check_equal "by the service of this boot" 2 \
		"$(journalctl -q -b -u vssd -o cat --no-pager | grep -cE '^/(srv/a/|dev/tank/raw) has been reverted')"
	check_equal "the one is what it was, byte for byte" "$(cat /root/sum-raw)" "$(sum "/dev/$vg/raw")"
	must mount "/dev/$vg/a" /srv/a
	check_equal "and has what was written meanwhile" meanwhile "$(cat /srv/a/meanwhile)"
	rm /srv/a/meanwhile
	check_equal "the other, too" "$(grep -v '^\. ' /root/tree-a)" "$(tree /srv/a | grep -v '^\. ')"
	umount /srv/a
	check "its file system is sound" fsck_copy "/dev/$vg/a" ext4
	must mount "/dev/$vg/a" /srv/a
	check_equal "with their own tables" "linear linear" "$(table_of a) $(table_of raw)"
	check_equal "no copy is left" "" "$(copies /srv/a/)$(copies "/dev/$vg/raw")$(lvs -a --noheadings -o lv_name "$vg" | grep vss_)"
	check "nothing is suspended" no_suspended_device
}

before() {
	local name
	configure
	vg_make
	must lvcreate -qq -y -T -L 400M "$vg/pool"
	volume_make a 200M ext4
	volume_make b 400M xfs
	thin_make c 200M ext4
	must lvcreate -qq -y -W y -n raw -L 96M "$vg"
	must lvcreate -qq -y -T -n thinraw -V 48M "$vg/pool"
	for name in a b c; do
		mkdir -p "/srv/$name/sub/deep"
		echo "$name" | tee "/srv/$name/file" >"/srv/$name/sub/deep/file"
		must dd if=/dev/urandom of="/srv/$name/wanted" bs=1M count=4 conv=fsync status=none
	done
	raw raw thick
	raw thinraw thin
	mounted a ext4 thick
	mounted b xfs thick
	mounted c ext4 thin
	forced
	blocked
	overflowed
	plain
	deaths
	between
	killed a 'kept before' 'lvconvert --nolocking --config activation/retry_deactivation=0 -y -b --mergesnapshot'
	killed a 'reverted after' 'lvconvert --nolocking --config activation/retry_deactivation=0 -y -b --mergesnapshot'
	killed a 'reverted before' lvremove
	killed a 'reverted after' lvremove
	killed c 'kept before' 'lvchange --nolocking -y -an'
	killed c 'kept before' 'lvconvert --nolocking -y --mergethin'
	killed c 'reverted after' 'lvconvert --nolocking -y --mergethin'
	rm "$lvm"*
	two_merges
	check_says "the root is refused meanwhile" 'under way.*VSS_E_VOLUME_NOT_SUPPORTED' "$(
		vssctl create --context nas-rollback / >/dev/null
		vssctl revert --yes "$(copies /)" 2>&1
		vssctl delete "$(copies /)" 2>&1
	)"
	sync
	finish
}

# The reboot has met a merge; the power cut is to.
middle() {
	two_merged
	check "the thin volume that was reverted comes up as all others" [ -b "/dev/$vg/thinraw" -a -b "/dev/$vg/c" ]
	two_merges
	printf '1..%d\n' "$checks" # there will be no finish
	note "merging"              # from here on the power may be cut
	sleep 600
}

again() {
	two_merged

	# The root, whose copy has its state, too.
	rm -f /root/wanted /root/unwanted
	echo older >/root/which
	sync
	copy /
	echo "$id" >/root/older
	echo wanted >/root/wanted
	echo newer >/root/which
	sync
	copy /
	rm /root/wanted
	echo unwanted >/root/unwanted
	must vssctl create --context nas-rollback "/dev/$vg/raw"
	refused "with a newer copy elsewhere the root is refused" 'knowing nothing.*VSS_E_VOLUME_NOT_SUPPORTED' "$id"
	must vssctl delete "$(copies "/dev/$vg/raw")"
	check_says "the root waits for the next boot" 'at the next boot' "$(vssctl revert --yes "$id" 2>&1)"
	check_says "which is told" waiting "$(vssctl revert --status /)"
	check "until then it is what it is" [ -e /root/unwanted -a ! -e /root/wanted ]
	check_says "no copy of it is made meanwhile" VSS_E_PROVIDER_VETO "$(vssctl create --context nas-rollback / 2>&1)"
	check_says "nor of another volume, of which the state would know nothing" VSS_E_PROVIDER_VETO "$(vssctl create --context nas-rollback "/dev/$vg/raw" 2>&1)"
	must systemctl restart vssd
	check_says "nor does a restart change it" waiting "$(vssctl revert --status /)"
	check_says "of neither" VSS_E_PROVIDER_VETO "$(vssctl create --context nas-rollback "/dev/$vg/raw" 2>&1)"
	sync
	finish
}

after() {
	check "after the boot the root is what it was" [ -e /root/wanted -a ! -e /root/unwanted ]
	check "to the end" wait_for 300 not vssctl revert --status --quiet
	check_says "and none has failed" 'no revert is under way' "$(vssctl revert --status 2>&1)"
	check_equal "it has the table of a volume with copies" snapshot-origin "$(dmsetup table "$root" | awk '{ print $3 }' | sort -u)"
	check_equal "by every file" newer "$(cat /root/which)"
	older=$(cat /root/older)
	check_equal "the older copy is there, and no other" "$older" "$(copies /)"
	check_equal "with what it had" older "$(cat "$(directory_of "$older")/root/which")"
	check "it is deleted" vssctl delete "$older"
	check_equal "no copy is left" "" "$(lvs -a --noheadings -o lv_name | grep vss_)"
	check_equal "nor is one known" "" "$(sets_there)"
	check_equal "it has its own table" linear "$(dmsetup table "$root" | awk '{ print $3 }' | sort -u)"
	echo written >/root/written
	check "it can be written" sync -f /root/written
	check "and copied" vssctl create --context nas-rollback /
	check "and the copy deleted" vssctl delete "$(copies /)"
	check "nothing is suspended" no_suspended_device
	vgchange -qq -ay "$vg"
	clean_up
	finish
}

"$1"
