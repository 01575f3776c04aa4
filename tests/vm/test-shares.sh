#!/bin/bash
# Copies as clients of file servers have them, served by Samba's smbd and the kernel's nfsd: client-accessible ones as
# the previous versions of a share, others exposed as a usershare and an export; over restarts, and a reboot of the
# machine.
#
# usage: test-shares.sh before|after: in the first boot, and in the second one on the same disks.
. "$(dirname "$0")/lib.sh"
trap - EXIT # the disks are kept

vg=pond
conf=/etc/vss/vssd.conf
# The image has masked them for the sake of all other tests.
units=(smbd.service nfs-server.service)
generators=(/etc/systemd/system-generators/{nfs-server,rpc-pipefs}-generator)
kept=/etc/test-shares # between the boots

smb() { # USER SHARE COMMAND
	smbclient "//127.0.0.1/$2" -U "$1%pw" -c "$3" 2>&1
}

# The times under which a file of a share has previous versions, in the order in which they come.
versions() { # SHARE FILE
	smb alice "$1" "allinfo $2" | grep '^@GMT-'
}

reads() { # USER SHARE FILE TEXT
	local text
	text=$(smbclient "//127.0.0.1/$2" -U "$1%pw" -c "get $3 -" 2>"$work/said") || {
		cat "$work/said"
		return 1
	}
	[ "$text" = "$4" ] || {
		echo "it is '$text'; $(cat "$work/said")"
		return 1
	}
}

# Of the copies of the volume a, oldest first; of client and client-writers alike.
ids_of() { # CONTEXT
	vssctl list --json | json "[s['snapshot_id'] for s in sorted(d['snapshots'], key=lambda s: s['created_unix'])
		if s['volume'] == '/srv/a/' and s['context'].startswith('$1')]"
}

names_of() { # CONTEXT
	vssctl list --json | json "[time.strftime('@GMT-%Y.%m.%d-%H.%M.%S', time.gmtime(s['created_unix']))
		for time in [__import__('time')] for s in sorted(d['snapshots'], key=lambda s: s['created_unix'])
		if s['volume'] == '/srv/a/' and s['context'].startswith('$1')]"
}

entries() {
	find /run/vss-previous/srv/a -mindepth 1 -maxdepth 1 -printf '%f\n' | sort
}

serve() { # from now on, at each boot
	must rm "${generators[@]}"
	must systemctl unmask --quiet "${units[@]}"
	must systemctl enable --quiet "${units[@]}"
	must systemctl start "${units[@]}"
	check "smbd serves" wait_for 60 smb alice all 'ls'
}

servers_prepare() {
	local user
	cat >/etc/samba/smb.conf <<-'EOC'
		[global]
		    server role = standalone server
		    map to guest = never
		    disable netbios = yes
		    smb ports = 445
		    interfaces = lo
		    load printers = no
		    printcap name = /dev/null
		    usershare max shares = 100
		[all]
		    path = /srv/a
		    vfs objects = shadow_copy2
		    shadow:snapdir = /run/vss-previous/srv/a
		    shadow:sort = desc
		    read only = no
		[part]
		    path = /srv/a/team/docs
		    vfs objects = shadow_copy2
		    shadow:snapdir = /run/vss-previous/srv/a
		[plain]
		    path = /srv/a
	EOC
	mkdir -p /etc/nfs.conf.d
	printf '[nfsd]\nvers3=n\nhost=127.0.0.1\nthreads=1\ngrace-time=10\nlease-time=10\n' >/etc/nfs.conf.d/test.conf
	for user in alice bob; do
		must useradd -M "$user"
		must eval "printf 'pw\npw\n' | smbpasswd -s -a $user"
	done
}

previous_versions() {
	local first second
	mapfile -t names < <(names_of client)
	first=${names[0]} second=${names[1]}
	check_equal "they are there by the times that they were made" "$first
$second" "$(entries)"
	check_equal "Samba lists them, the last one first" "$second
$first" "$(versions all file)"
	check_equal "in a share of a directory as well" "$first
$second" "$(versions part file | sort)"
	check_equal "and nowhere else" "" "$(versions plain file)"
	check "the first one is read" reads alice all "$first/file" one
	check "and the second" reads alice all "$second/file" two
	check "and what is there now" reads alice all file three
	check "in the directory" reads alice part "$first/file" "docs one"
	check "who has a file reads its copy" reads alice all "$first/private" "alice's"
	check_says "and nobody else" NT_STATUS_ACCESS_DENIED "$(smb bob all "get $first/private -")"
	check "who could read it then has it" reads bob all "$first/file" one
	check_says "nobody adds to a copy" NT_STATUS_OBJECT_NAME_NOT_FOUND "$(smb alice all "put /etc/hostname $first/new")"
	check_says "nor writes to a file of it" 'NT_STATUS_(ACCESS_DENIED|MEDIA_WRITE_PROTECTED)' "$(smb alice all "put /etc/hostname $first/file")"
	check "which is what it was" reads alice all "$first/file" one
	check "but to the volume" smb alice all "put /etc/hostname new"
}

