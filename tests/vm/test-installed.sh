#!/bin/bash
# What `meson install` puts where, and that it works there: the bus starts the service, systemd
# watches over it, vssctl reaches it on another host.
. "$(dirname "$0")/lib.sh"

installed() { # WHAT PATTERN
	check_says "installed: $1" "^\./$2\$" "$(cat "$programs/installed")"
}

installed "vssctl" 'usr/bin/vssctl'
installed "vssd" 'usr/(sbin|libexec|lib/vssd?)/vssd'
installed "vss-hook-writer" 'usr/(s?bin|libexec|lib/vssd?)/vss-hook-writer'
installed "the library, by its soname" 'usr/lib/.*/libvssclient\.so\.[0-9]+'
installed "the library's file" 'usr/lib/.*/libvssclient\.so\.[0-9]+\.[0-9.]+'
installed "the library, to link with" 'usr/lib/.*/libvssclient\.so'
installed "the pkg-config file" 'usr/lib/.*/pkgconfig/libvssclient\.pc'
for header in vss vsserror vsbackup vswriter vsmetadata vscomponent vsfiles vsmgmt vsprov vsslinux; do
	installed "$header.h" "usr/include/vss/$header\.h"
done
installed "the bus policy" 'usr/share/dbus-1/system\.d/.*\.conf'
installed "the activation file" 'usr/share/dbus-1/system-services/org\.vssd\.Vss1\.service'
for interface in Manager BackupComponents Async SnapshotSet Snapshot SnapshotProvider Writer Provider WriterEvents; do
	installed "the interface $interface" "usr/share/dbus-1/interfaces/org\.vssd\.Vss1\.$interface\.xml"
done
installed "the service's unit" '(usr/)?lib/systemd/system/vssd\.service'
installed "the hook writer's unit" '(usr/)?lib/systemd/system/vss-hook-writer\.service'
installed "the udev rule" '(usr/)?lib/udev/rules\.d/.*vss.*\.rules'
installed "the generator" '(usr/)?lib/systemd/system-generators/vss-adopted-generator'
installed "the service of adopted volumes" '(usr/)?lib/systemd/system/vss-adopted@\.service'
installed "the initramfs hook" 'usr/share/initramfs-tools/hooks/vss-adopted'
installed "the initramfs scripts" 'usr/share/initramfs-tools/scripts/local-premount/vss-adopted'
installed "the initramfs scripts" 'usr/share/initramfs-tools/scripts/local-top/vss-adopted'
installed "the initramfs hook of the udev rule" 'usr/share/initramfs-tools/hooks/vss'
installed "the provider of btrfs" 'usr/(s?bin|libexec|lib/vssd?)/vss-btrfs-provider'
installed "its unit" '(usr/)?lib/systemd/system/vss-btrfs-provider\.service'
installed "its activation file" 'usr/share/dbus-1/system-services/org\.vssd\.Provider\.Btrfs1\.service'
for page in vss-btrfs-provider.8 vssd.8 vssctl.8 vss-adopted.5 vss-hook-writer.8 vss-hook-writer.conf.5; do
	installed "the man page $page" "usr/share/man/man${page##*.}/${page//./\\.}"
done
for schema in writer-metadata backup-components; do
	installed "the schema $schema" "usr/share/vss/schemas/$schema\.xsd"
done
for example in writer requester; do
	installed "the example $example.c" "usr/share/doc/vssd/examples/$example\.c"
done
installed "the library's reference" 'usr/share/doc/.*libvssclient-reference\.md'
check_equal "no test program is installed" "" \
	"$(grep -E 'vss-(counter|verify|calls)|window-floor|/test-' "$programs/installed")"
check "the units are without fault" systemd-analyze verify --man=no vssd.service vss-hook-writer.service \
	vss-btrfs-provider.service

systemctl stop vssd 2>/dev/null
check_equal "the service does not run" inactive "$(systemctl is-active vssd)"
check "the first call starts it" busctl --timeout=60 call org.vssd.Vss1 /org/vssd/Vss1 org.freedesktop.DBus.Peer Ping
check_equal "then it runs" active "$(systemctl is-active vssd)"
check_says "it introspects" 'interface name="org.vssd.Vss1.Manager"' "$(busctl call org.vssd.Vss1 /org/vssd/Vss1 \
	org.freedesktop.DBus.Introspectable Introspect | sed 's/\\//g')"
check_says "its properties are read" '^s "[0-9]+\.' "$(busctl get-property org.vssd.Vss1 /org/vssd/Vss1 org.vssd.Vss1.Manager Version)"

# The watchdog: a service that hangs is ended and started anew.
check "the unit has a watchdog" [ "$(systemctl show -P WatchdogUSec vssd)" != 0 ]
must mkdir -p /run/systemd/system/vssd.service.d
printf '[Service]\nWatchdogSec=4\n' >/run/systemd/system/vssd.service.d/test.conf
must systemctl daemon-reload
must systemctl restart vssd
sleep 10
check_equal "it feeds the watchdog" active "$(systemctl is-active vssd)"
pid=$(systemctl show -P MainPID vssd)
must kill -STOP "$pid"
service_is_new() {
	local now
	now=$(systemctl show -P MainPID vssd)
	[ "$now" != "$pid" ] && [ "$now" != 0 ] && systemctl is-active -q vssd
}
check "when it hangs it is started anew" wait_for 60 service_is_new
rm -r /run/systemd/system/vssd.service.d
must systemctl daemon-reload
check "and answers" vssctl list

# vssctl -H, over an sshd on the loop-back.
must ssh-keygen -q -A
must mkdir -p -m 700 /root/.ssh /run/sshd
must ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
cp /root/.ssh/id_ed25519.pub /root/.ssh/authorized_keys
sed 's/^/localhost /' /etc/ssh/ssh_host_ed25519_key.pub >/root/.ssh/known_hosts
ip link set lo up 2>/dev/null
must /usr/sbin/sshd -o PidFile=/run/sshd/pid -o PermitRootLogin=yes
answer=$(vssctl -H localhost volumes --json 2>&1)
check_says "vssctl -H localhost volumes" '"volumes"' "$answer"
vssctl -H localhost delete ShadowCopy999 >/dev/null 2>&1
check_equal "vssctl -H hands the exit status on" 2 $?
kill "$(cat /run/sshd/pid)"
rm -rf /root/.ssh
finish
