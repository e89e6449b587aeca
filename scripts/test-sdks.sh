#!/usr/bin/env bash
# Installs the client libraries that the tests run against a server, as their registries have
# them, pinned by hash, into target/sdk. A second run that finds them costs nothing.
#
#   scripts/test-sdks.sh
#
# Needs Node with npm, and Python 3.10 or later with venv.

set -eu -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

sources=crates/testkit/tests/sdk
target=target/sdk

# Whether what is there was made from these files.
is_current() { # folder, file...
    local folder=$1
    shift
    [ "$(cat "$folder/.made-from" 2>/dev/null)" = "$(cat "$@" | sha256sum)" ]
}

note() { # folder, file...
    local folder=$1
    shift
    cat "$@" | sha256sum >"$folder/.made-from"
}

javascript() {
    local from=$sources/js folder=$target/js
    local files=("$from/package.json" "$from/package-lock.json")
    if ! is_current "$folder" "${files[@]}"; then
        rm -rf "$folder"
        mkdir -p "$folder"
        cp "${files[@]}" "$folder"
        npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --loglevel=error
        note "$folder" "${files[@]}"
    fi
    # Beside the libraries, where Node looks for them.
    cp "$from"/*.js "$from"/*.cjs "$folder"
    # For a page, in one file as a bundler of a web app makes it.
    "$folder/node_modules/.bin/esbuild" "$folder/page.js" --bundle --format=iife \
        --outfile="$folder/bundle.js" --log-level=warning
}

python() {
    local from=$sources/python folder=$target/python
    local files=("$from/requirements.txt" "$from/build.txt")
    if ! is_current "$folder" "${files[@]}" || ! "$folder/bin/python" -c 'import frappeclient'; then
        rm -rf "$folder"
        python3 -m venv "$folder"
        local pip=("$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps
            --require-hashes)
        "${pip[@]}" --requirement "$from/build.txt"
        "${pip[@]}" --no-build-isolation --requirement "$from/requirements.txt"
        note "$folder" "${files[@]}"
    fi
    cp "$from"/*.py "$folder"
}

javascript
python
echo "frappe-js-sdk and frappe-client are in $target."
