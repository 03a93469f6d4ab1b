# What the scripts share. Source it: it sets no options and changes no directory.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
state=${NOVELLA_STATE:-$root/.novella}

# say TEXT...: a line of progress with the time since the script began.
say() { printf '[%3d:%02d] %s\n' $((SECONDS / 60)) $((SECONDS % 60)) "$*"; }

fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

need_swift() {
    command -v swift >/dev/null || fail 'swift is not on the PATH. Install the Swift toolchain (https://swift.org/install), 6.2 or later.'
}

# with_progress WHAT LOG COMMAND...: runs a command that has much to say. Its output goes to the log; its last line is shown now
# and then, and all of its end when it fails.
with_progress() {
    local what=$1 log=$2 began=$SECONDS child status=0 ticks=0
    shift 2
    mkdir -p "$(dirname "$log")"
    say "$what"
    "$@" >"$log" 2>&1 </dev/null &
    child=$!
    # shellcheck disable=SC2064  # The child is known now.
    trap "kill $child 2>/dev/null; wait $child 2>/dev/null; exit 130" INT TERM
    while kill -0 "$child" 2>/dev/null; do
        sleep 0.2
        ticks=$((ticks + 1))
        if ((ticks % 50 == 0)); then say "  $(tail -n 1 "$log" | tr '\r' '\n' | tail -n 1 | cut -c 1-100)"; fi
    done
    wait "$child" || status=$?
    trap - INT TERM
    if ((status != 0)); then
        tail -n 60 "$log" >&2
        fail "$what failed after $((SECONDS - began)) s. All of its output is in $log."
    fi
    say "  done in $((SECONDS - began)) s"
}

# running_pid: prints the process of the cloud that `make up` has started, and fails when there is none.
running_pid() {
    local pid
    pid=$(cat "$state/pid" 2>/dev/null) || return 1
    # The number may belong to another program by now.
    [[ $pid =~ ^[0-9]+$ && $(readlink "/proc/$pid/exe" 2>/dev/null) == */novella* ]] || return 1
    printf '%s\n' "$pid"
}