usershare() { # ID
	check_says "before there is no such share" BAD_NETWORK_NAME "$(smb alice yesterday 'ls')"
	check "a copy is exposed as a usershare" vssctl expose "$1" --share smb:yesterday
	check "a client reads it" reads alice yesterday file one
	check_says "but for what they may not" NT_STATUS_ACCESS_DENIED "$(smb bob yesterday 'get private -')"
	check_says "and does not write" 'NT_STATUS_(ACCESS_DENIED|MEDIA_WRITE_PROTECTED)' "$(smb alice yesterday 'put /etc/hostname new')"
	must systemctl restart smbd.service
	check "over a restart of smbd" wait_for 30 reads alice yesterday file one
	must systemctl restart vssd.service
	check "and of the service" reads alice yesterday file one
	check "it is ended" vssctl unexpose "$1"
	check_says "and there is no such share" BAD_NETWORK_NAME "$(smb alice yesterday 'ls')"
}

nfs_mount() {
	timeout 120 mount -t nfs4 -o soft,timeo=100,retrans=2,retry=0 127.0.0.1:/run/vss-shares/yesterday /mnt/nfs
}

nfs_shows() { # TEXT
	nfs_mount || return
	[ "$(cat /mnt/nfs/file)" = "$1" ] && ! touch /mnt/nfs/new 2>/dev/null && ! cat /mnt/nfs/private 2>/dev/null
	local status=$?
	umount /mnt/nfs
	return $status
}

export_of() { # ID
	mkdir -p /mnt/nfs
	check_says "without clients there is no export" VSS_E_PROVIDER_VETO "$(vssctl expose "$1" --share nfs:yesterday 2>&1)"
	mkdir -p /etc/vss
	printf '[Shares]\nNfsClients=127.0.0.1\n' >$conf
	must systemctl restart vssd.service
	check "before there is nothing to mount" eval '! nfs_mount'
	check "a copy is exposed as an export" vssctl expose "$1" --share nfs:yesterday
	check "nfsd serves it: whole, read-only, root squashed" nfs_shows one
	must systemctl restart nfs-server.service
	must systemctl restart vssd.service
	check "over a restart of nfsd and the service" nfs_shows one
	must nfs_mount
	exec 9</mnt/nfs/file
	check "it is ended, though a client is reading" vssctl unexpose "$1"
	exec 9<&-
	check "who has it mounted gets no more of it" eval '! timeout 60 ls /mnt/nfs'
	umount -l /mnt/nfs
	check "nor does anybody else" eval '! nfs_mount'
	check_equal "nothing of it is left" "" "$(exportfs -s)$(ls -A /run/vss-shares)"
}

before() {
	local id
	vg_make /dev/disk/by-id/virtio-data2
	volume_make a 160M ext4
	servers_prepare
	mkdir -p /srv/a/team/docs
	chmod 1777 /srv/a
	echo one >/srv/a/file
	echo docs one >/srv/a/team/docs/file
	echo "alice's" >/srv/a/private
	chown alice /srv/a/private
	chmod 600 /srv/a/private
	check "a copy for a backup" vssctl create --context nas-rollback /srv/a
	check "a client-accessible one" vssctl create --context client /srv/a
	echo two >/srv/a/file
	check "another one, with writers" vssctl create --context client-writers /srv/a
	echo three >/srv/a/file

	serve
	previous_versions
	id=$(ids_of nas-rollback)
	usershare "$id"
	export_of "$id"

	check "the service starts anew" systemctl restart vssd.service
	check_equal "and they are what they were" "$(names_of client)" "$(versions part file | sort)"
	mapfile -t ids < <(ids_of client)
	check_says "they are not exposed" VSS_E_UNSUPPORTED_CONTEXT "$(vssctl expose "${ids[0]}" --share smb:x 2>&1)"
	check "without its second one" vssctl delete "${ids[1]}"
	check_equal "the volume has one previous version" "$(names_of client)" "$(versions all file)"
	names_of client >$kept
	check "one that the second boot has to export again" vssctl expose "$id" --share nfs:yesterday
	sync
	finish
}

after() {
	local id
	vgchange -qq -ay "$vg"
	must vssctl list
	check_equal "after a boot it has its name" "$(cat $kept)" "$(entries)"
	check "and nfsd serves the other one" nfs_shows one
	must mount "/dev/$vg/a" /srv/a
	check "so does smbd" wait_for 60 smb alice all 'ls'
	check_equal "and lists it" "$(cat $kept)" "$(versions all file)"
	check "it is read" reads alice part "$(cat $kept)/file" "docs one"
	id=$(ids_of client)
	exec 9<"/run/vss-previous/srv/a/$(cat $kept)/file"
	check_says "one that is in use is not deleted, and who uses it is named" "\\($$\\)" "$(vssctl delete "$id" 2>&1)"
	exec 9<&-
	check "it is there all the same" reads alice all "$(cat $kept)/file" one
	check "now it is deleted" vssctl delete "$id"
	check_equal "and there is none" "" "$(versions all file)"
	check_equal "nor anything of it" "" "$(ls -A /run/vss-previous)"
	check "the rest goes by force" vssctl delete --force "$(ids_of nas-rollback)"
	check "with its export" eval '! nfs_mount'
	systemctl disable --quiet --now "${units[@]}"
	rm -f $conf
	must umount /srv/a
	must vgremove -qq -ff -y "$vg"
	finish
}

"$1"
