#!/usr/bin/env bash
# Debian packages for tests: `debian.sh unpack <package>...` downloads each package and unpacks it into a folder of its name in the
# cache; installs nothing, and what is there stays as it is.
set -euo pipefail

cache=${XDG_CACHE_HOME:-$HOME/.cache}/quarterdeck-debian
usage='usage: debian.sh unpack <package>...'
[ "${1:-}" = unpack ] && [ $# -ge 2 ] || { echo "$usage" >&2; exit 2; }
shift
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9 # tests run at once, and want the same
work=$(mktemp -d "$cache/unpack.XXXXXX")
trap 'rm -rf "$work"' EXIT
updated=

for package in "$@"; do
  [[ $package =~ ^[a-z0-9][a-z0-9+.-]+$ ]] || { echo "$usage" >&2; exit 2; }
  [ ! -d "$cache/$package" ] || continue
  # A fresh machine has no package lists yet; without the right to fetch them apt-get download says what is wrong.
  [ -n "$updated" ] || apt-get update >"$work/update.log" 2>&1 || true
  updated=yes
  mkdir "$work/$package"
  (cd "$work/$package" && apt-get download "$package") >"$work/download.log" 2>&1 || { cat "$work"/*.log >&2; exit 1; }
  dpkg -x "$work/$package"/*.deb "$work/$package/root"
  mv -T "$work/$package/root" "$cache/$package"
done
