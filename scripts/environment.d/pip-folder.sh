# Sourced by scripts that need Python programs Debian lacks.

# pip_folder GROUP [OPTION-OF-VENV...]: prints a folder of the cache with the packages of an optional group of
# pyproject.toml, installed with pip when it is first asked for.
pip_folder() {
    local group=$1 project folder
    local -a needed
    shift
    project=$(dirname "${BASH_SOURCE[0]}")/../../pyproject.toml
    mapfile -t needed < <(python3 -c 'import sys, tomllib
print(*tomllib.load(open(sys.argv[1], "rb"))["project"]["optional-dependencies"][sys.argv[2]], sep="\n")' "$project" "$group")
    folder=$VEGARD_CACHE/$group-$(printf '%s\n' "${needed[@]}" "$(command -v python3)" "$(python3 -V)" | sha256sum | cut -c1-16)
    (
        flock 9
        if [ ! -e "$folder/ready" ]; then
            printf 'vegard: installing %s with pip into %s\n' "${needed[*]}" "$folder" >&2
            rm -rf "$folder"
            python3 -m venv "$@" "$folder"
            "$folder/bin/python3" -m pip install --quiet "${needed[@]}"
            : >"$folder/ready"
        fi
    ) 9>"$folder.lock"
    printf '%s\n' "$folder"
}
