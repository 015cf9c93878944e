#!/usr/bin/env bash
# Debian's Prometheus for tests: `prometheus.sh unpack` downloads the package and unpacks it into the cache; installs nothing.
set -euo pipefail

cache=${XDG_CACHE_HOME:-$HOME/.cache}/quarterdeck-prometheus
root=$cache/root
[ "${1:-}" = unpack ] || { echo 'usage: prometheus.sh unpack' >&2; exit 2; }
[ ! -x "$root/usr/bin/prometheus" ] || exit 0
mkdir -p "$cache"
work=$(mktemp -d "$cache/unpack.XXXXXX")
trap 'rm -rf "$work"' EXIT
# A fresh machine has no package lists yet; without the right to fetch them apt-get download says what is wrong.
apt-get update >"$work/update.log" 2>&1 || true
(cd "$work" && apt-get download prometheus) >"$work/download.log" 2>&1 || { cat "$work"/*.log >&2; exit 1; }
mkdir "$work/root"
dpkg -x "$work"/prometheus_*.deb "$work/root"
rm -rf "$root"
mv "$work/root" "$root"
