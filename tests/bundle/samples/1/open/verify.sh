#!/bin/sh
# Checks a bundle with openssl 3, sha256sum, base64, od and xxd (or awk). Writes only to a folder that it removes.
#   sh verify.sh [-k KEY.pem] [-c CHECKPOINT]... [-d FOLDER]
# -k  the public key that you were given, not the one in the bundle     -c  a checkpoint that you kept yourself
# Ends with 0: right. 1: wrong. 2: it cannot be checked. 3: right, if the key in the bundle is the ledger's.
LC_ALL=C; export LC_ALL; set -u
folder=$(dirname "$0") key='' kept='' newline='
'
from_here() { case $1 in /*) echo "$1";; *) echo "$PWD/$1";; esac; }
while getopts k:c:d: option; do
  case $option in k) key=$(from_here "$OPTARG");; c) kept=$kept$(from_here "$OPTARG")$newline;; d) folder=$OPTARG;; *) exit 2;; esac
done
openssl pkeyutl -help 2>&1 | grep -q rawin || { echo "openssl 3 is needed" >&2; exit 2; }
t=$(mktemp -d) && trap 'rm -rf "$t"' EXIT && mkdir "$t/n" && cd "$folder" || exit 2
shown() { tr -cd '[:print:]\n'; } # nothing in a stranger's file may move the cursor
wrong() { echo "WRONG: $*" | shown >&2; exit 1; }

# --- What everything is made of: SHA-256, Ed25519, the tree of RFC 6962 ---
unhex() { if command -v xxd >/dev/null; then xxd -r -p; else printf "$(awk '
  function value(i) { return index("0123456789abcdef", substr($0, i, 1)) - 1 }
  { for (i = 1; i < length($0); i += 2) printf "\\%03o", 16 * value(i) + value(i + 1) }')"; fi; }
hex() { printf %s "$1" | base64 -d 2>/dev/null | od -An -v -tx1 | tr -d ' \n'; }
sha() { sha256sum | cut -c1-64; }
leaf() { { printf '\0'; printf %s "$1"; } | sha; }
node() { printf '01%s%s' "$1" "$2" | unhex | sha; }
number() { case $1 in 0|[1-9]|[1-9]*[0-9]) case $1 in *[!0-9]*) wrong "not a number: $1";; esac;; *) wrong "not a number: $1";; esac; }
line() { sed -n "$1p" "$2"; }
signed() { # whether key $1 signed the note $2, whose size and root it leaves
  sed '/^$/,$d' "$2" >"$t/text"; size=$(line 2 "$t/text"); root=$(hex "$(line 3 "$t/text")"); number "$size"
  sed '1,/^$/d' "$2" | while read -r _ name signature; do
    [ "$name" = "$(line 1 "$t/text")" ] || continue
    printf %s "$signature" | base64 -d 2>/dev/null | tail -c 64 >"$t/signature"
    openssl pkeyutl -verify -pubin -inkey "$1" -rawin -in "$t/text" -sigfile "$t/signature" >/dev/null 2>&1 && echo yes
  done | grep -q yes; }
named_keys() { sed -nE 's/.*"type":"(log\.opened|key\.rotated)","v":1,"vkey":"[^"+]*\+[0-9a-f]*\+([^"]*)"\}$/\2/p'; }
pem() { printf -- '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA%s\n-----END PUBLIC KEY-----\n' "$(base64 -d | tail -c 32 | base64)"; }
open_proof() { sed '/^$/,$d' "$1" >"$t/proof"; sed '1,/^$/d' "$1" >"$t/note"; }
up() { at=$((at >> 1)) last=$((last >> 1)); }
on_the_right() { [ $((at & 1)) = 1 ] || [ $at = $last ]; }
included() { # whether leaf $1 has index $2 in the tree of $size and $root, by the hashes on standard input
  at=$2 last=$((size - 1)) found=$1; [ "$2" -lt "$size" ] || return 1
  while read -r hash; do
    hash=$(hex "$hash"); [ $last -gt 0 ] || return 1
    if on_the_right; then found=$(node "$hash" "$found"); while [ $((at & 1)) = 0 ] && [ $at != 0 ]; do up; done
    else found=$(node "$found" "$hash"); fi; up
  done; [ $last = 0 ] && [ "$found" = "$root" ]; }
grew() { # whether the tree of size $1 and root $2 is the beginning of that of $size and $root
  at=$(($1 - 1)) last=$((size - 1)) old=$2 new=$2; [ "$1" -gt 0 ] && [ "$1" -le "$size" ] || return 1
  [ "$1" != "$size" ] || { [ "$2" = "$root" ] && ! read -r _; return; }
  while [ $((at & 1)) = 1 ]; do up; done
  [ $at = 0 ] || { read -r hash; old=$(hex "$hash") new=$old; }
  while read -r hash; do
    hash=$(hex "$hash"); [ $last -gt 0 ] || return 1
    if on_the_right; then old=$(node "$hash" "$old") new=$(node "$hash" "$new"); while [ $((at & 1)) = 0 ] && [ $at != 0 ]; do up; done
    else new=$(node "$new" "$hash"); fi; up
  done; [ $last = 0 ] && [ "$old" = "$2" ] && [ "$new" = "$root" ]; }
hashes() { (cd "$t/n" && ls | xargs sha256sum | cut -c1-64 && ls | xargs rm); } # of the files there, in their order
leaves() { # the hashes of the leaves on standard input, many at a time
  n=100000
  while IFS= read -r entry; do
    printf '\0%s' "$entry" >"$t/n/$n"; n=$((n + 1)); [ $n -lt 110000 ] || { hashes; n=100000; }
  done; [ $n = 100000 ] || hashes; }
top() { # the root over the hashes in file $1: they are joined in pairs, and an odd one goes up as it is
  cp "$1" "$t/level"
  while [ "$(wc -l <"$t/level")" -gt 1 ]; do
    paste -d '\0' - - <"$t/level" >"$t/pairs"
    sed -n '/^.\{128\}$/s/^/01/p' "$t/pairs" | unhex | (cd "$t/n" && split -b 65 -a 5) && hashes >"$t/level"
    sed -n '/^.\{64\}$/p' "$t/pairs" >>"$t/level"
  done; cat "$t/level"; }

# --- Is every file whole, and is there no other? ---
[ -z "$(find . ! -type d ! -type f)" ] || wrong "there is something that is neither a file nor a folder"
sha256sum -c SHA256SUMS >"$t/sums" 2>&1 || { grep -v ': OK$' "$t/sums" | shown >&2; wrong "a file is not the one that SHA256SUMS names"; }
{ cut -c67- SHA256SUMS; echo SHA256SUMS; } | sort >"$t/named"
find . ! -type d | sed 's|^\./||' | sort | cmp -s - "$t/named" || wrong "there are files that SHA256SUMS does not name"

# --- Who signed it? From the known key on, through the entries in which one key hands over to the next ---
end=0; [ -n "$key" ] || { key=log.pem; end=3; }; cp "$key" "$t/key" || exit 2
count=$(wc -l <entries.ndjson)
if [ -d proofs ]; then ls proofs | sed 's/\.tlog-proof$//' | sort -n; else seq 0 $((count - 1)); fi >"$t/numbers"
[ "$(wc -l <"$t/numbers")" = "$count" ] || wrong "there are not as many proofs as entries"
paste -d ' ' "$t/numbers" entries.ndjson >"$t/entries"
while read -r number; do number "$number"; done <"$t/numbers" || exit 1 # a shell must not compute with anything else
for number in $(ls rotations 2>/dev/null | sed 's/\.tlog-proof$//' | sort -n); do
  number "$number"; open_proof "rotations/$number.tlog-proof"; signed "$t/key" "$t/note" || continue
  entry=$(sed -n "s/^$number //p" "$t/entries")
  [ "$size" = $((number + 1)) ] && sed 1,2d "$t/proof" | included "$(leaf "$entry")" "$number" || wrong "rotations/$number.tlog-proof"
  printf '%s\n' "$entry" | named_keys | pem >"$t/key"
done
signed "$t/key" checkpoint || wrong "the checkpoint is not signed with the ledger's key"
echo "signed: $size entries, root $root"

# --- Are the entries those of that tree? ---
if [ -d proofs ]; then
  while read -r number entry; do
    open_proof "proofs/$number.tlog-proof"; cmp -s "$t/note" checkpoint || wrong "proofs/$number.tlog-proof is of another checkpoint"
    [ "$(line 2 "$t/proof")" = "index $number" ] || wrong "proofs/$number.tlog-proof is of another entry"
    sed 1,2d "$t/proof" | included "$(leaf "$entry")" "$number" || wrong "entry $number is not in the tree"
  done <"$t/entries"
else
  leaves <entries.ndjson >"$t/leaves"
  [ "$(wc -l <"$t/leaves")" = "$size" ] && [ "$(top "$t/leaves")" = "$root" ] || wrong "the entries do not have the signed root"
fi
echo "entries: $count are in the tree"

# --- Do the openings open what their entries commit to? ---
opened() { # each line of file $1 opens commitment $2 of the entry that it names
  [ -e "$1" ] || return 0; at=none
  while IFS= read -r line <&3; do
    number=${line#'{"seq":'} number=${number%%,*} rest=${line#*'"salt":"'}; salt=${rest%%'"'*}
    while [ "$at" != "$number" ]; do read -r at entry <&4 || wrong "$1 names entry $number, which is not here"; done
    if [ "$2" = pii ]; then
      body=${rest#*'"body":'} body=${body%?} same="{\"seq\":$number,\"salt\":\"$salt\",\"body\":$body}"
      found=$({ printf 'suppress/payload/v1\0'; printf %s "$salt" | unhex; printf %s "$body"; } | sha)
    else
      name=${line#*'"key":"'} name=${name%%'"'*} index=${line#*'"index":"'} index=${index%%'"'*}
      same="{\"seq\":$number,\"key\":\"$name\",\"index\":\"$index\",\"salt\":\"$salt\"}"
      found=$({ printf 'suppress/subject/v1\0'; printf %s "$salt" | unhex; printf '%s\0' "$name"; printf %s "$index" | unhex; } | sha)
    fi
    case $entry in *"\"$2\":\"$found\""*) [ "$line" = "$same" ] || wrong "$1, entry $number: not as it is written";;
      *) wrong "$1 does not open entry $number";; esac
  done 3<"$1" 4<"$t/entries"
  echo "openings: $(wc -l <"$1") of $(grep -c "\"$2\":\"" entries.ndjson) in $1; the others were erased, by entries that name them"; }
opened payloads.ndjson pii; opened subjects.ndjson sid

# --- Are the entries of earlier checkpoints still the first ones? ---
if [ -e consistency ]; then
  open_proof consistency; cmp -s "$t/note" checkpoint || wrong "consistency is of another checkpoint"
  before=$(line 2 checkpoint.previous); number "$before"; [ "$(line 1 "$t/proof")" = "old $before" ] || wrong "consistency is of another size"
  sed 1d "$t/proof" | grew "$before" "$(hex "$(line 3 checkpoint.previous)")" || wrong "entries were changed since checkpoint.previous"
  named_keys <entries.ndjson | while read -r one; do printf %s "$one" | pem >"$t/one"; signed "$t/one" checkpoint.previous && echo yes; done |
    grep -q yes || wrong "checkpoint.previous is not signed with a key of the ledger"
  echo "unchanged: the first $before entries, since checkpoint.previous"
fi
printf %s "$kept" | while read -r file; do
  before=$(line 2 "$file"); number "$before"; text=$(sed '/^$/,$d' "$file"); ours=
  for note in checkpoint checkpoint.previous; do
    [ -e $note ] && [ "$(line 2 $note)" = "$before" ] && ours=$(sed '/^$/,$d' $note)
  done
  if [ -z "$ours" ] && [ ! -d proofs ] && [ "$before" -le "$size" ]; then
    head -n "$before" "$t/leaves" >"$t/first"; ours=$(line 1 checkpoint; echo "$before"; top "$t/first" | unhex | base64)
  fi
  [ -n "$ours" ] || { echo "yours: $file is of another size; this bundle cannot be held against it"; continue; }
  [ "$ours" = "$text" ] || wrong "$file names other entries: the ledger was changed or forked"
  echo "yours: $file fits"
done || exit 1
[ $end = 0 ] || echo "The key came with this bundle. Compare it with the one that you were given: $(shown <log.vkey)"
echo RIGHT; exit $end
