#!/bin/bash
# Starts a real S3 server on loopback: Ceph's gateway with one monitor and one OSD in memory, all in one directory.
# Needs the Debian packages radosgw, ceph-mon and ceph-osd. Takes about a second.
# Environment: S3_PORT (the next 10 ports are used too) and S3_DIR, which must not exist. stop.sh ends it.
set -euo pipefail
PORT=${S3_PORT:?} DIR=${S3_DIR:?}
ACCESS=S3TESTACCESSKEY00001 SECRET=s3-test-secret-key-not-a-real-secret-000
up() { curl -sf -m 5 -o /dev/null "http://127.0.0.1:$PORT/"; }
mkdir -m 755 "$DIR"; mkdir "$DIR/mon" "$DIR/osd" "$DIR/rgw" "$DIR/log"
FSID=$(cat /proc/sys/kernel/random/uuid) OSD=$(cat /proc/sys/kernel/random/uuid)
cat >"$DIR/ceph.conf" <<E
[global]
fsid = $FSID
mon host = [v2:127.0.0.1:$((PORT+1))]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind msgr1 = false
ms bind port min = $((PORT+2))
ms bind port max = $((PORT+10))
keyring = $DIR/keyring
run dir = $DIR
admin socket = $DIR/\$name.asok
pid file = $DIR/\$name.pid
crash dir = $DIR
log file = $DIR/log/\$name.log
[mon]
mon data = $DIR/mon
mon cluster log file = $DIR/log/cluster.log
mon data avail warn = 1
mon data avail crit = 0
mon allow pool size one = true
mon max pg per osd = 1000
paxos propose interval = 0.02
paxos min wait = 0.01
auth allow insecure global id reclaim = false
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
[osd]
osd data = $DIR/osd
osd objectstore = memstore
osd class load list = *
osd class default list = *
osd memory target = 939524096
osd numa auto affinity = false
osd fast shutdown notify mon = false
memstore device bytes = 4294967296
[client]
rgw data = $DIR/rgw
rgw frontends = beast endpoint=127.0.0.1:$PORT
rgw thread pool size = 32
rgw multipart min part size = 65536
rgw override bucket index max shards = 1
rgw dynamic resharding = false
rgw gc obj min wait = 5
rgw gc processor period = 10
E
key() { ceph-authtool "$DIR/keyring" --gen-key -n "$@" >/dev/null; }
ceph-authtool -C "$DIR/keyring" >/dev/null
key mon. --cap mon 'allow *'
key client.admin --cap mon 'allow *' --cap osd 'allow *'
key osd.0 --cap mon 'allow profile osd' --cap osd 'allow *'
monmaptool --create --fsid "$FSID" --addv a "[v2:127.0.0.1:$((PORT+1))]" "$DIR/monmap" >/dev/null
as=(-c "$DIR/ceph.conf")
if [ "$(id -u)" = 0 ]; then chown -R ceph:ceph "$DIR"; as+=(--setuser ceph --setgroup ceph); fi
step() { local log=$1; shift; timeout 60 "$@" >"$DIR/log/$log" 2>&1 || { cat "$DIR/log/$log" >&2; echo "failed: $*" >&2; exit 1; }; }
launch() { local log=$1; shift; setsid "$@" -f >"$DIR/log/$log" 2>&1 </dev/null & echo $! >>"$DIR/pids"; }
step mon-mkfs ceph-mon "${as[@]}" -i a --mkfs --monmap "$DIR/monmap" --keyring "$DIR/keyring"
launch mon ceph-mon "${as[@]}" -i a
step osd-new /usr/bin/python3 /usr/bin/ceph -c "$DIR/ceph.conf" osd new "$OSD"
step osd-mkfs ceph-osd "${as[@]}" -i 0 --mkfs --osd-uuid "$OSD"
launch osd ceph-osd "${as[@]}" -i 0
step user radosgw-admin -c "$DIR/ceph.conf" user create --uid=test --display-name=test --access-key=$ACCESS --secret-key=$SECRET
launch rgw radosgw "${as[@]}" -n client.admin
for _ in $(seq 300); do
  if up; then printf '{"accessKeyId":"%s","secretAccessKey":"%s"}\n' $ACCESS $SECRET; exit 0; fi
  sleep 0.1
done
echo 'S3 server not ready after 30 s; its logs:' >&2; tail -n 20 "$DIR"/log/* >&2; exit 1
