# shellcheck shell=bash disable=SC2034,SC2154  # variables are shared between the sourced files
# Way (c): Debian 13 or later, or an Ubuntu whose apt offers DOLFINx >= 0.9. Once its packages are installed, the
# system's Python has everything, and way (a) finds it.

# Installed packages are found by way (a); by name this way can still be asked for.
apt_ready() { [ "${VEGARD_ENVIRONMENT:-}" = apt ] && current_ready; }

apt_offer() { LC_ALL=C apt-cache policy python3-dolfinx-real 2>/dev/null | awk '/Candidate:/ {print $2}'; }

package_list() { sed 's/#.*//; s/[[:space:]]*$//; /^$/d' "$parts/$1"; }

debian_packages() { package_list debian-packages.txt; }

# Debian from 13 on offers it, but apt knows that only after an update (containers come with empty lists).
apt_update_if_empty() {
    local id="" version=""
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && [ -z "$(apt_offer)" ] || return 0
    id=$(. /etc/os-release && printf '%s' "${ID:-}")
    version=$(. /etc/os-release && printf '%s' "${VERSION_ID:-0}")
    case "$id" in
        debian) version_at_least "$version" 13 || return 0 ;;
        ubuntu) version_at_least "$version" 25.04 || return 0 ;;
        *) return 0 ;;
    esac
    say "updating apt's package lists"
    apt-get update -qq >&2 || true
}

apt_possible() {
    local offer
    reason="no apt"
    command -v apt-cache >/dev/null || return 1
    apt_update_if_empty
    offer=$(apt_offer)
    reason="apt offers no DOLFINx 0.9 or newer (python3-dolfinx-real: ${offer:-none})"
    version_at_least "$offer" 0.9 || return 1
    if [ "$(id -u)" != 0 ]; then
        reason="only root can install packages"
        say "apt of this machine offers DOLFINx $offer. The quickest way, for someone who may install packages:"
        say "  sudo apt-get install --no-install-recommends $(debian_packages | tr '\n' ' ')"
        return 1
    fi
}

apt_build() {
    local answer packages
    mapfile -t packages < <(debian_packages)
    say "apt of this machine offers DOLFINx $(apt_offer). Installing these packages and what they depend on"
    say "(about 650 MB to download, 3 GB installed): ${packages[*]}"
    if [ -t 0 ] && [ -t 2 ]; then
        read -r -p "vegard: go on? [Y/n] " answer
        case "$answer" in [nN]*) reason="not wanted" && return 1 ;; esac
    fi
    if ! DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${packages[@]}" >&2; then
        reason="apt-get install failed, see above"
        return 1
    fi
    current_probe && current_build
}

apt_describe() { current_describe; }
apt_exec() { current_exec "$@"; }
