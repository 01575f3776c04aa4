# shellcheck shell=bash
# What a VM takes from the backports of Debian's release, as its image takes the release: made once, in a folder that is
# named for the recipe, appears whole or not at all, and is never written again.

set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "$0")" && pwd)
store=$(cd "$here/../.." && pwd)/build/vm
release=bookworm # as the image is

say() {
	echo "vm/$(basename "$0"): $*" >&2
}

die() {
	say "$@"
	exit 1
}

# The host's own source of the release, turned to its backports.
backports_source() {
	# shellcheck disable=SC2016 # apt fills these in
	apt-get indextargets 'Created-By: Packages' 'Origin: Debian' "Release: $release" 'Component: main' \
		--format '$(REPO_URI)' | awk -v suite="$release-backports" 'NR == 1 { print "deb", $1, suite, "main" }'
}

# backports_look FOLDER: reads, in FOLDER, which packages there are.
backports_look() {
	mkdir -p "$1/lists/partial" "$1/cache/archives/partial"
	backports_source >"$1/sources.list"
	[ -s "$1/sources.list" ] || die "apt has no source of Debian's $release"
	apt_options=(-qq -o "Dir::Etc::SourceList=$1/sources.list" -o Dir::Etc::SourceParts=/dev/null
		-o "Dir::State::Lists=$1/lists" -o "Dir::Cache=$1/cache" -o APT::Sandbox::User=root -o APT::Architecture=amd64
		-o Acquire::Retries=5)
	apt-get "${apt_options[@]}" update >&2
}

# backports_unpack FOLDER TREE PACKAGE...: unpacks them, without what they depend on, into TREE.
backports_unpack() {
	local folder=$1 tree=$2 package
	shift 2
	(cd "$folder" && apt-get "${apt_options[@]}" download "${@/%//$release-backports}" >&2)
	for package in "$folder"/*.deb; do
		dpkg-deb -x "$package" "$tree"
		rm "$package"
	done
}

# make_once NAME MAKER: prints the folder of NAME, which MAKER FOLDER makes if it is not there yet.
make_once() {
	local final
	final=$store/$1-$(cat "$0" "$here/lib-backports.sh" | sha256sum | cut -c 1-16)
	if [ ! -d "$final" ]; then
		mkdir -p "$store"
		exec 9>"$store/$1.lock"
		flock 9
		if [ ! -d "$final" ]; then # nobody else made it meanwhile
			rm -rf "$store/$1"-*
			new=$(mktemp -d "$store/new-$1.XXXXXX")
			trap 'rm -rf "$new"' EXIT
			trap 'exit 130' INT TERM
			say "making $1 (once)"
			"$2" "$new"
			chmod 755 "$new"
			mv "$new" "$final"
		fi
	fi
	echo "$final"
}
