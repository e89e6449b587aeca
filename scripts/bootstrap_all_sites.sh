#!/bin/sh
# Bootstraps the CRM's OAuth client on every site of the bench in the current folder (BENCH names
# another, CREMA another program). Exits 1 when a site failed; the others are done.
#
#   bootstrap_all_sites.sh [--print-secrets] [--generate-user-keys]
set -eu

for option in "$@"; do
    case $option in
        --print-secrets | --generate-user-keys) ;;
        *)
            echo "usage: $0 [--print-secrets] [--generate-user-keys]" >&2
            exit 2
            ;;
    esac
done
exec "${CREMA:-crema}" --bench "${BENCH:-.}" --site all bootstrap "$@"
