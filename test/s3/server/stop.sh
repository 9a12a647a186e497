#!/bin/bash
# Ends what start.sh started (saved process ids, each checked to be of this directory), and removes its directory.
set -uo pipefail
DIR=${S3_DIR:?}
[ -d "$DIR" ] || exit 0
ours() { cat "/proc/$1/cmdline" 2>/dev/null | tr '\0' ' ' | grep -qF "$DIR/"; }
pids=$(cat "$DIR/pids" 2>/dev/null)
for p in $pids; do if ours "$p"; then kill -KILL "$p"; fi; done
for _ in $(seq 50); do                                   # until their ports are free
  left=; for p in $pids; do if ours "$p"; then left=1; fi; done
  [ -n "$left" ] || break; sleep 0.1
done
rm -rf "$DIR"
