#!/bin/sh
# Breaks the explorer in one place at a time and requires that a test notices.
#
#     dpor/mutants.sh            # all
#     dpor/mutants.sh sleep      # those whose name contains "sleep"
#
# Works on a copy of the workspace. Each mutant is an edit of one line or expression; an edit that
# changes nothing is an error, so that the list cannot go stale.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$root" && tar cf - --exclude=./target --exclude=./.git .) | (cd "$work" && tar xf -)
export CARGO_TARGET_DIR="$work/target"
survivors=0

# mutant NAME FILE SED-SCRIPT
mutant() {
    case $1 in *"${only:-}"*) ;; *) return 0 ;; esac
    file=$work/dpor/src/$2
    cp "$file" "$work/original"
    sed -i "$3" "$file"
    if cmp -s "$file" "$work/original"; then
        echo "$1: the edit changes nothing"
        exit 1
    fi
    if ! (cd "$work" && cargo build -q -p shuttle-dpor 2>"$work/log"); then
        cat "$work/log"
        echo "$1: does not compile"
        exit 1
    fi
    killed=
    for t in published teardown violations primitives data_races brute_force workers; do
        if ! (cd "$work" && timeout 300 cargo test -q -p shuttle-dpor --test $t >"$work/log" 2>&1); then
            killed=$t
            break
        fi
    done
    if [ -n "$killed" ]; then
        echo "$1: killed by $killed"
    else
        echo "$1: SURVIVES"
        survivors=$((survivors + 1))
    fi
    cp "$work/original" "$file"
}

only=${1:-}
mutant conflict-of-stores op.rs 's/self.obj == other.obj && self.obj != NO_OBJECT/& \&\& self.kind != Kind::Store/'
mutant conflict-of-notifications op.rs 's/self.obj == other.obj && self.obj != NO_OBJECT/& \&\& !(self.kind == Kind::NotifyOne \&\& other.kind == Kind::NotifyAll)/'
mutant conflict-loads-do-not-commute op.rs 's/^ *Kind::Load$/Kind::CompareExchange/'
mutant conflict-readers-do-not-commute op.rs 's/^ *| Kind::Read$//'
mutant race-with-blocked-operations explore/races.rs 's/for b in blocked {/for b in \&blocked[..0] {/'
mutant race-of-reads-and-writes explore/races.rs 's/if (read || last || second.read)/if (last || second.read)/'
mutant race-past-the-release explore/races.rs 's/            if enabled(event.pre) {/            if enabled(event.pre) || event.label.kind == Kind::Unlock {/'
mutant race-of-writer-and-readers explore/races.rs 's/                Some(s) => firsts.push(s.acquired),/                Some(_) => return false,/'
mutant race-of-contested-wakes explore/races.rs 's/Kind::Wake if second.arg != MAY_END => {/Kind::Wake if second.arg == 99 => {/'
mutant race-of-wakes-and-notifications explore/races.rs 's/limit: if woken { event.pre as usize + 1 } else { index }/limit: if woken { event.pre as usize } else { index }/'
mutant prediction-of-compare-exchange explore/node.rs 's/Kind::CompareExchange if pre == arg/Kind::CompareExchange if pre == arg || true/'
mutant sleep-forgets-what-is-done explore/node.rs 's/let asleep = last.sleep.iter().chain(&last.done);/let asleep = last.sleep.iter().chain(\&last.done[..0]);/'
mutant sleep-forgets-what-slept explore/node.rs 's/let asleep = last.sleep.iter().chain(&last.done);/let asleep = last.sleep[..0].iter().chain(\&last.done);/'
mutant sleep-never-wakes explore/node.rs 's/s.pid != taken.pid && !s.label.dependent(taken.label)/s.pid != taken.pid/'
mutant sleep-is-not-asked explore/node.rs 's/if !node.covers(sequence) {/if true || !node.covers(sequence) {/'
mutant wakeup-sequence-is-cut-to-one explore/races.rs 's/^        reversal(start, &mut self.sequence);/        self.sequence.truncate(1);\n&/'
mutant wakeup-sequence-is-dropped explore/wakeup.rs 's/            if branch.next.is_empty() {/            if true || branch.next.is_empty() {/'
mutant wakeup-weak-initials-are-initials explore/wakeup.rs 's/^    true$/    false/'
mutant wakeup-without-independent-events explore/races.rs 's/if !after && i != second.index {/if !after \&\& i < second.index {/'
mutant shared-sleep-forgets-siblings explore/forest.rs 's/let asleep = node.sleep.iter().chain(earlier);/let asleep = node.sleep.iter().chain(earlier.take(0));/'
mutant shared-insertion-is-dropped explore/forest.rs 's/let last = i + 1 == sequence.len();/if true { return; }\n            &/'

if [ "$survivors" -ne 0 ]; then
    echo "$survivors mutants survive"
    exit 1
fi
