#!/bin/bash
# What is left when the service dies during a creation: nothing. kill -9 at many moments of it, of
# the daemon alone (then the guard must resume what was suspended) and of the whole service, guard
# included (then the next start must).
#
# usage: test-crash.sh [MOMENTS [thick|thin|mixed]]: so many, evenly over the time that a creation takes, for
# each way; with volumes of that kind, or the first thin and the second thick.
. "$(dirname "$0")/lib.sh"

moments=${1:-6}
kind=${2:-thick}
unit=vssd.service

main_pid() {
	systemctl show -P MainPID "$unit"
}

service_is_up() {
	systemctl is-active -q "$unit"
}

load_goes_on() {
	local before
	before=$(load_value)
	wait_for 30 eval "[ \"\$(load_value)\" -gt $((before + 2)) ]"
}

kill_daemon() {
	kill -KILL "$(main_pid)"
}

kill_service() {
	systemctl kill --kill-whom=all --signal=KILL "$unit"
}

# Once with `how` after `msec` of a creation. A set that was finished just before is whole; it tells how
# long a creation takes by now, on a machine that is less busy than it was.
crash() { # HOW MSEC
	local how=$1 msec=$2 result=0 id creation took
	{
		begin=$(date +%s%3N)
		vssctl create --keep --json /srv/a /srv/b >"$work/created" 2>&1 &&
			echo $(($(date +%s%3N) - begin)) >"$work/took"
	} &
	creation=$!
	sleep "$((msec / 1000)).$(printf %03d $((msec % 1000)))"
	"$how"
	if wait "$creation"; then
		undisturbed=$((undisturbed + 1))
		took=$(cat "$work/took")
		[ "$took" -ge "$duration" ] || duration=$took
	fi
	# The load's volumes are given free by the guard, or by the service's next start.
	systemctl reset-failed "$unit"
	systemctl start "$unit" || result=1
	load_goes_on || {
		echo "the load is stuck"
		result=1
	}
	no_suspended_device || result=1
	vssctl volumes >/dev/null || result=1
	for id in $(sets_there); do
		vssctl delete "$id" || result=1
	done
	if [ "$(machine_state)" != "$before" ]; then
		diff <(echo "$before") <(machine_state) | grep '^[<>]'
		result=1
	fi
	[ "$result" -eq 0 ] || echo "the creation had said: $(tail -n 1 "$work/created")"
	return "$result"
}

device_of() { # LV
	basename "$(readlink -f "/dev/$vg/$1")"
}

# The guard's turn: the daemon dies with the VOLUMEs suspended, a and b among them, and nobody starts it
# again. The window is found by looking for it without pause: for both at a time, because LVM suspends thin
# volumes one by one while they are staged. On a busy machine it can go by between two looks, and another
# set is made.
killed_in_the_window() { # VOLUME...
	local pid seen result=0
	pid=$(main_pid)
	for _ in 1 2 3 4 5; do
		rm -f "$work/over"
		{
			vssctl create --keep "$@" >"$work/created" 2>&1
			: >"$work/over"
		} &
		python3 - "$pid" "$work/over" "$(device_of a)" "$(device_of b)" <<-'EOS'
			import os, signal, sys
			pid, over, devices = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
			os.nice(-20)
			suspended = [os.open(f"/sys/block/{device}/dm/suspended", os.O_RDONLY) for device in devices]
			while any(os.pread(fd, 2, 0) != b"1\n" for fd in suspended):
			    if os.path.exists(over):
			        sys.exit("the volumes were never seen suspended")
			os.kill(pid, signal.SIGKILL)
		EOS
		seen=$?
		[ "$seen" -ne 0 ] || break
		for id in $(sets_there); do
			vssctl delete "$id" >/dev/null 2>&1
		done
	done
	wait_for 15 no_suspended_device || {
		no_suspended_device
		result=1
	}
	wait_for 120 test -e "$work/over"
	[ "$seen" -eq 0 ] && return "$result"
}

