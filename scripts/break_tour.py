#!/usr/bin/env python3
"""Does what TOUR.md says: breaks one thing after the other, and sees whether the test that must go red does.

    scripts/break_tour.py BUILD_DIRECTORY [stop ...]

Works on the source tree that the build directory was configured from, and puts every file back as it was.
"""
import pathlib
import re
import subprocess
import sys

root = pathlib.Path(__file__).resolve().parent.parent


def red(build, test):
    """Whether the test fails: one of the example programs' or one of reel_tests'."""
    if "/" in test.split()[0]:
        command = ["ctest", "--test-dir", build, "-R", f"^{test}$"]
    else:
        command = [f"{build}/tests/reel_tests", "-tc=" + re.sub(r"[,\\]", "?", test)]
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0


def compiles(build):
    return subprocess.run(["cmake", "--build", build], stdout=subprocess.DEVNULL).returncode == 0


def main():
    build, wanted = sys.argv[1], sys.argv[2:]
    failures = 0
    for stop in re.split(r"^## ", (root / "TOUR.md").read_text(), flags=re.M)[1:]:
        number = stop.split(".")[0]
        if wanted and number not in wanted:
            continue
        line = re.search(r"^- Break: .*$", stop, flags=re.M).group()
        name, old, new, test = re.findall(r"`([^`]+)`", line)
        path = root / name
        before = path.read_text()
        try:
            path.write_text(before.replace(old, new))
            verdict = "does not compile" if not compiles(build) else "red" if red(build, test) else "STAYS GREEN"
        finally:
            path.write_text(before)
        failures += verdict != "red"
        print(f"{number:>3}  {verdict:16}  {test}", flush=True)
    compiles(build)
    sys.exit(failures != 0)


main()
