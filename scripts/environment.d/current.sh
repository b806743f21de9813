# shellcheck shell=bash disable=SC2034,SC2154  # variables are shared between the sourced files
# Way (a): DOLFINx >= 0.9 is importable already (active conda environment, module of a cluster, container, Debian
# packages). Python packages that it lacks go into a virtual environment in the cache folder, which sees the rest.

current_pythons() {
    local python
    for python in "$(command -v python3 || true)" /usr/bin/python3; do
        if [ -x "$python" ]; then printf '%s\n' "$python"; fi
    done | awk '!seen[$0]++'
}

# Sets $python, $current_folder and $current_missing to the first suitable Python; $reason where there is none.
current_probe() {
    local verdict words
    reason="no python3"
    while read -r python; do
        verdict=$("$python" "$parts/probe.py" "$checkout/pyproject.toml" 2>/dev/null) || verdict="unsuitable $python fails"
        if [ "${verdict%% *}" = unsuitable ]; then
            reason=${verdict#* }
            continue
        fi
        read -r -a words <<<"$verdict"
        current_folder=$cache/current-${words[1]}
        current_missing=("${words[@]:2}")
        return 0
    done < <(current_pythons)
    return 1
}

# Setting this way up takes seconds, so that it counts as ready when it can be set up.
current_ready() {
    current_probe || return 1
    [ -e "$current_folder/ready" ] && return 0
    [ ! -e "$current_folder.failed" ] || [ -n "${VEGARD_ENVIRONMENT:-}" ] || return 1
    current_build && return 0
    say "$reason"
    : >"$current_folder.failed"
    return 1
}

current_possible() {
    current_probe && reason="did not work, see $current_folder.log"
    return 1
}

# Without the variables of a launcher: as one rank of several it would wait for the others, and they for its lock.
current_imports() { # PYTHON
    local name alone=(env)
    for name in $(compgen -e); do
        case "$name" in OMPI_* | PMIX_* | PMI_* | PRTE_* | HYDRA_* | MPI_LOCAL* | SLURM_*) alone+=(-u "$name") ;; esac
    done
    "${alone[@]}" "$1" -c 'import numpy, dolfinx, gmsh, mpi4py.MPI
from petsc4py import PETSc
assert PETSc.ScalarType is numpy.float64, "PETSc computes with complex numbers; a build with real ones is needed"'
}

current_build() {
    local log=$current_folder.log result=$python
    acquire_lock "${current_folder##*/}"
    if [ -e "$current_folder/ready" ]; then release_lock && return 0; fi
    say "using DOLFINx of $python"
    remove_folder "$current_folder"
    mkdir -p "$current_folder" || return 1
    if [ ${#current_missing[@]} -gt 0 ]; then
        say "it lacks ${current_missing[*]}: installing them with pip into $current_folder (the Python itself stays as it is)"
        if ! { "$python" -m venv --system-site-packages "$current_folder" &&
            "$current_folder/bin/python3" -m pip install "${current_missing[@]}"; } >"$log" 2>&1; then
            reason="pip could not install ${current_missing[*]}, see $log: $(tail -n 1 "$log")"
            release_lock && return 1
        fi
        result=$current_folder/bin/python3
    fi
    if ! current_imports "$result" >"$log" 2>&1; then
        reason="$python has DOLFINx but cannot import it or one of its companions, see $log: $(tail -n 1 "$log")"
        release_lock && return 1
    fi
    rm -f "$current_folder.failed"
    printf '%s\n' "$result" >"$current_folder/ready.new" && mv "$current_folder/ready.new" "$current_folder/ready"
    release_lock
}

current_describe() { cat "$current_folder/ready"; }

current_exec() {
    local result
    result=$(cat "$current_folder/ready")
    open_jit_cache "${current_folder##*/}"
    # Debian's OpenMPI 5 warns about the network card when it looks for a way between ranks of one machine.
    if [ "$python" = /usr/bin/python3 ] && [ "${SLURM_NNODES:-1}" = 1 ]; then export OMPI_MCA_btl=${OMPI_MCA_btl:-^tcp}; fi
    PATH=$checkout/scripts/entry:${result%/*}:${PATH#"$checkout/scripts/entry:"} exec "$@"
}
