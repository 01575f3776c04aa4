#!/bin/bash
# Sets of eight volumes of every kind at once, the root among them, under load: a program writes a counter to all
# of them in turn, and fio writes to each and verifies what it wrote. In every set the copies must be of one
# instant, and each must be mounted and a sound file system. The negative control has copies of the same
# volumes that were made one after the other: they must be found torn.
#
# usage: test-mixed.sh [SETS [CHECKED]]: of each set's copies so many pass their file system's check, taking turns
# from set to set (so that SETS times CHECKED is 8 at least); without it all do. All are mounted and of one instant
# in every set.
. "$(dirname "$0")/lib.sh"

mixed=(/srv/a /srv/b / /srv/c /srv/d /srv/e /srv/f /srv/g) # in the order in which the counter is written
sets=${1:-20}
checked=${2:-${#mixed[@]}}

# Where a program may write in a volume, or in its copy.
place() { # DIRECTORY
	case $1 in
	/) echo /var/tmp/load ;;
	*) echo "$1" ;;
	esac
}

# What the load writes to the volumes of which these are copies, in the order of the volumes.
counters_in() { # COPY...
	local i=0
	for copy in "$@"; do
		echo "$copy$(place "${mixed[i]}" | sed "s|^${mixed[i]%/}||")/counter"
		i=$((i + 1))
	done
}

# --- fio ---------------------------------------------------------------------------------------

fio_job() { # FILE EXTRA: a job for each volume
	cat <<-END
		[global]
		thread
		rw=randwrite
		bs=16k
		size=1m
		verify=crc32c
		verify_fatal=1
		verify_state_save=0
		fsync=16
		randrepeat=1
		$2
	END
	local i=0 volume
	for volume in "${mixed[@]}"; do
		printf '[job%d]\nfilename=%s/%s\nrandseed=%d\n' "$i" "$(place "$volume")" "$1" "$((i + 1))"
		i=$((i + 1))
	done
}

# Writes and then reads, or with verify_only=1 reads what an earlier round has written.
fio_run() { # FILE [EXTRA]
	(cd "$work" && fio_job "$1" "${2:-}" >"$1.fio" && fio --output="$1.log" "$1.fio") || {
		grep -iE 'verify|error|err=' "$work/$1.log" || echo "it says no more than that it failed"
		return 1
	}
}

# Round after round, until the end is asked for. Each error of one is kept.
fio_start() {
	: >"$work/fio-errors"
	(
		trap - EXIT
		rounds=0
		until [ -e "$work/fio-stop" ]; do
			# No more than it takes: the processors are for the sets.
			fio_run during $'rate_iops=8\nnice=10' >"$work/fio-round" 2>&1 ||
				sed "s/^/round $rounds: /" "$work/fio-round" >>"$work/fio-errors"
			rounds=$((rounds + 1))
			echo $rounds >"$work/fio-rounds"
		done
	) &
	fio=$!
	wait_for 120 test -e "$work/fio-rounds"
}

fio_stop() {
	: >"$work/fio-stop"
	wait "$fio"
	cat "$work/fio-errors"
	! grep -q . "$work/fio-errors"
}

# Does it see what it is for? A byte of what it has written is changed behind its back.
fio_sees_damage() {
	local file
	file=$(place "${mixed[0]}")/before
	cp "$file" "$work/undamaged" || return
	printf x | dd of="$file" bs=1 seek=300000 conv=notrunc status=none || return
	if fio_run before verify_only=1 >/dev/null; then
		echo "it did not notice"
		return 1
	fi
	cp "$work/undamaged" "$file"
}

turn=0                             # the volume whose copy is checked next
times_sound=("${mixed[@]/*/0}") # of each volume, how many copies were found sound

