#!/usr/bin/env bash
# Makes the file system of the image: the binary, the libraries that it loads, the licences of its parts, certificates of
# authorities, a user. No shell, no package manager. Arguments: the binary, and a folder that is made.
set -euo pipefail
binary=$(realpath "$1")
root=$2

install -D --mode 755 "$binary" "$root/usr/bin/parlance"
# The loader and the libraries, at the places where the loader looks for them.
ldd "$binary" | grep --only-matching --extended-regexp '/[^ ]+' | while read -r library; do
  install -D --mode 755 "$(realpath "$library")" "$root$library"
done
mkdir -p "$root/usr/share/doc/parlance"
"$(dirname "${BASH_SOURCE[0]}")/licences.sh" >"$root/usr/share/doc/parlance/licences"
install -D --mode 644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
install --directory --mode 1777 "$root/tmp"
echo 'parlance:x:65532:65532:Parlance:/data:/nonexistent' >"$root/etc/passwd"
echo 'parlance:x:65532:' >"$root/etc/group"
# Names are looked up in the files that a container is given, then by DNS.
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
