#!/bin/bash
# First boot of the power-cut test: makes sets one after the other until tests/vm/run cuts the power.
. "$(dirname "$0")/lib.sh"
trap - EXIT

vg_make
volume_make a 64M ext4
volume_make b 320M xfs
printf '/dev/%s/a /srv/a ext4 defaults,nofail 0 0\n/dev/%s/b /srv/b xfs defaults,nofail 0 0\n' $vg $vg >>/etc/fstab
must vssctl volumes
machine_state >/var/tmp/before
load_start /srv/a/counter /srv/b/counter
answer=$(vssctl create --json --keep /srv/a /srv/b)
check "before the cut a set is made" set_made "$answer" /srv/a /srv/b
echo "${set:-}" >/var/tmp/set
sync
printf '1..%d\n' "$checks" # there will be no finish
while :; do
	answer=$(vssctl create --quiet --keep /srv/a /srv/b) && vssctl delete "$answer" >/dev/null 2>&1
done
