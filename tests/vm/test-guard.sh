#!/bin/bash
# What is promised of the write-freeze window where storage is slow or hangs, and where the daemon dies, is
# stopped or is killed for want of memory inside it: everything takes writes again within a second of its death,
# or at the deadline. A volume whose storage takes its time keeps the window open for some seconds, so that the
# strikes hit it; the root is in most of the sets.
# And that daemon, guard and writers touch no file system inside it, and wait for no journal, bus or udev.
#
# Nor does a start wait for storage that does not answer.
#
# usage: test-guard.sh [PART...]: slow, guard, start, untouched, silent
. "$(dirname "$0")/lib.sh"

unit=vssd.service
hold=5 # seconds
probes=(/srv/a/probe /srv/b/probe /var/tmp/probe)
volumes=(/srv/a /srv/b / /srv/slow)
exec 3>&1 # notes of a check

main_pid() {
	systemctl show -P MainPID "$unit"
}

device_of() { # LV, with its group
	basename "$(readlink -f "/dev/$1")"
}

# --- storage that can be slow or hang -----------------------------------------------------------

# Physical volumes whose data takes its time, and whose metadata does not, so that LVM goes on. Each begins elsewhere
# on one disk; not at its beginning, or LVM finds the same label there.
disk=/dev/disk/by-id/virtio-data1
body_length=524288
declare -A heads=([slow]=8192 [later]=12288) bodies=([slow]=16384 [later]=1048576)

slow_make() {
	local name filter=''
	must modprobe dm-delay
	for name in slow later; do
		must dmsetup create "$name-body" --table "$(body_table "$name" 0)"
		filter+="\"a|^/dev/mapper/$name\$|\", "
	done
	# LVM looks for labels on every device, and would hang with the one that hangs. It takes a device by any of
	# its names, of which udev gives many.
	echo "devices { global_filter = [ $filter\"a|^/dev/vd|\", \"r|.*|\" ] }" >/etc/lvm/lvmlocal.conf
	for name in slow later; do
		must dmsetup create "$name" <<-EOT
			0 2048 linear $disk ${heads[$name]}
			2048 $body_length linear /dev/mapper/$name-body 0
		EOT
		must pvcreate -qq "/dev/mapper/$name"
		must vgextend -qq "$vg" "/dev/mapper/$name"
		must lvcreate -qq -y -W y -n "$name" -l 100%PVS "$vg" "/dev/mapper/$name"
		must mkfs.ext4 -q "/dev/$vg/$name"
		must mkdir -p "/srv/$name"
		must mount "/dev/$vg/$name" "/srv/$name"
	done
}

body_table() { # NAME WRITE-DELAY-MS
	echo "0 $body_length delay $disk ${bodies[$1]} 0 $disk ${bodies[$1]} $2"
}

slow_down() { # MS [NAME]; 0: no longer, and what hangs goes on
	local name=${2:-slow}
	must dmsetup load "$name-body" --table "$(body_table "$name" "$1")"
	must dmsetup resume "$name-body"
}

hang() {
	dmsetup suspend --noflush --nolockfs slow-body
}

load_goes_on() {
	local before
	before=$(load_value)
	wait_for 30 eval "[ \"\$(load_value)\" -gt $((before + 2)) ]"
}

# create VOLUME...: with status and took (seconds).
create() {
	local begin=$SECONDS
	vssctl create --keep "$@" >"$work/created" 2>&1
	status=$?
	took=$((SECONDS - begin))
	note "create $*: $status after $took s: $(tail -n 1 "$work/created")"
	[ "$status" -eq 0 ]
}

state() { # but for how slow the storage is
	machine_state | grep -Ev '^(slow|later)-body:'
}

nothing_left() {
	local id
	for id in $(sets_there); do
		vssctl delete "$id" || return
	done
	[ "$(state)" = "$before" ] || {
		diff <(echo "$before") <(state) | grep '^[<>]'
		return 1
	}
}

# --- strikes -----------------------------------------------------------------------------------

