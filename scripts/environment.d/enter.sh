# shellcheck shell=bash disable=SC2034,SC2154  # variables are shared between the sourced files
# Way (d), second half: run a command inside the private root. The command sees the machine's processes, network,
# home and data folders, but Debian 13's programs and libraries in place of the machine's.

# Folders of the machine that the command sees under their own names: all at the top but those of the system itself.
root_binds() {
    local folder
    for folder in /*; do
        case "$folder" in
            /bin | /boot | /dev | /etc | /lib | /lib32 | /lib64 | /libx32 | /lost+found | /proc | /run | /sbin | /snap | /sys | /usr | /var) ;;
            *) if [ -L "$folder" ]; then binds+=(--symlink "$(readlink "$folder")" "$folder"); else binds+=(--bind-try "$folder" "$folder"); fi ;;
        esac
    done
    for folder in "$HOME" "$cache" "$checkout" "$PWD" "/run/user/$(id -u)" /var/tmp; do
        if [ -d "$folder" ] && [ "$folder" != / ]; then binds+=(--bind "$folder" "$folder"); fi
    done
    for folder in resolv.conf hosts hostname passwd group pip.conf localtime; do
        if [ -e "/etc/$folder" ]; then binds+=(--ro-bind "/etc/$folder" "/etc/$folder"); fi
    done
    # certificates of the machine: a proxy may need one of its own
    folder=/etc/ssl/certs/ca-certificates.crt
    if [ -f "$folder" ] && [ ! -L "$folder" ]; then binds+=(--ro-bind "$folder" "$folder"); fi
}

# Settings of the machine that would lead Debian's programs astray.
root_settings() {
    unset PYTHONHOME PYTHONSTARTUP VIRTUAL_ENV LD_LIBRARY_PATH LD_PRELOAD PETSC_DIR PETSC_ARCH SLEPC_DIR PERL5LIB \
        CC CXX CFLAGS CXXFLAGS CPPFLAGS LDFLAGS OPAL_PREFIX DISPLAY XAUTHORITY LANG LANGUAGE
    export LC_ALL=C.UTF-8
    export PYTHONPATH=$checkout
    export PATH=$checkout/scripts/entry:/usr/local/bin:/usr/bin:/usr/sbin:/bin
    # ranks share one machine: through memory, and more of them than cores if so asked
    export OMPI_MCA_btl=${OMPI_MCA_btl:-self,sm}
    export PRTE_MCA_rmaps_default_mapping_policy=${PRTE_MCA_rmaps_default_mapping_policy:-:oversubscribe}
}

# Ranks that an mpirun or srun of the machine starts would each believe to be alone.
root_refuse_outer_ranks() {
    local launcher=""
    if [ "${OMPI_COMM_WORLD_SIZE:-1}" -gt 1 ] || [ "${PMI_SIZE:-1}" -gt 1 ] || [ "${MPI_LOCALNRANKS:-1}" -gt 1 ]; then launcher=mpirun; fi
    if [ -n "${SLURM_STEP_ID:-}" ] && [ "${SLURM_STEP_NUM_TASKS:-1}" -gt 1 ] && [ -z "${PMIX_RANK:-}" ]; then launcher=srun; fi
    [ -n "$launcher" ] || return 0
    fail 2 "$launcher of this machine cannot start ranks in the private Debian folder; write instead: \
scripts/vegard run CASE --ranks N (or, under Slurm: srun --mpi=pmix scripts/vegard …)"
}

# Run bubblewrap. Without a namespace of processes a signal reaches both it and the command; it would die of the signal
# and take the command along, before that can write its last state. So it ignores them, and the command does not.
root_enter() { # ROOT COMMAND...
    local root=$1 binds=() signals=INT,QUIT,HUP,TERM,USR1,USR2
    shift
    root_binds
    trap '' INT QUIT HUP TERM USR1 USR2
    exec bwrap --ro-bind "$root/usr" /usr --symlink usr/bin /bin --symlink usr/sbin /sbin --symlink usr/lib /lib \
        --symlink usr/lib64 /lib64 --ro-bind "$root/etc" /etc --dir /var --tmpfs /run --bind /proc /proc --dev /dev \
        --bind-try /dev/shm /dev/shm --ro-bind /sys /sys --die-with-parent "${binds[@]}" --chdir "$PWD" \
        /usr/bin/env --default-signal="$signals" "$@"
}

# A signal sent to this script alone (kill, a job scheduler) is passed on to the command, the child of bubblewrap, as
# soon as it runs: until then it would be ignored.
root_forward() { # SIGNAL
    local child="" name=""
    root_interruption=$1
    for _ in $(seq 40); do
        read -r child _ <"/proc/$root_bwrap/task/$root_bwrap/children" || true
        name=$(cat "/proc/${child:-none}/comm" || true)
        case "$name" in "" | bwrap | env) sleep 0.05 ;; *) break ;; esac
    done 2>/dev/null
    kill "-$1" "$child" 2>/dev/null || true
}

root_exec() {
    local folder status signal
    folder=$(root_folder)
    root_refuse_outer_ranks
    case "$PWD/" in /usr/* | /etc/*) fail 2 "$PWD is a system folder; start from another one" ;; esac
    open_jit_cache "${folder##*/}"
    touch "$cache/${folder##*/}.used"
    root_settings
    root_enter "$folder" "$@" <&0 &
    root_bwrap=$!
    for signal in HUP TERM USR1 USR2; do
        # shellcheck disable=SC2064  # the signal's name is meant to be expanded here
        trap "root_forward $signal" "$signal"
    done
    trap 'root_interruption=terminal' INT QUIT # a terminal sends these to the command as well
    # a signal ends the waiting, but not the command
    while true; do
        root_interruption="" status=0
        wait "$root_bwrap" || status=$?
        [ -n "$root_interruption" ] || break
    done
    exit "$status"
}
