#!/bin/bash
# A volume that somebody else has frozen (fsfreeze). Since Linux 6.7 freezes nest: the set is made, and the
# freeze stays its owner's. Before, the kernel does not suspend such a volume: the set is refused, with the
# reason and the way out. Either way nothing of ours is left, and nobody's freeze is taken away.
. "$(dirname "$0")/lib.sh"

freezes_nest() {
	printf '%s\n' 6.7 "$(uname -r)" | sort -VC
}

# Nobody can ask whether; who tries learns it, and must undo what has come of it.
is_frozen() { # VOLUME
	if fsfreeze --freeze "$1" 2>"$work/frozen"; then
		fsfreeze --unfreeze "$1"
		echo "$1 was not frozen"
		return 1
	fi
	grep -q busy "$work/frozen"
}

takes_writes() { # VOLUME
	timeout 20 dd if=/dev/zero of="$1/x" bs=1 count=1 conv=fsync status=none && rm "$1/x"
}

set_is_refused() { # VOLUME...
	local answer
	if answer=$(vssctl create --keep "$@" 2>&1); then
		echo "it was made: $answer"
		return 1
	fi
	echo "$answer"
	grep -q "${frozen}.* frozen by another program" <<<"$answer"
}

set_is_made() { # VOLUME...
	local answer set copies devices types i
	if ! answer=$(vssctl create --json --keep "$@" 2>&1) || ! set_made "$answer" "$@"; then
		echo "$answer"
		return 1
	fi
	for i in "${!devices[@]}"; do
		[ "$(cat "${copies[i]}/file")" = content ] && fsck_copy "${devices[i]}" "${types[i]}" || return
	done
	vssctl delete "$set"
}

vg_make
volume_make a 64M ext4
volume_make b 320M xfs
must lvcreate -qq -y -T -L 400M "$vg/pool"
thin_make c 64M ext4
volumes=(/srv/a /srv/b /srv/c)
for volume in "${volumes[@]}"; do
	echo content >"$volume/file"
done
must vssctl volumes
before=$(machine_state)
if freezes_nest; then outcome=set_is_made what="the set is made"; else outcome=set_is_refused what="the set is refused"; fi
note "Linux $(uname -r): $what"

for frozen in "${volumes[@]}"; do
	must fsfreeze --freeze "$frozen"
	check "$frozen frozen by another program: $what" $outcome "${volumes[@]}"
	check "$frozen: it stays frozen" is_frozen "$frozen"
	for volume in "${volumes[@]}"; do
		[ "$volume" = "$frozen" ] || check "$frozen: $volume takes writes" takes_writes "$volume"
	done
	check "$frozen: its owner thaws it" fsfreeze --unfreeze "$frozen"
	check "$frozen: it takes writes" takes_writes "$frozen"
	check_equal "$frozen: nothing is left" "$before" "$(machine_state)"
done
check "with none frozen a set is made" set_is_made "${volumes[@]}"
check "no device is left suspended" no_suspended_device
finish