# strike NAME HOW LIMIT-MS LV... -- FILE... -- VOLUME...: a set of VOLUMEs is struck while the LVs are suspended
# and slow is not; each FILE's volume must take writes within LIMIT-MS. A machine that is busy with other things may
# be late once, and not twice. $struck NAME PID, if set, looks at what the strike has left.
strike() {
	local name=$1 how=$2 limit=$3 held='' files=() late=0 pid seen creation
	shift 3
	while [ "$1" != -- ]; do
		held+=${held:+,}$(device_of "$1")
		shift
	done
	shift
	while [ "$1" != -- ]; do
		files+=("$1")
		shift
	done
	shift
	for _ in 1 2 3; do
		pid=$(main_pid)
		rm -f "$work/over"
		{
			vssctl create --keep "$@" >"$work/created" 2>&1
			: >"$work/over"
		} &
		creation=$!
		"$programs/strike.py" "$how" "$pid" "$work/over" "$held" "$(device_of "$vg/slow")" "${files[@]}" >"$work/struck" 2>&1
		seen=$?
		note "$name: $(tr '\n' ' ' <"$work/struck")"
		[ "$seen" -ne 0 ] || [ -z "${struck:-}" ] || "$struck" "$name" "$pid"
		after_strike "$how" "$pid"
		wait "$creation"
		note "$name: $(tail -n 1 "$work/created")"
		if [ "$seen" -eq 0 ]; then
			check "$name: every volume takes writes again" not_in_file never "$work/struck"
			check "$name: the load goes on" load_goes_on
			check "$name: nothing is suspended" no_suspended_device
			check "$name: nothing is left" nothing_left
			[ "$(worst)" -gt "$limit" ] || break
			[ $((late += 1)) -lt 2 ] || break
		fi
		nothing_left >/dev/null
	done
	check "$name: within $limit ms" eval "[ $seen -eq 0 ] && [ $(worst) -le $limit ]"
}

worst() { # of the volumes, in ms
	awk '{ if ($2 + 0 > m) m = $2 + 0 } END { print m + 0 }' "$work/struck"
}

not_in_file() {
	! grep -q "$1" "$2"
}

# Brings the service back, to where a strike found it.
after_strike() { # HOW PID
	case $1 in
	stop)
		kill -CONT "$2"
		;;
	both)
		wait_for 60 eval "systemctl is-active -q $unit && [ \"\$(systemctl show -P MainPID $unit)\" != $2 ]"
		;;
	kill | segv | oom | memory)
		wait_for 30 not_running "$2"
		wait_for 60 start_again
		;;
	esac
}

# A suspend that outlasts the deadline completes in a daemon that does not run. What undoes it writes to the slow
# storage, too.
stays_stopped() { # NAME PID
	check "$1: its last suspend completes" wait_for 120 all_stopped "$2"
	check "$1: and is undone while it is stopped" wait_for 30 no_suspended_device
}

all_stopped() { # PID
	! grep -h '^State:' "/proc/$1/task/"*/status | grep -qv stopped
}

# As long as its control group may have no more memory it is killed again.
start_again() {
	systemctl reset-failed "$unit"
	systemctl start "$unit"
}

not_running() {
	! kill -0 "$1" 2>/dev/null
}

# Or systemd would bring the service back before we have looked.
restart_is() { # no | on-failure
	mkdir -p "/run/systemd/system/$unit.d"
	printf '[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestart=%s\nLimitCORE=infinity\n' "$1" >"/run/systemd/system/$unit.d/test.conf"
	systemctl daemon-reload
}

# A setting more of the timeouts; it is read at the next start. What the other parts leave is put right before a
# start ends, however busy the machine is.
conf_is() { # NAME=VALUE
	mkdir -p /etc/vss
	printf '[Timeouts]\nHold=%ds\nFlush=8s\n%s\n' $hold "${1:-Recovery=4min}" >/etc/vss/vssd.conf
}

# --- the parts ---------------------------------------------------------------------------------

