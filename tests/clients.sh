#!/bin/sh
# Makes the Python environment that the tests of other systems' clients run in: clients.sh DIR. Prints its python.
# Exits with 3 where that is not possible here: no Python, or no package index in reach.
set -eu
directory=$1
python="$directory/bin/python"
wanted='igz_mgmt==0.4.2 h2o_audit_trail==1.5.3 pycadf==4.1.0'
if [ "$(cat "$directory/made-of" 2>/dev/null || true)" != "$wanted" ]; then
    rm -rf "$directory"
    command -v python3 >/dev/null 2>&1 || { echo 'there is no python3' >&2; exit 3; }
    python3 -m venv "$directory" >&2 || { echo 'python3 cannot make environments (python3-venv is missing)' >&2; exit 3; }
    # shellcheck disable=SC2086
    "$python" -m pip install --quiet --disable-pip-version-check --retries 1 --timeout 20 $wanted >&2 \
        || { echo 'the clients cannot be installed: no package index in reach' >&2; exit 3; }
    printf '%s\n' "$wanted" >"$directory/made-of"
fi
printf '%s\n' "$python"
