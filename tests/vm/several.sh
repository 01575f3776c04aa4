#!/bin/bash
# several.sh SCRIPT... : test scripts one after the other in one VM.
status=0
for script in "$@"; do
	echo "# $script"
	begin=$SECONDS
	"$(dirname "$0")/$script" || status=1
	echo "# $script took $((SECONDS - begin)) s"
done
exit $status