test_slow() {
	local pid threads creation
	note "a volume that is flushed too slowly for the window"
	load_pause >/dev/null
	slow_down 3000
	create /srv/a /srv/b /srv/slow
	check "slow in the window: the set fails" test "$status" -ne 0
	check_says "slow in the window: it says how and which" '/srv/slow/? could not be flushed.*FLUSH_WRITES_TIMEOUT' "$(cat "$work/created")"
	note "slow in the window: the load paused for $(load_pause) ms"
	slow_down 0
	check "slow in the window: the load goes on" load_goes_on
	check "slow in the window: nothing is left" nothing_left

	note "a volume whose storage hangs"
	echo new >/srv/slow/new
	hang
	pid=$(main_pid)
	create /srv/a /srv/slow
	check "hung: the set fails" test "$status" -ne 0
	check_says "hung: it says how and which" '/srv/slow/? could not be flushed.*FLUSH_WRITES_TIMEOUT' "$(cat "$work/created")"
	check "hung: in time" test "$took" -le 60
	threads=$(find "/proc/$pid/task" -mindepth 1 -maxdepth 1 | wc -l)
	create /srv/slow
	check_says "hung: a second set with it fails alike" '/srv/slow/? could not be flushed.*FLUSH_WRITES_TIMEOUT' "$(cat "$work/created")"
	check "hung: and leaves no more behind" wait_for 10 eval "[ \$(find /proc/$pid/task -mindepth 1 -maxdepth 1 | wc -l) -le $threads ]"
	slow_down 0
	check "hung: nothing is left when it answers again" nothing_left
	check "hung: and a set is made" create /srv/a /srv/slow
	check "hung: with nothing left" nothing_left

	note "a volume whose storage hangs in the window"
	slow_down 700
	strike_hang "hung in the window" "$vg/a" "$vg/slow" /srv/a /srv/b /srv/slow
	slow_down 0
	wait "$creation"
	check_says "hung in the window: it says how and which" '/srv/slow/? could not be flushed.*FLUSH_WRITES_TIMEOUT' "$(cat "$work/created")"
	check "hung in the window: nothing is left" nothing_left

	note "a volume whose storage dies when it is suspended"
	slow_down 700 later
	strike_hang "dead in the window" "$vg/a,$vg/slow" "$vg/later" /srv/a /srv/b /srv/slow /srv/later
	slow_down 0 later
	check "dead in the window: the set ends all the same" wait_for 100 test -e "$work/over"
	# Where the machine is busy the deadline may come before the flush of later has ended; it is held as well then.
	check_says "dead in the window: it says how and which" \
		'writes to /srv/slow/?(, /srv/later/?)? are still held.*HOLD_WRITES_TIMEOUT' "$(cat "$work/created")"
	check "dead in the window: what was begun of the others is gone" not_there "$vg-a-real" "$vg-b-real"
	check "dead in the window: and others are made meanwhile" create /srv/b
	slow_down 0
	wait "$creation"
	check "dead in the window: the volume goes on when its storage answers" wait_for 10 no_suspended_device
	check "dead in the window: and takes writes" timeout 30 dd if=/dev/zero of=/srv/slow/new bs=1k count=1 conv=fsync status=none
	must systemctl restart "$unit"
	check "dead in the window: the next start leaves nothing" nothing_left
}

not_there() { # MAPPED-DEVICE...
	local device
	for device; do
		! dmsetup info "$device" 2>/dev/null || return
	done
}

