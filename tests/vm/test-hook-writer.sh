#!/bin/bash
# vss-hook-writer with an application that has real freeze and thaw commands: the counter load,
# which is stopped and continued. The commands leave a line with the time in /run/app/log.
. "$(dirname "$0")/lib.sh"

app=/run/app
log=$app/log
hook=/usr/local/sbin/app-hook # nothing on /run may be executed

# The application's commands. A file in /run/app changes what they do: fail-EVENT, slow-EVENT,
# kill-EVENT.
application_make() {
	mkdir -p $app /etc/vss/writers.d
	cat >$hook <<-'EOS'
		#!/bin/bash
		app=/run/app
		event=$1
		say() { printf '%s %s\n' "$(date +%s%N)" "$1" >>$app/log; }
		case $event in
		freeze)
			kill -STOP "$(cat $app/pid)"
			sed 's/^0*\(.\)/\1/' /srv/a/counter >$app/frozen-at
			;;
		thaw)
			sed 's/^0*\(.\)/\1/' /srv/a/counter >$app/thawed-at
			;;
		esac
		say "$event"
		[ "$event" != thaw ] || kill -CONT "$(cat $app/pid)"
		[ ! -e $app/kill-$event ] || kill -KILL "$PPID"
		[ ! -e $app/slow-$event ] || sleep 60
		if [ -e $app/fail-$event ]; then
			echo "app: table 7 is locked by a migration" >&2
			exit 1
		fi
	EOS
	chmod 755 $hook
	cat >/etc/vss/writers.d/app.conf <<-'EOS'
		[Writer]
		Name=Counting application
		Id=0f6f1c3a-51b8-4b0e-9e7b-3f5a4f8f2f10

		[Commands]
		PrepareSnapshot=/usr/local/sbin/app-hook prepare-snapshot
		Freeze=/usr/local/sbin/app-hook freeze
		Thaw=/usr/local/sbin/app-hook thaw
		PostSnapshot=/usr/local/sbin/app-hook post-snapshot
		Abort=/usr/local/sbin/app-hook abort

		[Deadlines]
		Freeze=4s

		[Paths]
		Include=/srv/a * recursive
	EOS
}

writer_is_registered() {
	vssctl writers --json | grep -q '"Counting application"'
}

events() {
	cut -d ' ' -f 2 $log | paste -sd ' '
}

when() { # EVENT: the last time, in nanoseconds
	awk -v event="$1" '$2 == event { t = $1 } END { print t }' $log
}

# Of the copy, nanoseconds since 1970.
instant_of() { # SET
	local path
	path=$(busctl --json=short call org.vssd.Vss1 /org/vssd/Vss1 org.vssd.Vss1.Manager ListSnapshots 'a{ss}' 1 set "$1" |
		json 'd["data"][0][0]["CreationTimestamp"]["data"]')
	echo $(((path - 116444736000000000) * 100))
}

application_runs() {
	[ "$(awk '$1 == "State:" { print $2 }' "/proc/$load/status")" != T ]
}

# A set under the load; the answer in $answer.
try_set() {
	: >$log
	answer=$(vssctl create --json --keep /srv/a /srv/b 2>&1)
}

# "LEVEL: REASON" of each volume, then of the application, as vssctl show has them.
reached() { # SET
	vssctl show --json "$1" | json '["%s %s: %s" % (s["volume"], s["consistency"], s["consistency_reason"])
		for s in d["snapshots"]] + ["%s on %s: %s" % (w["consistency"], " ".join(w["volumes"]), w["reason"])
		for w in d["writers"] if w["name"] == "Counting application"]'
}

# The steps of the set in the order of their ends: those of the application and of a volume.
steps() { # SET
	vssctl timeline --json "$1" | json '["%s %s" % (s["kind"], s["step"])
		for s in sorted(d["steps"], key=lambda s: s["begin_usec"] + s["duration_usec"])
		if s["name"] in ("Counting application", "/srv/a/")]' | uniq | paste -sd ,
}

# What the chart has a bar for, counted.
bars() { # SET KIND
	vssctl timeline --svg - "$1" | python3 -c '
import sys, xml.dom.minidom
groups = xml.dom.minidom.parse(sys.stdin).getElementsByTagName("g")
print(sum(g.getAttribute("class") == "subject " + sys.argv[1] for g in groups))' "$2"
}

