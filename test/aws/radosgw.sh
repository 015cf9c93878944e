#!/usr/bin/env bash
# An S3 server for tests: Ceph's gateway on one monitor and one store in memory, on loopback, out of Debian 12's packages.
#   radosgw.sh unpack               downloads the packages and unpacks them into the cache; installs nothing, needs no rights
#   radosgw.sh run DIR PORT PID     serves http://127.0.0.1:PORT (the monitor takes PORT+1) until process PID has ended, then
#                                   removes DIR. Writes DIR/ready when it serves, or DIR/failed with the reason.
# Access key and secret are both S3RVER.
set -euo pipefail

cache=${XDG_CACHE_HOME:-$HOME/.cache}/quarterdeck-radosgw
root=$cache/root
packages=(
  radosgw ceph-mon ceph-osd ceph-base ceph-common
  librados2 libradosstriper1 librbd1 librgw2 libcephfs2
  libboost-{context,date-time,filesystem,iostreams,program-options,system,thread}1.74.0
  libaio1 libfmt9 libfuse2 libgoogle-perftools4 libtcmalloc-minimal4 libleveldb1d libsnappy1v5 liblua5.3-0
  libibverbs1 librdmacm1 libnl-3-200 libnl-route-3-200 libndctl6 libdaxctl1 libpmem1 liboath0 librabbitmq4
)

unpack() {
  [ ! -x "$root/usr/bin/radosgw" ] || return 0
  mkdir -p "$cache"
  local work
  work=$(mktemp -d "$cache/unpack.XXXXXX")
  mkdir "$work/debs" "$work/root"
  # A fresh machine has no package lists yet; without the right to fetch them apt-get download says what is wrong.
  apt-get update >"$work/update.log" 2>&1 || true
  if ! (cd "$work/debs" && apt-get download "${packages[@]}") >"$work/download.log" 2>&1; then
    cat "$work/update.log" "$work/download.log" >&2
    rm -rf "$work"
    return 1
  fi
  for deb in "$work"/debs/*.deb; do dpkg -x "$deb" "$work/root" || return 1; done
  rm -rf "$root" && mv "$work/root" "$root" && rm -rf "$work"
}

write_config() {
  cat >ceph.conf <<CONF
[global]
fsid = $1
mon host = [v1:127.0.0.1:$monitor_port]
public addr = 127.0.0.1
ms bind msgr2 = false
auth cluster required = none
auth service required = none
auth client required = none
auth supported = none
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 10000
plugin dir = $lib/ceph
erasure code dir = $lib/ceph/erasure-code
osd class dir = $lib/rados-classes
admin socket =
run dir = $dir
log file = $dir/\$name.log
setuser match path = /nonexistent
[mon]
mon data = $dir/mon
mon cluster log file = $dir/cluster.log
mon data avail crit = 1
mon data avail warn = 1
[osd]
osd data = $dir/osd
osd objectstore = memstore
memstore device bytes = 4294967296
crush location = root=default host=tests
osd crush initial weight = 1
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:$port
rgw dns name = localhost
rgw enable usage log = false
rgw thread pool size = 64
rgw run sync thread = false
CONF
}

# The store sometimes asks the monitor before it knows which cluster it is in, is refused, and ends: it is started again.
keep_store() {
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    "$bin/ceph-osd" -i 0 -c ceph.conf -f >>osd.out 2>&1 &
    echo $! >osd.pid
    wait $! || true
    [ -e osd.pid ] || return 0
    sleep 0.2
  done
}

admin() {
  timeout 90 "$bin/radosgw-admin" -c ceph.conf -n client.rgw "$@" >>admin.out 2>&1
}

# Every step says so when it fails, since bash does not end a function that is tested.
start() {
  local fsid
  fsid=$(cat /proc/sys/kernel/random/uuid)
  mkdir mon osd
  write_config "$fsid"
  "$bin/monmaptool" --create --clobber --fsid "$fsid" --addv a "[v1:127.0.0.1:$monitor_port]" monmap >mkfs.out 2>&1 || return 1
  "$bin/ceph-mon" --mkfs -i a --monmap monmap --mon-data "$dir/mon" -c ceph.conf >>mkfs.out 2>&1 || return 1
  "$bin/ceph-mon" -i a -c ceph.conf -f >mon.out 2>&1 &
  echo $! >mon.pid
  "$bin/ceph-osd" -i 0 --mkfs -c ceph.conf >>mkfs.out 2>&1 || return 1
  keep_store &
  admin user create --uid tests --display-name tests --access-key S3RVER --secret-key S3RVER || return 1
  local class
  for class in STANDARD_IA GLACIER_IR; do
    admin zonegroup placement add --rgw-zonegroup default --placement-id default-placement --storage-class "$class" || return 1
    admin zone placement add --rgw-zone default --placement-id default-placement --storage-class "$class" \
      --data-pool default.rgw.buckets.data || return 1
  done
  "$bin/radosgw" -n client.rgw -c ceph.conf -f >rgw.out 2>&1 &
  echo $! >rgw.pid
  for _ in $(seq 300); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then return 0; fi
    sleep 0.1
  done
  return 1
}

stop() {
  local file pid
  for file in rgw osd mon; do
    pid=$(cat "$dir/$file.pid" 2>/dev/null || true)
    rm -f "$dir/$file.pid"
    if [ -n "$pid" ]; then kill -9 "$pid" 2>/dev/null || true; fi
  done
  wait || true
  rm -rf "$dir"
}

run() {
  dir=$(realpath -m "$1") port=$2 owner=$3
  monitor_port=$((port + 1)) bin=$root/usr/bin lib=$root/usr/lib/x86_64-linux-gnu
  export LD_LIBRARY_PATH=$lib:$lib/ceph:$root/lib/x86_64-linux-gnu CEPH_CONF=$dir/ceph.conf
  mkdir -p "$dir"
  cd "$dir"
  trap stop EXIT
  if unpack 2>failure && start; then touch ready; else
    tail -n 5 failure ./*.out >failed.part 2>&1
    mv failed.part failed
  fi
  while kill -0 "$owner" 2>/dev/null && [ -d "$dir" ]; do sleep 1; done
}

case ${1:-} in
  unpack) unpack ;;
  run) run "${2:?a folder}" "${3:?a port}" "${4:?a process id}" ;;
  *) sed -n '2,7p' "$0" >&2; exit 2 ;;
esac
