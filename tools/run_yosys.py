# SPDX-License-Identifier: MIT OR Apache-2.0
"""A command line for the pyosys wheel, which has none: yosys [-q] [-l LOG] [-p SCRIPT]... [FILE.v | FILE.ys]..."""
import argparse
import subprocess
import sys


def parse():
    parser = argparse.ArgumentParser(prog="yosys", description=__doc__)
    parser.add_argument("-q", action="store_true", help="print warnings and errors only")
    parser.add_argument("-l", metavar="LOG", help="write all output to a file as well")
    parser.add_argument("-p", metavar="SCRIPT", action="append", default=[], help="commands, divided by ';' or newlines")
    parser.add_argument("files", nargs="*", help="Verilog to read, or .ys scripts to run, before the commands")
    return parser.parse_args()


def commands(arguments):
    found = [f"script {f}" if f.endswith(".ys") else f"read_verilog {f}" for f in arguments.files]
    for script in arguments.p:
        found += [c.strip() for line in script.splitlines() for c in line.split(";")]
    return [c for c in found if c and not c.startswith("#")]


def run(script):
    """In a process of its own, since the library ends it on an error."""
    from pyosys import libyosys

    design = libyosys.Design()
    for command in script:
        design.run_pass(command)


def main():
    if sys.argv[1:2] == ["--run"]:
        return run(sys.argv[2:])
    arguments = parse()
    log = open(arguments.l, "w") if arguments.l else None
    child = [sys.executable, __file__, "--run", *commands(arguments)]
    with subprocess.Popen(child, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        for line in process.stdout:
            if log:
                log.write(line)
            if not arguments.q or "Warning:" in line or "ERROR:" in line:
                sys.stdout.write(line if line.endswith("\n") else line + "\n")
    return process.returncode


sys.exit(main())