start_writer() {
	systemctl reset-failed vss-hook-writer
	systemctl restart vss-hook-writer && wait_for 60 writer_is_registered
}

veto_leaves_nothing() { # WHAT
	check "$1: the application runs again" wait_for 30 application_runs
	check_equal "$1: nothing is left" "$before" "$(machine_state)"
	rm -f $app/fail-* $app/slow-* $app/kill-*
}

vg_make
volume_make a 64M ext4
volume_make b 64M ext4
application_make
load_start /srv/a/counter /srv/b/counter
echo "$load" >$app/pid
check "vss-hook-writer starts and registers the application" start_writer
before=$(machine_state)

try_set
check "a set with the application in it is made" set_made "$answer" /srv/a /srv/b
check_equal "its commands were called in order" "prepare-snapshot freeze thaw post-snapshot" "$(events)"
if [ -n "${set:-}" ]; then
	instant=$(instant_of "$set")
	check "the instant lies between freeze and thaw" \
		[ "$(when freeze)" -lt "$instant" -a "$instant" -lt "$(when thaw)" ]
	check_equal "the copy has what was there when the application was frozen" "$(cat $app/frozen-at)" \
		"$(sed 's/^0*\(.\)/\1/' "${copies[0]}/counter")"
	check_equal "and so had the original until it was thawed" "$(cat $app/frozen-at)" "$(cat $app/thawed-at)"
	check "the copies are of one instant" "$programs/vss-verify" "${copies[0]}/counter" "${copies[1]}/counter"
	check_says "its volume is as the application wants it" '^/srv/a/ application: None$' "$(reached "$set")"
	check_says "the other one is as its file system, and why not more" \
		'^/srv/b/ file-system: no writer that took part has files on it; its file system was flushed and held$' "$(reached "$set")"
	check_says "so it is for the application" '^application on /srv/a/: None$' "$(reached "$set")"
	check_equal "the timeline has the application around the volume" "writer PrepareSnapshot,volume Flush,writer \
Freeze,volume Flush,volume Suspend,volume Commit,volume Resume,writer Thaw,volume Mount,writer PostSnapshot,volume Seal" \
		"$(steps "$set")"
	check_says "it can be read" 's    volume /srv/b/: Suspend +[0-9.]+ ms$' "$(vssctl timeline "$set")"
	check_equal "and drawn: the application" 1 "$(bars "$set" writer)"
	check_equal "and both volumes, once more in the window" 4 "$(bars "$set" volume)"
	check "the set is deleted" vssctl delete "$set"
fi
check "the application runs" application_runs

touch $app/fail-freeze
try_set
check_says "a freeze that fails vetoes the set, in the application's words" 'table 7 is locked by a migration' "$answer"
check_says "and names the application" 'Counting application' "$answer"
check_says "and the phase" 'no snapshot was made \(it failed in Freeze\)' "$answer"
check_says "its thaw ran all the same" '^prepare-snapshot freeze (abort )?thaw' "$(events)"
veto_leaves_nothing "failed freeze"

touch $app/slow-freeze
begin=$SECONDS
try_set
check_says "a freeze beyond its deadline vetoes the set" 'Counting application' "$answer"
check "and is not waited for" [ $((SECONDS - begin)) -lt 50 ]
check_says "its thaw ran all the same" '^prepare-snapshot freeze (abort )?thaw' "$(events)"
veto_leaves_nothing "overrun freeze"

touch $app/fail-prepare-snapshot
try_set
check_says "a failed preparation is reported in the application's words" 'table 7 is locked by a migration' "$answer"
rm $app/fail-prepare-snapshot
check_says "and is why its volume is no more than its file system" \
	'/srv/a/ file-system: writer Counting application, .* failed in PrepareSnapshot: .*table 7 is locked by a migration' \
	"$(reached "$(vssctl list --json | json 'd["snapshots"][0]["snapshot_set_id"]')")"
sets_there | xargs -r vssctl delete >/dev/null 2>&1

touch $app/kill-freeze
try_set
check_says "the writer's death between freeze and thaw fails the set" 'Counting application' "$answer"
veto_leaves_nothing "killed writer"

check "the writer comes back" start_writer
try_set
check "and the next set is made" set_made "$answer" /srv/a /srv/b
[ -z "${set:-}" ] || check "and deleted" vssctl delete "$set"
check "no write of the load failed" load_stop
note "load: ${load_summary:-}"
check "no device is left suspended" no_suspended_device
rm -rf $app $hook
finish
