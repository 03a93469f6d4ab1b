# What the scripts share. Source it: it sets no options and changes no directory.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
state=${NOVELLA_STATE:-$root/.novella}
# What `swift build` is told besides, a list of words. Another list builds everything anew.
read -ra build_options <<<"${NOVELLA_BUILD_OPTIONS:-}"

# say TEXT...: a line of progress with the time since the script began.
say() { printf '[%3d:%02d] %s\n' $((SECONDS / 60)) $((SECONDS % 60)) "$*"; }

fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

need_swift() {
    command -v swift >/dev/null || fail 'swift is not on the PATH. Install the Swift toolchain (https://swift.org/install), 6.2 or later.'
}

# with_progress WHAT LOG COMMAND...: runs a command that has much to say. Its output goes to the log; its last line is shown now
# and then, and all of its end when it fails.
with_progress() {
    local what=$1 log=$2 began=$SECONDS child status=0
    shift 2
    mkdir -p "$(dirname "$log")"
    say "$what"
    "$@" >"$log" 2>&1 </dev/null &
    child=$!
    # shellcheck disable=SC2064  # The child is known now.
    trap "kill $child 2>/dev/null; wait $child 2>/dev/null; exit 130" INT TERM
    show_until_end "$child" "$log"
    wait "$child" || status=$?
    trap - INT TERM
    if ((status != 0)); then
        tail -n 60 "$log" >&2
        fail "$what failed after $((SECONDS - began)) s. All of its output is in $log."
    fi
    say "  done in $((SECONDS - began)) s"
}

# show_until_end CHILD LOG: shows the log's last line now and then, and returns when the child has ended.
show_until_end() {
    local ticks=0
    while kill -0 "$1" 2>/dev/null; do
        sleep 0.2
        ticks=$((ticks + 1))
        if ((ticks % 50 == 0)); then say "  $(tail -n 1 "$2" | tr '\r' '\n' | tail -n 1 | cut -c 1-100)"; fi
    done
}

# begin_beside WHAT LOG COMMAND...: begins a command that runs beside what follows, until `end_beside`. Its output goes to the log. It
# is a process group of its own, so that all of it can be ended when the script ends before it.
begin_beside() {
    beside_what=$1 beside_log=$2 beside_began=$SECONDS
    shift 2
    mkdir -p "$(dirname "$beside_log")"
    say "$beside_what, beside what follows"
    set -m
    "$@" >"$beside_log" 2>&1 </dev/null &
    beside_child=$!
    set +m
    trap 'kill -TERM -- "-$beside_child" 2>/dev/null; wait "$beside_child" 2>/dev/null' EXIT
}

# end_beside: waits for the command that runs beside, shows its whole output, and returns its status.
end_beside() {
    local status=0
    show_until_end "$beside_child" "$beside_log"
    wait "$beside_child" || status=$?
    trap - EXIT
    say "$beside_what: ended with $status after $((SECONDS - beside_began)) s. Its output:"
    cat "$beside_log"
    return "$status"
}

# running_pid: prints the process of the cloud that `make up` has started, and fails when there is none.
running_pid() {
    local pid
    pid=$(cat "$state/pid" 2>/dev/null) || return 1
    # The number may belong to another program by now.
    [[ $pid =~ ^[0-9]+$ && $(readlink "/proc/$pid/exe" 2>/dev/null) == */novella* ]] || return 1
    printf '%s\n' "$pid"
}
