#!/bin/bash
# Fourth boot of the adoption test, with the initramfs of the third: the root is a plain partition again.
. "$(dirname "$0")/lib-adopt.sh"

check_equal "the root is mounted as it is" "${root}1" "$(mounted_from /)"
check "there is no mapping" not dmsetup info vss-root
check_equal "vssctl volumes says nothing of it" None "$(adopted_of /)"
check_equal "no volume is in the list" "" "$(grep -v '^#' /etc/vss/adopted)"
check "its files are what they were" sha256sum --quiet -c /var/tmp/sums
check_equal "no unit has failed" "" "$(systemctl --failed --no-legend --plain | grep -v vm-command)"
finish
