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
    local files=("$from/package.json" "$from/package-lock.json") page
    if ! is_current "$folder" "${files[@]}"; then
        rm -rf "$folder"
        mkdir -p "$folder"
        cp "${files[@]}" "$folder"
        npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --loglevel=error
        note "$folder" "${files[@]}"
    fi
    # Beside the libraries, where Node looks for them.
    cp "$from"/*.js "$from"/*.cjs "$from"/*.mjs "$folder"
    # For a page, each in one file as a bundler of a web app makes it.
    for page in "$from"/*page.js; do
        page=$(basename "$page" .js)
        "$folder/node_modules/.bin/esbuild" "$folder/$page.js" --bundle --format=iife \
            --outfile="$folder/$page.bundle.js" --log-level=warning
    done
}

# An environment of Python's own, with exactly what the files of requirements name.
environment() { # folder, module that it has to have, files of requirements in their order...
    local folder=$1 module=$2 file
    shift 2
    if is_current "$folder" "$@" && "$folder/bin/python" -c "import $module"; then
        return
    fi
    rm -rf "$folder"
    python3 -m venv "$folder"
    for file in "$@"; do
        "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps \
            --require-hashes --no-build-isolation --requirement "$file"
    done
    note "$folder" "$@"
}

python() {
    local from=$sources/python folder
    environment "$target/python" frappeclient "$from/build.txt" "$from/requirements.txt"
    environment "$target/mcp1" mcp "$from/mcp1.txt"
    environment "$target/mcp2" mcp "$from/mcp2.txt"
    for folder in python mcp1 mcp2; do
        cp "$from"/*.py "$target/$folder"
    done
}

javascript
python
echo "The client libraries are in $target."
