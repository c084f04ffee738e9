#!/usr/bin/env python3
"""What a program that trains a small network costs: seconds to compile it with reel and with libtorch, in turn, and
its size when it is linked statically with reel. Prints Markdown.

usage: cost.py BUILD_DIR [--torch DIR]

BUILD_DIR holds libreel.a; --torch names the `torch` folder of a PyPI wheel, otherwise the distribution's libtorch is
taken.
"""
import argparse
import os
import resource
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.join(HERE, "mlp.cpp")
ROUNDS = 3


def compile_seconds(arguments, output):
    """Processor seconds of the fastest of several compilations."""
    best = float("inf")
    for _ in range(ROUNDS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        subprocess.run(["g++", "-std=c++20", "-O2", *arguments, "-c", SOURCE, "-o", output], check=True)
        best = min(best, resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before)
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--torch")
    options = parser.parse_args()
    includes = [f"{options.torch}/include", f"{options.torch}/include/torch/csrc/api/include"] if options.torch else [
        "/usr/include/torch/csrc/api/include"]
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs, program = (os.path.join(folder, name) for name in ("reel.o", "torch.o", "mlp"))
        reel = compile_seconds(["-I", os.path.dirname(HERE)], ours)
        torch = compile_seconds(["-w", "-DREEL_BENCH_LIBTORCH", *(f"-I{i}" for i in includes)], theirs)
        subprocess.run(["g++", ours, os.path.join(options.build, "libreel.a"), "-lgomp", "-Wl,--gc-sections",
                        "-s", "-o", program], check=True)
        size = os.path.getsize(program)
    print(f"- Compiling the program (-O2, processor seconds): reel {reel:.2f}, libtorch {torch:.2f}, "
          f"ratio {torch / reel:.1f}.")
    print(f"- Linked statically with reel and stripped: {size / 1e6:.2f} MB.")


main()
