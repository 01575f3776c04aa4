# shellcheck shell=bash
# What the measurements share, beside tests/vm/lib.sh: samples, times, the volumes. Sourced.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/floor.sh"

sample() { # NAME VALUE
	printf 'sample %s %s\n' "$1" "$2"
}

give_up() { # WHAT WHY
	fail "$1" "$2"
	finish
}

progress() { # WHAT
	note "$1, after $SECONDS s"
}

# sample_time NAME COMMAND... : what COMMAND takes, in milliseconds.
sample_time() {
	local name=$1 begin took
	shift
	begin=${EPOCHREALTIME/./}
	"$@" >"$work/timed" 2>&1 || give_up "$name" "$(cat "$work/timed")"
	took=$((${EPOCHREALTIME/./} - begin))
	sample "$name" "$((took / 1000)).$(printf %03d $((took % 1000)))"
}

# The first N volumes, of which those that are not there yet are made: volumes, lvs and files. LVM has a
# process for all of them.
volumes_are() { # N LVCREATE-OPTION...
	local i new=()
	volumes=()
	lvs=()
	files=()
	for ((i = 1; i <= $1; i++)); do
		lvs+=("v$i")
		volumes+=("/srv/v$i")
		files+=("/srv/v$i/counter")
		[ -b "/dev/$vg/v$i" ] || new+=("v$i")
	done
	shift
	[ ${#new[@]} -gt 0 ] || return 0
	progress "making ${#new[@]} volumes"
	for i in "${new[@]}"; do
		echo "lvcreate -qq -y -n $i $*"
	done | lvm >"$work/lvm" 2>&1 || give_up "volumes" "$(cat "$work/lvm")"
	for i in "${new[@]}"; do
		must mkfs.ext4 -q "/dev/$vg/$i"
		must mkdir -p "/srv/$i"
		must mount "/dev/$vg/$i" "/srv/$i"
	done
}

# What LVM does alone, for each of the volumes. The OPTIONs are those that a snapshot of such a volume needs.
lvcreate_each() { # [OPTION...]
	local lv
	for lv in "${lvs[@]}"; do
		lvcreate -qq -y -s -n "$lv-plain" "$@" "$vg/$lv" || return
	done
}

lvremove_all() {
	lvm < <(printf "lvremove -qq -y $vg/%s-plain\n" "${lvs[@]}")
}

# What the requester prints of a set, as samples: set_figures N OUTPUT LINE=FIGURE...
set_figures() {
	local n=$1 output=$2 pair
	shift 2
	for pair in "$@"; do
		sample "${pair#*=}_$n" "$(awk -v line="${pair%%=*}" '$1 == line { print $2 }' <<<"$output")"
	done
}

# What the figures were measured on.
about() {
	local accel=emulated
	[ "$(systemd-detect-virt)" != kvm ] || accel='with KVM'
	printf 'about %s\n' "kernel $(uname -r)" "lvm $(lvm version | awk '/LVM version/ { print $3 }')" "accel $accel"
}
about
