"""Does what TOUR.md says at its stops. Called by tour.sh:  tour.py BUILD_DIRECTORY STOP|all [break]"""
import pathlib
import re
import subprocess
import sys

root = pathlib.Path(__file__).resolve().parent.parent


def stops():
    """For each stop its heading, the test to run, and what to break."""
    for text in re.split(r"^## ", (root / "TOUR.md").read_text(), flags=re.M)[1:]:
        run, damage = (re.search(rf"^- {kind}: .*$", text, flags=re.M) for kind in ("Run", "Break"))
        if run and damage:
            quoted = [re.findall(r"`([^`]+)`", match.group()) for match in (run, damage)]
            yield text.split("\n")[0], quoted[0][0], quoted[1]


def build(directory, test):
    target = test.removeprefix("examples/") if test.startswith("examples/") else "reel_tests"
    return subprocess.run(["cmake", "--build", directory, "--target", target], stdout=sys.stderr).returncode == 0


def passes(directory, test):
    if test.startswith("examples/"):
        command = ["ctest", "--test-dir", directory, "--output-on-failure", "--no-tests=error", "-R", f"^{test}$"]
    else:
        command = [f"{directory}/tests/reel_tests", f"-tc={test}"]
    return subprocess.run(command).returncode == 0


def broken(directory, name, old, new, test):
    """Whether the test goes red once `old` is `new` in the file `name`."""
    path = root / name
    before = path.read_text()
    if before.count(old) != 1:
        return print(f"{name} does not have, once: {old}")
    try:
        path.write_text(before.replace(old, new))
        print(f"{name}: replaced {old}\n{' ' * len(name)}  by       {new}", flush=True)
        if not build(directory, test):
            return print("DOES NOT COMPILE")
        red = not passes(directory, test)
    finally:
        path.write_text(before)
        print(f"{name} is as it was", flush=True)
    print("red, as it must be" if red else "STAYS GREEN")
    return red


def main():
    directory, wanted = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
    chosen = [stop for stop in stops() if wanted in ("all", stop[0].split(".")[0])]
    if not chosen:
        sys.exit("which stop? " + ", ".join(heading.split(".")[0] for heading, _, _ in stops()))
    good = True
    for heading, run, damage in chosen:
        print(f"== {heading}", flush=True)
        if sys.argv[3:] == ["break"]:
            good = bool(broken(directory, *damage)) and good
        else:
            good = build(directory, run) and passes(directory, run) and good
    sys.exit(not good)


main()
