#!/bin/bash
# several.sh SCRIPT... : test scripts one after the other in one VM; each may have arguments, as in
# "test-crash.sh 4 thin".
status=0
for script in "$@"; do
	echo "# $script"
	begin=$SECONDS
	read -ra words <<<"$script"
	"$(dirname "$0")/${words[0]}" "${words[@]:1}" || status=1
	echo "# $script took $((SECONDS - begin)) s"
done
exit $status
