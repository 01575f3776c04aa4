#!/bin/sh
# measure-pause.sh PID FILE ... : asks vss-counter PID, whose output goes to FILE, for its longest
# pause up to now and prints the answer. The requester runs it as soon as DoSnapshotSet has ended.
before=$(grep -c '^pause' "$2")
kill -USR1 "$1"
while [ "$(grep -c '^pause' "$2")" = "$before" ]; do
	sleep 0.01
done
tail -n 1 "$2"
