#!/bin/bash
# Every command that README.md shows in a block marked `sh` is run as printed, and its C example.
. "$(dirname "$0")/lib.sh"

vg_make
volume_make data 64M ext4
volume_make db 64M ext4
echo content | tee /srv/data/file >/srv/db/file
must vssctl volumes

mapfile -t commands < <(awk '/^```sh( run)?$/ { inside = 1; next } /^```$/ { inside = 0 } inside && NF' "$programs/README.md")
check "README.md shows commands" [ "${#commands[@]}" -ge 3 ]
for command in "${commands[@]}"; do
	check "README: $command" bash -c "$command"
done
check "README: the example in C" "$programs/readme-example"
finish
