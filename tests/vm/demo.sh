#!/bin/bash
# `make demo`, in the VM: one instant over three volumes, from volumes that are written to, to a file
# that is restored, to nothing left. Ends with 0 only if each step was verified.
. "$(dirname "$0")/lib.sh"

# The application that the hook writer freezes: what it notes, and its commands.
mail=/run/mail
mail_commands=/usr/local/lib/mail

if [ -t 1 ]; then bold=$'\e[1m' plain=$'\e[0m'; else bold='' plain=''; fi

step() {
	printf '\n%s== %s%s\n' "$bold" "$*" "$plain"
}

show() { # COMMAND...
	printf '$ %s\n' "$*"
	"$@"
}

verified() { # WHAT COMMAND...
	local what=$1
	shift
	if "$@" >"$work/output" 2>&1; then
		printf '   verified: %s\n' "$what"
	else
		printf '   FAILED: %s: %s\n' "$what" "$(cat "$work/output")"
		failures=$((failures + 1))
	fi
}

# A program that delivers mail all the time, and its commands for the hook writer.
mail_start() {
	mkdir -p "$mail" "$mail_commands"
	bash -c 'n=0; while :; do n=$((n + 1)); echo "message $n" >>/srv/mail/inbox; sleep 0.05; done' >/dev/null 2>&1 &
	mail_pid=$!
	cat >"$mail_commands/freeze" <<-EOS
		#!/bin/sh
		kill -STOP $mail_pid && wc -l </srv/mail/inbox >$mail/frozen-at && date +%s.%N >$mail/freeze-time
	EOS
	cat >"$mail_commands/thaw" <<-EOS
		#!/bin/sh
		wc -l </srv/mail/inbox >$mail/thawed-at && date +%s.%N >$mail/thaw-time && kill -CONT $mail_pid
	EOS
	chmod 755 "$mail_commands"/*
	mkdir -p /etc/vss/writers.d
	cat >/etc/vss/writers.d/mail.conf <<-EOS
		[Writer]
		Name=Mail delivery
		[Commands]
		Freeze=$mail_commands/freeze
		Thaw=$mail_commands/thaw
		[Paths]
		Include=/srv/mail * recursive
	EOS
	systemctl start vss-hook-writer && wait_for 60 writer_is_registered
}

writer_is_registered() {
	vssctl writers --json | grep -q '"Mail delivery"'
}

tidy() {
	[ -z "${mail_pid:-}" ] || kill -KILL "$mail_pid"
	rm -rf "$mail" "$mail_commands"
	clean_up
} >/dev/null 2>&1
trap tidy EXIT

step "Three LVM volumes, mounted"
vg_make
volume_make web 96M ext4
volume_make db 320M xfs
volume_make mail 96M ext4
echo "the only copy" >/srv/web/important.txt
show lvs -o vg_name,lv_name,lv_size "$vg"
show vssctl volumes
show findmnt -t ext4,xfs -o TARGET,SOURCE,FSTYPE
before=$(machine_state)

step "A program writes related records without pause: each number to web, then to db"
load_start /srv/web/counter /srv/db/counter
sleep 2
printf 'web has %s, db has %s; its longest pause between two writes was %.0f ms so far\n' \
	"$(load_value)" "$(sed 's/^0*\(.\)/\1/' /srv/db/counter)" "$(load_pause)"

step "An application with freeze and thaw commands, known to vss-hook-writer"
verified "it registered as a writer" mail_start
show cat /etc/vss/writers.d/mail.conf
show vssctl writers

step "A snapshot set of all three, while everything is written to"
low=$(load_value)
load_pause >/dev/null
show vssctl create --keep --timeline /srv/web /srv/db /srv/mail
status=$?
pause=$(load_pause)
high=$(load_value)
verified "vssctl succeeded" [ "$status" -eq 0 ]
printf 'The write freeze, as the writing program saw it: %.0f ms (its longest wait for a write meanwhile)\n' "$pause"
verified "the program was never kept waiting for 10 s" [ "${pause%.*}" -lt 10000 ]
answer=$(vssctl list --json)
set=$(json 'd["snapshots"][0]["snapshot_set_id"]' <<<"$answer")
copy_of() { # VOLUME
	json "[s['device_object'] for s in d['snapshots'] if s['volume_display_name'] == '$1'][0]" <<<"$answer"
}
web=$(copy_of /srv/web)
db=$(copy_of /srv/db)
mailcopy=$(copy_of /srv/mail)

step "The application was frozen around the instant"
printf 'frozen at %s, thawed at %s\n' "$(cat $mail/freeze-time)" "$(cat $mail/thaw-time)"
verified "nothing was delivered meanwhile" cmp $mail/frozen-at $mail/thawed-at
verified "and the copy has all up to then, no more" [ "$(wc -l <"$mailcopy/inbox")" = "$(cat $mail/frozen-at)" ]
delivers_again() {
	wait_for 10 eval "[ \$(wc -l </srv/mail/inbox) -gt $(cat "$mail/thawed-at") ]"
}
verified "mail is delivered again" delivers_again

step "The copies"
show vssctl list
verified "there are three" [ "$(json 'len(d["snapshots"])' <<<"$answer")" = 3 ]

step "Across the volumes the copy is of one instant"
show "$programs/vss-verify" "$web/counter" "$db/counter"
verified "one instant, within the set's making" "$programs/vss-verify" --between "$low" "$high" "$web/counter" "$db/counter"
verified "while the originals have gone on" [ "$(load_value)" -gt "$high" ]

step "A file is deleted by mistake, and restored from the copy"
show rm /srv/web/important.txt
show cp "$web/important.txt" /srv/web/important.txt
verified "it is back" grep -qx "the only copy" /srv/web/important.txt

step "The set is deleted"
show vssctl delete "$set"
show lvs -o vg_name,lv_name,lv_size "$vg"
show dmsetup ls
nothing_left() {
	diff <(echo "$before") <(machine_state)
}
verified "nothing is left" nothing_left
verified "no write of the program failed" load_stop
# total MILLISECONDS writes COUNT last NUMBER
awk 'NF == 6 { printf "The writing program: %d writes, the last of the number %d; its longest pause between two: %.0f ms\n", $4, $6, $2 }' \
	<<<"${load_summary:-}"

if [ "$failures" -eq 0 ]; then
	printf '\n%sAll of it was verified.%s\n' "$bold" "$plain"
else
	printf '\n%s%d steps were not as they should be.%s\n' "$bold" "$failures" "$plain"
fi
[ "$failures" -eq 0 ]
exit
