# shellcheck shell=bash disable=SC2034,SC2154  # variables are shared between the sourced files
# Sourced by scripts/environment: messages, the cache folder, locks, and what every way of running shares.

say() { printf 'vegard: %s\n' "$*" >&2; }

fail() { # STATUS MESSAGE
    local status=$1
    shift
    say "$*"
    exit "$status"
}

# Whether a version such as 1:0.10.0-2 is at least MAJOR.MINOR; numbers are compared as numbers, 0.9 < 0.10.
version_at_least() { # VERSION MINIMUM
    local have=${1#*:} want=$2 index mine theirs
    have=${have%%[!0-9.]*}
    for index in 1 2 3; do
        mine=$(printf '%s.0.0.0' "$have" | cut -d. -f"$index")
        theirs=$(printf '%s.0.0.0' "$want" | cut -d. -f"$index")
        [ "$((10#${mine:-0}))" -eq "$((10#${theirs:-0}))" ] && continue
        [ "$((10#${mine:-0}))" -gt "$((10#${theirs:-0}))" ] && return 0
        return 1
    done
    [ -n "$have" ]
}

hash_of_input() { { sha256sum 2>/dev/null || shasum -a 256; } | cut -c1-16; }

# Sets $cache and makes the folder.
prepare_cache() {
    if [ -z "${HOME:-}" ]; then
        HOME=~
        export HOME
    fi
    cache=${VEGARD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vegard}
    case "$cache" in /*) ;; *) cache=$PWD/$cache ;; esac
    if ! mkdir -p "$cache" 2>/dev/null || [ ! -w "$cache" ]; then
        fail 3 "cannot write to the cache folder $cache; set VEGARD_CACHE to a folder of yours with 5 GB free"
    fi
    cache=$(cd "$cache" && pwd -P)
}

# One set-up at a time per name; a second caller waits and says so. The lock is file descriptor 9.
acquire_lock() { # NAME
    command -v flock >/dev/null || return 0
    exec 9>"$cache/$1.lock"
    flock -n 9 && return 0
    say "another vegard is setting up $1 in $cache; waiting for it to finish"
    until flock -w 30 9; do say "still waiting for $1 to be set up"; done
}

release_lock() { exec 9>&-; }

# A shared lock, held for as long as the command or any child of it lives (file descriptor 8). Whoever finds nobody
# else there may clean up: FFCx leaves a .c file without .c.cached when it is killed in a compilation, and every later
# run would wait for that file and then give up.
open_jit_cache() { # KEY
    local source
    export VEGARD_JIT_CACHE=${VEGARD_JIT_CACHE:-$cache/jit-$1}
    mkdir -p "$VEGARD_JIT_CACHE"
    command -v flock >/dev/null || return 0
    exec 8>"$cache/$1.used"
    if flock -n -x 8; then
        for source in "$VEGARD_JIT_CACHE"/*.c "$VEGARD_JIT_CACHE"/*/*.c; do
            if [ -e "$source" ] && [ ! -e "$source.cached" ]; then rm -f "$source"; fi
        done
    fi
    flock -s -w 10 8 || true
}

# What every way sets; a value that the user has set is kept.
export_common() {
    export PYTHONPATH=$checkout${PYTHONPATH:+:$PYTHONPATH}
    export PATH=$checkout/scripts/entry:$PATH
    export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
    export MPLBACKEND=${MPLBACKEND:-Agg}
    # caches of libraries, which would otherwise be written beside ours
    export MPLCONFIGDIR=${MPLCONFIGDIR:-$cache/matplotlib} MESA_SHADER_CACHE_DIR=${MESA_SHADER_CACHE_DIR:-$cache/mesa}
    export VEGARD_CACHE=$cache VEGARD_INSIDE=${VEGARD_INSIDE:-$way}
    if [ "$(id -u)" = 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
}

# Already inside: a script of this checkout called from another one.
inside_describe() { printf 'inside the %s environment' "$VEGARD_INSIDE"; }
inside_exec() { exec "$@"; }

# Delete folders that the set-up made; never across a mount, and never while something is mounted in them.
remove_folder() { # FOLDER
    [ -e "$1" ] || return 0
    if grep -qF " $1/" /proc/self/mountinfo 2>/dev/null; then
        fail 3 "something is mounted below $1; unmount it, then delete the folder"
    fi
    rm -rf --one-file-system "$1" 2>/dev/null && return 0
    chmod -R u+rwX "$1" 2>/dev/null || true
    rm -rf --one-file-system "$1"
}

remove_environments() {
    local folder name
    for folder in "$cache"/root-* "$cache"/conda-* "$cache"/current-* "$cache"/lint-* "$cache"/jit-*; do
        [ -d "$folder" ] || continue
        name=${folder##*/}
        exec 8>"$cache/${name#jit-}.used"
        if command -v flock >/dev/null && ! flock -n -x 8; then
            say "$folder is in use and stays"
            continue
        fi
        say "deleting $folder"
        remove_folder "$folder"
        rm -f "$cache/${name#jit-}.used" "$cache/$name.lock" "$cache/$name.log"
    done
}
