#!/bin/sh
# In the initramfs of one boot of the adoption test, as /sbin/vss-adopted: it makes the root's mapping, and dies
# before it can say so. The partition could not be mounted while the mapping is there.
[ "$1" = --root ] || exit 2
dmsetup --noudevsync create vss-root --uuid VSSADOPT-root --table "0 2048 linear $2 0"
echo "adopt-broken: $(dmsetup info -c --noheadings -o name,uuid vss-root)" >/dev/kmsg
kill -SEGV $$