vg_make
make_a=volume_make make_b=volume_make
if [ "$kind" != thick ]; then
	must lvcreate -qq -y -T -L 600M "$vg/pool"
	make_a=thin_make
	[ "$kind" = mixed ] || make_b=thin_make
fi
"$make_a" a 64M ext4
"$make_b" b 320M xfs
must vssctl volumes
# Or systemd would bring the service back before we have looked.
must mkdir -p "/run/systemd/system/$unit.d"
printf '[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestart=no\n' >"/run/systemd/system/$unit.d/test.conf"
must systemctl daemon-reload
# What was left is looked at as soon as the service has started, however busy the machine is.
mkdir -p /etc/vss
printf '[Timeouts]\nRecovery=4min\n' >/etc/vss/vssd.conf
must systemctl restart "$unit"
before=$(machine_state)
load_start /srv/a/counter /srv/b/counter

# How long does it take, when everything is warm?
for i in 1 2; do
	begin=$(date +%s%3N)
	must vssctl create --keep /srv/a /srv/b
	duration=$(($(date +%s%3N) - begin))
	must vssctl delete "$(sets_there)"
done
check_equal "a creation that nobody disturbs leaves nothing" "$before" "$(machine_state)"
note "a creation takes $duration ms"

undisturbed=0
for how in kill_daemon kill_service; do
	for ((i = 0; i < moments; i++)); do
		msec=$((duration * (2 * i + 1) / (2 * moments)))
		check "$how after $msec ms: nothing is left" crash $how $msec
	done
done
note "$undisturbed of the creations were done before they were hit"
check "most were not" [ "$undisturbed" -lt "$moments" ]

for i in 1 2 3; do
	must systemctl start "$unit"
	volumes=(/srv/a /srv/b)
	[ "$i" -ne 3 ] || volumes+=(/) # what the dying service needs may be on it
	check "killed in the window, round $i: the guard resumes ${volumes[*]}" killed_in_the_window "${volumes[@]}"
	check "killed in the window, round $i: the load goes on" load_goes_on
	systemctl reset-failed "$unit"
	check "killed in the window, round $i: the service starts" systemctl start "$unit"
	for id in $(sets_there); do
		vssctl delete "$id" >/dev/null 2>&1
	done
	check_equal "killed in the window, round $i: nothing is left" "$before" "$(machine_state)"
done

# A clean stop during a creation is no crash, but must not be worse.
vssctl create --keep /srv/a /srv/b >"$work/created" 2>&1 &
creation=$!
sleep "$((duration / 2000)).$(printf %03d $((duration / 2 % 1000)))"
check "systemctl stop during a creation" systemctl stop "$unit"
wait $creation
check "systemctl stop: the volumes are not suspended" no_suspended_device
must systemctl start "$unit"
for id in $(sets_there); do
	vssctl delete "$id" >/dev/null 2>&1
done
check_equal "systemctl stop: nothing is left" "$before" "$(machine_state)"

answer=$(vssctl create --keep --json /srv/a /srv/b)
check "after all this a set is made" set_made "$answer" /srv/a /srv/b
[ -z "${set:-}" ] || check "of one instant" "$programs/vss-verify" "${copies[0]}/counter" "${copies[1]}/counter"
# A persistent set outlives the service.
must systemctl restart "$unit"
check_says "it outlives the service" "${set:-none}" "$(vssctl list --json)"
[ -z "${set:-}" ] || check "its copies are still read" "$programs/vss-verify" "${copies[0]}/counter" "${copies[1]}/counter"
[ -z "${set:-}" ] || check "and deleted" vssctl delete "$set"
check "no write of the load failed" load_stop
note "load: ${load_summary:-}"
rm -rf "/run/systemd/system/$unit.d" /etc/vss/vssd.conf
systemctl daemon-reload
finish
