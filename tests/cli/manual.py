#!/usr/bin/env python3
"""What the program, its manual page and its completion say of options is the same, and holds.

Every option of `cajal COMMAND --help` stands in the command's section of the page and in what bash completes, and no
other does; every variable of the environment that the code reads stands in the page; every option that takes a number
refuses what is out of its range with a sentence.

manual.py PROGRAM SOURCES
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

PROGRAM, SOURCES = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
PAGE = (SOURCES / "docs/cajal.1").read_text().replace("\\-", "-")
# A value that only the user knows.
FREE = {("explain", "layer")}
NOT_NUMBERS = ["-1", "x", "", "1e999", "nan"]
NOT_WHOLE = ["1.5", "2e12", "99999999999999999999999"]
problems = []


def run(*words):
    return subprocess.run([PROGRAM, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
                          timeout=60)


def options_of(command):
    """[(name, value)] of its help; the value is "" for a flag."""
    text = run(command, "--help").stdout
    return [found for found in re.findall(r"^  --([a-z0-9-]+) ?(\S*) ", text, re.M) if found[0] != "help"]


def completed(*words):
    """What bash offers for the last word."""
    script = (f'PATH="{os.path.dirname(PROGRAM)}:$PATH"; source <(cajal completion bash); COMP_WORDS=("$@"); '
              'COMP_CWORD=$(($# - 1)); _cajal; printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", script, "bash", "cajal", *words], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def section(name):
    found = re.search(rf'^\.SH "?{name}"?\n(.*?)(?=^\.SH |\Z)', PAGE, re.M | re.S)
    if not found:
        problems.append(f"the page has no section {name}")
    return found.group(1) if found else ""


def check_command(command):
    options = options_of(command)
    names = {name for name, _ in options}
    in_page = set(re.findall(r"^\.B[IR]* --([a-z0-9-]+)", section(command.upper()), re.M))
    problems.extend(f"{command} --{name} is not in the page" for name in names - in_page)
    problems.extend(f"{command} --{name} is in the page alone" for name in in_page - names)
    if shutil.which("bash"):
        offered = {name for name in completed(command, "--") if name != "--help"}
        problems.extend(f"bash does not complete {command} --{name}" for name in names if f"--{name}" not in offered)
        problems.extend(f"bash has no values for {command} --{name}" for name, value in options
                        if value in ("NAME", "POLICY") and (command, name) not in FREE
                        and not completed(command, f"--{name}", ""))
    for name, value in options:
        for bad in NOT_NUMBERS + NOT_WHOLE * (value == "N") if value in ("N", "X", "S") else []:
            done = run(command, f"--{name}={bad}")
            if done.returncode != 2 or f"--{name} needs a" not in done.stderr:
                problems.append(f"{command} --{name}={bad} ends with {done.returncode}: {done.stderr!r}")


def environment():
    """Variables that are read: a function's only argument that is a text of capitals, in the files that read some."""
    for folder in ("src", "cli"):
        for path in (SOURCES / folder).rglob("*.c"):
            text = path.read_text()
            if "getenv(" in text:
                yield from re.findall(r'\b\w+\("([A-Z][A-Z_]+)"\)', text)


def main():
    commands = re.findall(r"^  ([a-z-]+) +", run("--help").stdout, re.M)
    if len(commands) < 11:
        problems.append(f"the help has only {commands}")
    for command in commands:
        check_command(command)
    described = set(re.findall(r"[A-Z][A-Z_]+", section("ENVIRONMENT")))
    problems.extend(f"{name} is read and not in the page" for name in sorted(set(environment()) - described))
    print("\n".join(problems) or "the page, the completion and the program agree")
    return 1 if problems else 0


sys.exit(main())
