#!/bin/sh
# Writes the hash-locked files anew, for all systems at once. Needs uv (https://docs.astral.sh/uv).
set -eu
cd "$(dirname "$0")/.."
# Extras stay in the pins: an older pip takes "coverage[toml]>=7" beside "coverage==7.17" for a pin that is missing, as soon as
# there is a newer release.
lock() {
    out=$1
    shift
    uv pip compile --quiet --universal --no-strip-extras --generate-hashes --no-emit-index-url --no-annotate --python-version 3.11 \
        --custom-compile-command "requirements/lock.sh" pyproject.toml "$@" --output-file "requirements/$out.txt"
}
lock run
lock demo --extra demo
lock dev --extra demo --extra dev
