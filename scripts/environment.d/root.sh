# shellcheck shell=bash disable=SC2034,SC2154  # variables are shared between the sourced files
# Way (d): a private Debian 13 root folder in the cache folder, entered with bubblewrap. Needs mmdebstrap and
# bubblewrap on the machine (and uidmap for an ordinary user); nothing else of the machine is touched.
# The folder is named by a hash of what is in it, filled under another name and renamed when it is complete and checked.

root_suite=${VEGARD_SUITE:-trixie}
root_version=1 # of the way the folder is made; another number means another folder

# The private folder holds a little more than what is installed on a machine of one's own.
root_packages() { debian_packages && package_list debian-packages-root.txt; }

root_key() {
    { printf '%s\n' "$root_version" "$root_suite" "$(uname -m)" && root_packages | sort; } | hash_of_input
}

root_folder() { printf '%s/root-%s' "$cache" "$(root_key)"; }

root_ready() { [ -e "$(root_folder)/.vegard-ready" ]; }

root_describe() { root_folder; }

# Programs that the machine lacks for building a root; the names are those of the Debian packages too.
root_missing_tools() {
    command -v mmdebstrap >/dev/null || printf 'mmdebstrap '
    command -v bwrap >/dev/null || printf 'bubblewrap '
    if [ "$(id -u)" != 0 ] && ! command -v newuidmap >/dev/null; then printf 'uidmap '; fi
    if ! compgen -G "/usr/share/keyrings/debian-archive-keyring.*" >/dev/null; then printf 'debian-archive-keyring '; fi
}

root_possible() {
    local missing
    reason="only for Linux"
    [ "$(uname -s)" = Linux ] || return 1
    missing=$(root_missing_tools)
    if [ -n "$missing" ]; then root_install_tools "$missing" || return 1; fi
    if ! bwrap --ro-bind / / true 2>/dev/null; then
        reason="bubblewrap cannot make a namespace here ($(bwrap --ro-bind / / true 2>&1 | head -n 1)); see docs/installation.md"
        return 1
    fi
    if [ "$(id -u)" != 0 ] && ! grep -q "^\($(id -un)\|$(id -u)\):" /etc/subuid 2>/dev/null; then
        reason="no line for $(id -un) in /etc/subuid; ask for one (sudo usermod --add-subuids 100000-165535 \
--add-subgids 100000-165535 $(id -un)), or use --unpack with a folder packed elsewhere"
        return 1
    fi
}

root_install_tools() { # NAMES
    local names
    read -r -a names <<<"$1"
    reason="needs ${names[*]}"
    command -v apt-get >/dev/null || return 1
    if [ "$(id -u)" != 0 ]; then
        reason="needs ${names[*]}; to install: sudo apt-get install --no-install-recommends ${names[*]}"
        return 1
    fi
    say "installing ${names[*]} with apt (needed to make the private Debian folder; nothing else is installed)"
    apt_install() { DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${names[@]}" >&2; }
    apt_install 2>/dev/null || { apt-get update -qq >&2 && apt_install; } || {
        reason="apt-get could not install ${names[*]}"
        return 1
    }
}

# Free space in MB of the file system of a folder.
free_space() { df -Pk "$1" | awk 'NR == 2 {print int($4 / 1024)}'; }

# As an ordinary user the packages are unpacked under other user ids first, in a folder that those may enter.
root_work_folder() {
    local parent
    if [ "$(id -u)" = 0 ]; then mktemp -d "$cache/root-work.XXXXXX" && return; fi
    for parent in /var/tmp /tmp "${TMPDIR:-/tmp}"; do
        if [ -w "$parent" ] && [ "$(free_space "$parent")" -gt 4500 ]; then
            mktemp -d "$parent/vegard-root.XXXXXX" && return
        fi
    done
    return 1
}

# What an interrupted set-up left: its folders, and what other user ids own in the work folder.
root_remove_leftovers() {
    local folder work
    for folder in "$cache"/root-*.new.*; do
        if [ -d "$folder" ]; then say "removing ${folder##*/}, left by an interrupted set-up" && remove_folder "$folder"; fi
    done
    for work in "$cache"/root-*.work; do
        [ -e "$work" ] || continue
        folder=$(cat "$work")
        case "$folder" in
            */vegard-root.?????? | "$cache"/root-work.??????)
                remove_folder "$folder" 2>/dev/null || mmdebstrap --unshare-helper rm -rf --one-file-system "$folder" || true
                ;;
        esac
        rm -f "$work"
    done
}

# What a stage of mmdebstrap means to a reader of the progress lines.
root_stage() { # LOG
    case "$(grep '^[IWE]: ' "$1" 2>/dev/null | tail -n 1)" in
        *"downloading packages"* | *"extracting archives"* | *"installing essential"*) printf 'installing the base system' ;;
        *"installing remaining"*) printf 'downloading (650 MB) and installing packages' ;;
        *"creating tarball"* | *"removing tempdir"*) printf 'copying into the cache folder' ;;
        *"cleaning"* | *"customize"* | *"success"*) printf 'cleaning up' ;;
        *) printf 'preparing' ;;
    esac
}

# Show how far a background process is: a line that is rewritten on a terminal, otherwise one line per stage or minute.
root_watch() { # PROCESS LOG
    local begin=$SECONDS shown="" stage last=0
    while kill -0 "$1" 2>/dev/null; do
        stage=$(root_stage "$2")
        if [ -t 2 ]; then
            printf '\rvegard: [%3d s] %-50s' "$((SECONDS - begin))" "$stage" >&2
        elif [ "$stage" != "$shown" ] || [ $((SECONDS - last)) -ge 60 ]; then
            say "[$((SECONDS - begin)) s] $stage"
            last=$SECONDS
        fi
        shown=$stage
        sleep 1
    done
    if [ -t 2 ]; then printf '\n' >&2; fi
}