sound() { # those whose turn it is
	local i n=0 whose=()
	for ((; n < checked; n++)); do
		whose+=("$turn")
		turn=$(((turn + 1) % ${#mixed[@]}))
	done
	fsck_copies "${whose[@]}" || return
	for i in "${whose[@]}"; do
		times_sound[i]=$((times_sound[i] + 1))
	done
}

each_was_sound_once() {
	local i
	for i in "${!mixed[@]}"; do
		[ "${times_sound[i]}" -gt 0 ] || {
			echo "no copy of ${mixed[i]} was checked"
			return 1
		}
	done
}

# In one look at all mounts.
all_mounted() {
	local copy mounts
	mounts=$(findmnt -rno TARGET,OPTIONS)
	for copy in "${copies[@]}"; do
		grep -q "^$copy ro," <<<"$mounts" || {
			echo "$copy is not mounted read-only"
			return 1
		}
	done
}

# --- sets --------------------------------------------------------------------------------------

one_set() {
	local low high answer set copies devices types paths begin=$SECONDS created
	low=$(load_value)
	answer=$(vssctl create --json --keep "${mixed[@]}") || {
		echo "create: $answer"
		return 1
	}
	high=$(load_value)
	created=$SECONDS
	set_made "$answer" "${mixed[@]}" || return
	mapfile -t paths < <(counters_in "${copies[@]}")
	"$programs/vss-verify" --between "$low" "$high" "${paths[@]}" || return
	all_mounted || return
	sound || return
	took="created in $((created - begin)) s, looked at in $((SECONDS - created)) s"
	created=$SECONDS
	vssctl delete "$set" || return
	took+=", deleted in $((SECONDS - created)) s"
}

# A set for each of some.
torn_copies_are_caught() {
	local low high answer i set copies devices types made=() paths=() status=0
	low=$(load_value)
	for i in 0 7; do
		answer=$(vssctl create --json --keep "${mixed[i]}") && set_made "$answer" "${mixed[i]}" || return
		made+=("$set")
		paths+=("${copies[0]}/counter")
	done
	high=$(load_value)
	"$programs/vss-verify" --between "$low" "$high" "${paths[@]}" >"$work/torn" || status=$?
	vssctl delete "${made[@]}" || return
	cat "$work/torn"
	[ "$status" -eq 1 ] && grep -q '^torn:' "$work/torn"
}

# --- the volumes --------------------------------------------------------------------------------

modprobe -a dm-snapshot dm-thin-pool dm-raid dm-crypt xfs 2>/dev/null
disk=$(readlink -f /dev/disk/by-id/virtio-data2)

mounted() { # DEVICE NAME FSTYPE
	must "mkfs.$3" -q "$1"
	must mkdir -p "/srv/$2"
	must mount "$1" "/srv/$2"
}

take_away() {
	clean_up
	cryptsetup close f
	dmsetup remove g
	delpart "$disk" 1
	delpart "$disk" 2
	wipefs -qa "$disk"
	rm -f /etc/vss/vssd.conf
	systemctl stop vssd
} >/dev/null 2>&1
trap take_away EXIT

vg_make /dev/disk/by-id/virtio-data[01]
must lvcreate -qq -y -W y -i 2 -n a -L 64M "$vg" # striped
mounted "/dev/$vg/a" a ext4
must lvcreate -qq -y -W y --type raid1 -m 1 --nosync -n b -L 320M "$vg"
mounted "/dev/$vg/b" b xfs
must lvcreate -qq -y -T -L 600M "$vg/pool"
thin_make c 64M ext4
thin_make d 320M xfs
volume_make e 64M ext4
# And two that LVM knows nothing of, whose copies have their stores in the same group.
must addpart "$disk" 1 2048 $((100 * 2048))
must addpart "$disk" 2 $((101 * 2048)) $((320 * 2048))
must wipefs -qa "${disk}1" "${disk}2"
echo secret >"$work/key"
must cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 "${disk}1" "$work/key"
must cryptsetup open --disable-keyring --key-file "$work/key" "${disk}1" f
mounted /dev/mapper/f f ext4
must dmsetup create g --table "0 $(blockdev --getsz "${disk}2") linear ${disk}2 0"
mounted /dev/mapper/g g xfs
must mkdir -p /etc/vss
printf '[Stores]\nDefault=%s\n' "$vg" >/etc/vss/vssd.conf
must systemctl restart vssd

must mkdir -p /var/tmp/load
sed 's/^/# /' <(vssctl volumes)
before=$(machine_state)

check "fio writes to all volumes, and verifies" fio_run before
check "negative control: fio notices a byte that has changed" fio_sees_damage

mapfile -t files < <(counters_in "${mixed[@]}")
load_start "${files[@]}"
check "negative control: copies made one after the other are found torn" torn_copies_are_caught
fio_start
for ((i = 1; i <= sets; i++)); do
	check "${#mixed[@]} mixed volumes, set $i of $sets: one instant, mounted, sound" one_set && note "$took"
done
check "of each volume a copy has passed its file system's check" each_was_sound_once
note "copies found sound, of ${mixed[*]}: ${times_sound[*]}"
check "fio has found no error meanwhile" fio_stop
note "fio: $(cat "$work/fio-rounds") rounds of ${#mixed[@]} jobs"
check "no write of the load failed" load_stop
note "load: ${load_summary:-}"
check "what fio had written before is there" fio_run before verify_only=1
check "fio writes to all volumes afterwards, and verifies" fio_run after
check "no device is left suspended" no_suspended_device
check_equal "nothing is left of the sets" "$before" "$(machine_state)"
for volume in "${mixed[@]}"; do
	rm -f "$(place "$volume")"/{before,during,after,counter}
done
finish
