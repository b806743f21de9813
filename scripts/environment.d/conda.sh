# shellcheck shell=bash disable=SC2034,SC2154  # variables are shared between the sourced files
# Way (b): micromamba, mamba or conda makes the environment of environment.yml, in the cache folder.

conda_program() {
    local program
    for program in "${MAMBA_EXE:-}" micromamba mamba "${CONDA_EXE:-}" conda; do
        if [ -n "$program" ] && command -v "$program" >/dev/null; then command -v "$program" && return; fi
    done
    return 1
}

conda_folder() { printf '%s/conda-%s' "$cache" "$({ uname -sm && cat "$checkout/environment.yml"; } | hash_of_input)"; }

conda_ready() { [ -e "$(conda_folder)/ready" ]; }

conda_possible() {
    reason="no micromamba, mamba or conda"
    conda_program >/dev/null || return 1
    if [ -e "$(conda_folder).failed" ] && [ -z "${VEGARD_ENVIRONMENT:-}" ]; then
        reason="failed before, see $(conda_folder).log; VEGARD_ENVIRONMENT=conda tries again"
        return 1
    fi
}

conda_build() {
    local folder program log create=(env create)
    folder=$(conda_folder)
    program=$(conda_program)
    log=$folder.log
    acquire_lock "${folder##*/}"
    if conda_ready; then release_lock && return 0; fi
    remove_folder "$folder"
    case "$program" in *micromamba) create=(create) ;; esac
    say "creating the environment of environment.yml with $program in $folder (5 to 15 minutes, about 4 GB; log: $log)"
    if ! "$program" "${create[@]}" --yes --prefix "$folder" --file "$checkout/environment.yml" >"$log" 2>&1 ||
        ! (conda_activate "$folder" && current_imports "$folder/bin/python3") >>"$log" 2>&1; then
        reason="$program could not make the environment, see $log: $(grep -v '^ *$' "$log" | tail -n 1)"
        say "$reason"
        : >"$folder.failed"
        remove_folder "$folder"
        release_lock && return 1
    fi
    rm -f "$folder.failed"
    : >"$folder/ready"
    release_lock
}

# Activation by hand: the programs' own takes up to a second, and this works for all three of them.
conda_activate() { # FOLDER
    local script
    export CONDA_PREFIX=$1 PATH=$1/bin:$PATH
    set +u
    for script in "$1"/etc/conda/activate.d/*.sh; do
        if [ -e "$script" ]; then . "$script"; fi
    done
    set -u
}

conda_describe() { conda_folder; }

conda_exec() {
    local folder
    folder=$(conda_folder)
    conda_activate "$folder"
    export PATH=$checkout/scripts/entry:$PATH
    open_jit_cache "${folder##*/}"
    exec "$@"
}