# Run a program in a process group of its own, which a signal to this script stops as a whole.
root_run_guarded() { # LOG COMMAND...
    local log=$1 status=0
    shift
    setsid "$@" >"$log" 2>&1 </dev/null &
    root_process=$!
    trap 'root_interrupted 143' TERM
    trap 'root_interrupted 130' INT
    trap 'root_interrupted 129' HUP
    root_watch "$root_process" "$log"
    wait "$root_process" || status=$?
    trap - TERM INT HUP
    return "$status"
}

root_interrupted() { # STATUS
    trap '' TERM INT HUP
    say "interrupted; removing what was begun (a few seconds)"
    kill -TERM -- "-$root_process" 2>/dev/null || true
    for _ in $(seq 100); do
        kill -0 -- "-$root_process" 2>/dev/null || break
        sleep 0.2
    done
    kill -KILL -- "-$root_process" 2>/dev/null || true
    wait "$root_process" 2>/dev/null || true
    root_remove_leftovers
    exit "$1"
}

root_build() {
    local folder new work log
    folder=$(root_folder)
    log=$folder.log
    acquire_lock "${folder##*/}"
    if root_ready; then release_lock && return 0; fi
    root_remove_leftovers
    if [ "$(free_space "$cache")" -lt 5000 ]; then
        reason="needs 5 GB free in $cache, there are $(free_space "$cache") MB; VEGARD_CACHE names another folder"
        release_lock && return 1
    fi
    if ! work=$(root_work_folder); then
        reason="needs 4.5 GB free in /var/tmp or /tmp while the packages are unpacked"
        release_lock && return 1
    fi
    printf '%s\n' "$work" >"$folder.work"
    new=$folder.new.$$
    say "making a private Debian ($root_suite) with DOLFINx in $folder"
    say "(once; 3 to 10 minutes, 3 GB; nothing else on this machine is changed; log: $log)"
    if ! root_fill "$new" "$work" "$log"; then
        reason="could not be made, see $log: $(grep -m 1 -E '^(E|tar|error): ' "$log")"
        root_remove_leftovers
        release_lock && return 1
    fi
    remove_folder "$folder"
    mv -T "$new" "$folder"
    touch "$folder.used"
    root_remove_leftovers
    release_lock
    root_remove_old
}

# Fill and check a new folder; a mirror of the machine that does not carry the suite is replaced by the default one.
root_fill() { # NEW WORK LOG
    local mirror
    mirror=$(debian_mirror /etc/apt)
    if ! root_run_guarded "$3" "$parts/bootstrap.sh" "$1" "$2" "$root_suite" "$mirror" $$; then
        [ -n "$mirror" ] && grep -qE "does not have a Release file|404 +Not Found" "$3" || return 1
        say "$mirror has no $root_suite; trying the default mirror"
        remove_folder "$1"
        root_run_guarded "$3" "$parts/bootstrap.sh" "$1" "$2" "$root_suite" "" $$ || return 1
    fi
    say "checking it"
    root_check "$1" >>"$3" 2>&1 || return 1
    sync -f "$1" 2>/dev/null || true
    du -sm "$1" | cut -f1 >"$1/.vegard-ready"
}

root_check() { # ROOT
    (root_settings && root_enter "$1" python3 -c 'import dolfinx, gmsh, meshio, h5py')
}

# The machine's own mirror of Debian, from its apt sources of either format; empty when there is none.
debian_mirror() { # APT-FOLDER
    { cat "$1"/sources.list "$1"/sources.list.d/*.list "$1"/sources.list.d/*.sources 2>/dev/null || true; } | awk '
        /^[[:space:]]*#/ { next }
        $1 == "deb" || tolower($1) == "uris:" {
            for (field = 2; field <= NF; field++)
                if ($field ~ /^https?:\/\/[^ ]+\/debian\/?$/) { print $field; exit }
        }'
}

# Folders of earlier package lists: the last used one is kept beside the new one.
root_remove_old() {
    local folder others=0
    while read -r folder; do
        folder=${folder%.used}
        if [ "$folder" = "$(root_folder)" ] || [ ! -d "$folder" ]; then continue; fi
        others=$((others + 1))
        if [ "$others" -gt 1 ] && flock -n -x "$folder.used" true; then
            say "deleting ${folder##*/}, an environment that is no longer used"
            remove_folder "$folder"
            remove_folder "$cache/jit-${folder##*/}"
            rm -f "$folder".{used,log,lock}
        fi
    done < <(ls -dt "$cache"/root-????????????????.used 2>/dev/null)
}

root_pack() { # FILE
    root_ready || fail 3 "there is no private Debian folder to pack yet; scripts/environment --setup makes it"
    say "packing $(root_folder) into $1"
    tar -C "$(root_folder)" --numeric-owner -cf "$1.new" . || fail 3 "could not write $1"
    mv "$1.new" "$1"
}

root_unpack() { # FILE
    local folder new
    folder=$(root_folder)
    acquire_lock "${folder##*/}"
    root_remove_leftovers
    new=$folder.new.$$
    mkdir -p "$new"
    if ! tar -C "$new" --no-same-owner -xf "$1" || ! { rm -f "$new/.vegard-ready" && root_check "$new"; }; then
        root_remove_leftovers
        fail 3 "$1 holds no environment that works here"
    fi
    du -sm "$new" | cut -f1 >"$new/.vegard-ready"
    remove_folder "$folder"
    mv -T "$new" "$folder"
    say "ready: $folder"
}
