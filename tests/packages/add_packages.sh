#!/bin/sh
# Installs packages over a tree of Debian that stays as it is; what they write is in SCRATCH/upper. Called with
# unshare --mount. usage: add_packages.sh TREE SCRATCH PACKAGE...
set -eu
tree=$1
scratch=$2
shift 2
root=$scratch/root
mkdir "$scratch/upper" "$scratch/work" "$root"
mount -t overlay overlay -o "lowerdir=$tree,upperdir=$scratch/upper,workdir=$scratch/work" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/tmp"
# How this computer finds Debian's packages.
cat /etc/resolv.conf >"$root/etc/resolv.conf"
export DEBIAN_FRONTEND=noninteractive
chroot "$root" apt-get -q update
chroot "$root" apt-get -q -y install --no-install-recommends "$@"
chroot "$root" apt-get clean
rm -rf "$root"/var/lib/apt/lists/*
