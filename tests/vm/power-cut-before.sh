#!/bin/bash
# First boot of the power-cut test: makes sets one after the other until tests/vm/run cuts the power.
. "$(dirname "$0")/lib.sh"
trap - EXIT

vg_make
volume_make a 64M ext4
volume_make b 320M xfs
must lvcreate -qq -y -W y -n disk -L 40M "$vg"
printf '/dev/%s/a /srv/a ext4 defaults,nofail 0 0\n/dev/%s/b /srv/b xfs defaults,nofail 0 0\n' $vg $vg >>/etc/fstab
must vssctl volumes
machine_state >/var/tmp/before
load_start /srv/a/counter /srv/b/counter
answer=$(vssctl create --json --keep /srv/a /srv/b)
check "before the cut a set is made" set_made "$answer" /srv/a /srv/b
echo "${set:-}" >/var/tmp/set
must dmsetup create plain --table "0 81920 linear /dev/$vg/disk 0"
check "and one of a mapped device" vssctl create --keep /dev/mapper/plain
check_says "whose store is a file" '\.cow$' "$(ls /var/lib/vssd/stores)"
sync
printf '1..%d\n' "$checks" # there will be no finish
note "sets" # from here on the power may be cut
while :; do
	answer=$(vssctl create --quiet --keep /srv/a /srv/b) && vssctl delete "$answer" >/dev/null 2>&1
done