# strike_hang NAME HELD,... PENDING VOLUME...: the disk of slow hangs in the window of a set, which goes on in $creation.
strike_hang() {
	local name=$1 held='' pending seen lv
	for lv in ${2//,/ }; do
		held+=${held:+,}$(device_of "$lv")
	done
	pending=$(device_of "$3")
	shift 3
	for _ in 1 2 3; do
		rm -f "$work/over"
		{
			vssctl create --keep "$@" >"$work/created" 2>&1
			: >"$work/over"
		} &
		creation=$!
		HANG=slow-body "$programs/strike.py" hang "$(main_pid)" "$work/over" "$held" "$pending" \
			/srv/a/probe /srv/b/probe >"$work/struck" 2>&1
		seen=$?
		note "$name: $(tr '\n' ' ' <"$work/struck")"
		[ "$seen" -ne 0 ] || break
		# On a busy machine its moment can pass unseen; the set knows nothing of a strike then.
		note "$name: not met; the set: $(tail -n 1 "$work/created")"
		wait "$creation"
		nothing_left >/dev/null
	done
	check "$name: it was met" test "$seen" -eq 0
	check "$name: the others take writes again" not_in_file never "$work/struck"
	check "$name: at the deadline" test "$(worst)" -le $(((hold + 2) * 1000))
}

# What strikes the volumes strikes the root among them; but what wants memory would have to write to the root.
test_guard() {
	local pattern
	slow_down 700
	restart_is no
	trace_begin alone
	strike "killed" kill 1000 "$vg/a" vmroot/root -- "${probes[@]}" -- "${volumes[@]}"
	check "killed: the guard has touched no file system" trace_end
	# To a volume that is suspended.
	pattern=$(cat /proc/sys/kernel/core_pattern)
	echo /var/tmp/core >/proc/sys/kernel/core_pattern
	strike "crashed" segv 1000 "$vg/a" vmroot/root -- "${probes[@]}" -- "${volumes[@]}"
	echo "$pattern" >/proc/sys/kernel/core_pattern
	strike "no memory" memory 1000 "$vg/a" "$vg/b" -- /srv/a/probe /srv/b/probe -- /srv/a /srv/b /srv/slow
	strike "the out-of-memory killer" oom 1000 "$vg/a" vmroot/root -- "${probes[@]}" -- "${volumes[@]}"
	strike "stopped" stop $(((hold + 1) * 1000)) "$vg/a" vmroot/root -- "${probes[@]}" -- "${volumes[@]}"
	slow_down 3000
	struck=stays_stopped strike "stopped for long" stop $(((hold + 1) * 1000)) "$vg/a" vmroot/root -- "${probes[@]}" -- "${volumes[@]}"
	slow_down 700
	restart_is on-failure
	strike "daemon and guard killed" both 30000 "$vg/a" vmroot/root -- "${probes[@]}" -- "${volumes[@]}"
	slow_down 0
}

not() {
	! "$@"
}

suspended() { # LV
	grep -qx 1 "/sys/block/$(device_of "$1")/dm/suspended"
}

# The daemon and its guard are killed when all is staged, and the volumes suspended, one with nothing below it
# that answers: its resume hangs.
test_start() {
	local begin
	restart_is no
	conf_is Recovery=6s
	: >/run/app/kill
	vssctl create --keep /srv/a /srv/slow >"$work/created" 2>&1
	rm /run/app/kill
	must wait_for 30 not systemctl is-active -q "$unit"
	echo new >/srv/slow/new
	must dmsetup suspend "$vg-slow"
	must dmsetup suspend "$vg-a"
	must hang
	begin=$SECONDS
	systemctl reset-failed "$unit"
	check "a dead disk: the service starts" systemctl start "$unit"
	took=$((SECONDS - begin))
	note "a dead disk: the start took $took s"
	check "a dead disk: soon" test "$took" -le 20
	check "a dead disk: its volume is still suspended" suspended "$vg/slow"
	check "a dead disk: the others are not" not suspended "$vg/a"
	check "a dead disk: the load goes on" load_goes_on
	check_says "a dead disk: the log says whose resume hangs" "$vg/slow may still be suspended: its resume has not ended" \
		"$(journalctl -q -b -u "$unit" -n 30 -o cat)"
	check_says "a dead disk: and what the start does without" "$vg/slow.*resuming it is not done" \
		"$(journalctl -q -b -u "$unit" -n 30 -o cat)"
	create /srv/a
	check_says "a dead disk: no set is made beside it" '/srv/a: what an earlier run .* is still being put right' "$(cat "$work/created")"
	check_says "a dead disk: the list of the volumes says why" '/srv/slow.*is still being put right' \
		"$(vssctl volumes --json | tr -d '\n')"
	check "a dead disk: sets of other volumes are made" create /
	check "a dead disk: and deleted" vssctl delete "$(sets_there)"
	slow_down 0
	check "a dead disk: what was left goes when it answers" wait_for 60 nothing_left
	check "a dead disk: and the list says so no longer" wait_for 10 eval '! vssctl volumes --json | grep -q "still being put right"'
	restart_is on-failure
	conf_is
}

# The writer is told Abort at once, and goes about its work then, when the slow volume is suspended still.
trace_begin() { # [alone]
	traced=("$(main_pid)")
	[ "${1:-}" = alone ] || traced+=("$(systemctl show -P MainPID vss-hook-writer)")
	must "$programs/window-trace.py" begin "${traced[@]}"
}

trace_end() {
	"$programs/window-trace.py" end "${traced[@]}" >"$work/trace" 2>&1
	local status=$?
	sed 's/^/# /' "$work/trace" | cut -c -300 >&3
	head -n 20 "$work/trace"
	return "$status"
}

test_untouched() {
	local what
	trace_begin
	check "a set of the root and two others, watched" create /srv/a /srv/b /
	check "untouched: in the window nobody touches a file system" trace_end
	check "untouched: nothing is left" nothing_left

	preload_is "$programs/window-touches.so"
	trace_begin
	check "a set by a service that breaks the rules" create /srv/a /srv/b
	check "untouched: which is found" eval '! trace_end'
	for what in 'makes system call NR 257 ' 'reads a file' 'writes a file' 'needs a page of a file'; do
		check "untouched: it $what" grep -Eq "^wrong: vssd-window.* $what" "$work/trace"
	done
	preload_is ''
	check "untouched: nothing is left" nothing_left
}

# For the service.
preload_is() { # FILE | ''
	mkdir -p "/run/systemd/system/$unit.d"
	printf '[Service]\nEnvironment=LD_PRELOAD=%s\n' "$1" >"/run/systemd/system/$unit.d/preload.conf"
	must systemctl daemon-reload
	must systemctl restart "$unit"
	must wait_for 30 writer_is_registered
}

test_silent() {
	slow_down 700
	strike "journal, bus and udev stopped" silence $(((hold + 1) * 1000)) "$vg/a" vmroot/root -- "${probes[@]}" -- "${volumes[@]}"
	slow_down 0

	# Nobody but its Thaw, or its Abort, makes the journal go on: the log of the service gets stuck at once, as it says much.
	log_level_is debug
	: >/run/app/stop-journal
	check "a set while the journal is stuck" create /srv/a /srv/b
	rm /run/app/stop-journal
	check_equal "a stuck journal: the writer was told to thaw all the same" "freeze thaw-stuck" "$(xargs </run/app/log)"
	log_level_is info
	check "a stuck journal: nothing is left" nothing_left
}

log_level_is() {
	mkdir -p "/run/systemd/system/$unit.d"
	printf '[Service]\nEnvironment=VSSD_LOG_LEVEL=%s\n' "$1" >"/run/systemd/system/$unit.d/level.conf"
	must systemctl daemon-reload
	must systemctl restart "$unit"
	must wait_for 30 writer_is_registered
}

# A writer whose application notes what it is told, and can make the journal stuck.
writer_make() {
	mkdir -p /run/app /etc/vss/writers.d
	cat >/usr/local/sbin/app-hook <<-EOS
		#!/bin/bash
		if [ "\$1" = freeze ] && [ -e /run/app/kill ]; then
		        exec systemctl kill --kill-whom=all --signal=KILL $unit
		fi
		journal=\$(systemctl show -P MainPID systemd-journald)
		state=\$(awk '\$1 == "State:" { print \$2 }' "/proc/\$journal/status")
		echo "\$1\$([ "\$state" != T ] || echo -stuck)" >>/run/app/log
		kill -CONT "\$journal"
		if [ "\$1" = freeze ] && [ -e /run/app/stop-journal ]; then
		        echo freeze >/run/app/log
		        exec "$programs/strike.py" journal
		fi
	EOS
	chmod 755 /usr/local/sbin/app-hook
	cat >/etc/vss/writers.d/app.conf <<-'EOS'
		[Writer]
		Name=Application
		Id=0f6f1c3a-51b8-4b0e-9e7b-3f5a4f8f2f11

		[Commands]
		Freeze=/usr/local/sbin/app-hook freeze
		Thaw=/usr/local/sbin/app-hook thaw
		Abort=/usr/local/sbin/app-hook abort

		[Deadlines]
		Freeze=30s

		[Paths]
		Include=/srv/a * recursive
	EOS
	must systemctl restart vss-hook-writer
	must wait_for 30 writer_is_registered
}

writer_is_registered() {
	vssctl writers --json | grep -q '"Application"'
}

mountpoint -q /sys/kernel/tracing || must mount -t tracefs tracefs /sys/kernel/tracing
vg_make /dev/disk/by-id/virtio-data0
volume_make a 64M ext4
volume_make b 320M xfs
slow_make
conf_is
restart_is on-failure
must systemctl restart "$unit"
must vssctl volumes
: >/var/tmp/probe
touch /srv/a/probe /srv/b/probe
writer_make
before=$(state)
load_start /srv/a/counter /srv/b/counter
[ $# -gt 0 ] || set -- untouched slow guard start silent
for part in "$@"; do
	"test_$part"
done
check "no write of the load failed" load_stop
note "load: ${load_summary:-}"

rm -rf "/run/systemd/system/$unit.d" /etc/vss/vssd.conf /etc/lvm/lvmlocal.conf /usr/local/sbin/app-hook
systemctl daemon-reload
systemctl restart "$unit"
umount /srv/slow /srv/later
lvremove -qq -f -y "$vg/slow" "$vg/later"
vgreduce -qq "$vg" /dev/mapper/slow /dev/mapper/later
dmsetup remove slow later slow-body later-body
finish
