# Sourced by the programs beside it: steps with their time, and the toolchain that they stand on.
# shellcheck shell=bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

LOG=$(mktemp -d)
trap 'rm -rf "$LOG"' EXIT
FAILED=()

loud() { printf '\n!!! %s\n\n' "$*" >&2; }

# step NAME COMMAND…: runs it, shows its output and time; a failure is remembered, and the next step runs.
step() {
    local name=$1 began=$SECONDS status=0
    shift
    printf '\n==> %s\n' "$name"
    "$@" 2>&1 | tee -a "$LOG/output" || status=$?
    if [ "$status" -eq 0 ]; then
        printf '==> %s: done in %d s\n' "$name" $((SECONDS - began))
    else
        printf '==> %s: FAILED after %d s\n' "$name" $((SECONDS - began))
        FAILED+=("$name")
    fi
}

# Names what failed, and fails if something did.
finish() {
    [ ${#FAILED[@]} -eq 0 ] && return 0
    local name
    for name in "${FAILED[@]}"; do printf 'FAILED: %s\n' "$name" >&2; done
    return 1
}

channel() { sed -n 's/^channel *= *"\(.*\)"/\1/p' rust-toolchain.toml; }

# The toolchain of rust-toolchain.toml, installed where it is missing.
need_cargo() {
    if ! command -v cargo >/dev/null; then
        loud "cargo is missing: install Rust with rustup (https://rustup.rs), then run this again"
        exit 2
    fi
    cargo clippy --version >/dev/null 2>&1 && cargo fmt --version >/dev/null 2>&1 && return 0
    if command -v rustup >/dev/null; then
        echo "installing Rust $(channel) with clippy and rustfmt"
        rustup toolchain install "$(channel)" --profile minimal --component clippy --component rustfmt || true
    fi
    cargo --version >/dev/null 2>&1 || {
        loud "cargo does not run: install Rust $(channel) ('rustup toolchain install $(channel)'), then run this again"
        exit 2
    }
}

# need_target NAME: true if the standard library of the target is there by the end. The caller says what it means if not.
need_target() {
    local lib
    lib=$(rustc --print target-libdir --target "$1" 2>/dev/null) && [ -d "$lib" ] && return 0
    command -v rustup >/dev/null && rustup target add "$1"
}

# Where Python's tools live.
VENV=.tools/venv

# need_venv [FOLDER FILE]: an environment with the packages of a file of pinned versions, made anew when those change; by
# default that of Python's tools.
need_venv() {
    local folder=${1:-$VENV} file=${2:-.ci/requirements.txt}
    if ! command -v python3 >/dev/null || ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
        loud "python3 is missing or too old: install Python 3.11 or later with its venv module"
        return 1
    fi
    if ! cmp -s "$file" "$folder/requirements.txt"; then
        rm -rf "$folder"
        python3 -m venv "$folder" && "$folder/bin/pip" install -q --disable-pip-version-check -r "$file" &&
            cp "$file" "$folder/requirements.txt"
    fi
}

# Packages come with `npm install --no-save`, which keeps to the lock file where `npm ci` insists that a registry has each
# package for every platform.
need_node() {
    if ! command -v npm >/dev/null || ! node -e 'process.exitCode = Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0'; then
        loud "Node is missing or too old: install Node 20 or later with npm"
        return 1
    fi
}

# need_npm FOLDER: Node, and the folder's packages as its lock file names them.
need_npm() {
    need_node || return 1
    if ! cmp -s "$1/package-lock.json" "$1/node_modules/package-lock.json"; then
        (cd "$1" && npm install --no-save --no-audit --no-fund --loglevel=error) && cp "$1/package-lock.json" "$1/node_modules/"
    fi
}

# Chromium: that of the machine, or one that is installed.
need_chromium() {
    command -v chromium chromium-browser google-chrome >/dev/null && return 0
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
        apt-get update -q >/dev/null
        DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends chromium >/dev/null
    else
        need_npm bindings/wasm && (cd bindings/wasm && npx playwright-core install chromium)
    fi || {
        loud "NOT CHECKED: Chromium could not be installed: install it, then run this again"
        return 1
    }
}
