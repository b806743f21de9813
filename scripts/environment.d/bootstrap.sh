#!/usr/bin/env bash
# Fill a folder with a Debian system that holds the packages of debian-packages*.txt. Started by root.sh, which owns
# locks, clean-up and the final rename. As an ordinary user mmdebstrap works under subordinate user ids and its result
# is copied, so that the user owns every file of the folder.
set -euo pipefail
new=$1 work=$2 suite=$3 mirror=$4 parent=$5
parts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$parts/apt.sh"
. "$parts/root.sh"

options=(
    --variant=apt
    --include="$(root_packages | paste -sd,)"
    # without it dpkg waits for the disk after every file and takes twice as long; the folder is synced at the end
    --dpkgopt=force-unsafe-io
    --dpkgopt='path-exclude=/usr/share/doc/*'
    --dpkgopt='path-include=/usr/share/doc/*/copyright'
    --dpkgopt='path-exclude=/usr/share/man/*'
    --dpkgopt='path-exclude=/usr/share/locale/*'
    --dpkgopt='path-exclude=/usr/share/info/*'
    --aptopt='Acquire::Retries "3"'
    --aptopt='Acquire::http::Timeout "30"'
)
# Proxies and similar settings of this machine's apt
while IFS= read -r setting; do
    options+=(--aptopt="${setting%;}")
done < <(apt-config dump 2>/dev/null | grep -E '^Acquire::(https?::.*|ForceIPv[46]|Check-[A-Za-z-]+) "[^"]+";' || true)

source=()
if [ -n "$mirror" ]; then
    keyring=$(compgen -G "/usr/share/keyrings/debian-archive-keyring.*" | sort | head -n 1)
    source=("deb [${keyring:+signed-by=$keyring}] $mirror $suite main")
    source=("${source[0]/\[\] /}")
fi

# When the script that started this one is killed, nothing lives on: this process group, its own, is ended too.
(
    trap '' TERM
    while kill -0 "$parent" 2>/dev/null; do sleep 1; done
    kill -TERM -- "-$$"
    sleep 20
    kill -KILL -- "-$$"
) 9>&- &
watcher=$!
trap 'kill -KILL "$watcher"' EXIT

export TMPDIR=$work
if [ "$(id -u)" = 0 ]; then
    chmod 755 "$work"
    # in namespaces of its own, so that nothing stays mounted either
    unshare --mount --pid --fork --kill-child \
        mmdebstrap --mode=auto --format=directory "${options[@]}" "$suite" "$new" "${source[@]}"
else
    chmod 1777 "$work"
    mkdir -p "$new"
    mmdebstrap --mode=unshare --format=tar "${options[@]}" "$suite" - "${source[@]}" |
        tar -x --no-same-owner --exclude='./dev/*' -C "$new"
fi

# Files of the machine are mounted over these when the folder is entered, and mounting needs a file to mount on.
for name in resolv.conf hosts hostname passwd group pip.conf localtime; do
    if [ -L "$new/etc/$name" ]; then rm "$new/etc/$name"; fi
    if [ ! -e "$new/etc/$name" ]; then : >"$new/etc/$name"; fi
done
rm -rf "${new:?}"/dev/* "$new"/etc/apt/apt.conf.d/99mmdebstrap
rm -rf "$work"
