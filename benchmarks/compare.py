#!/usr/bin/env python3
"""Runs the workloads of reel and libtorch in turn and compares them with each other and with the machine, under each
instruction set of it.

usage: compare.py BUILD_DIR [--peer PROGRAM] [--sets SET ...] [--threads N ...] [--runs N] [--rounds N] [--seconds S]
                  [--filter REGEX] [--brief] [--markdown FILE]

Times drift on shared machines, so the two programs run in short rounds, one after the other, each first in every other
round (reel beside an earlier reel was 4 % slower in the mean as the first of the two, and 3 % faster as the second), and the
best time of each workload makes a run. A ratio is the median of several runs. The limit is what the same work would take at the machine's
own limits, measured in the same run.
"""
import argparse
import datetime
import io
import json
import math
import os
import platform
import re
import statistics
import subprocess
import sys


# What makes reel, PyTorch's own kernels, MKL, oneDNN and OpenBLAS take one instruction set, best first, and the
# processor's word for it.
SETS = {
    "avx512": ("avx512bw", {"ATEN_CPU_CAPABILITY": "avx512", "MKL_ENABLE_INSTRUCTIONS": "AVX512",
                            "OPENBLAS_CORETYPE": "SkylakeX"}),
    "avx2": ("avx2", {"ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2", "ONEDNN_MAX_CPU_ISA": "AVX2",
                      "OPENBLAS_CORETYPE": "Haswell"}),
    "sse2": ("sse2", {"ATEN_CPU_CAPABILITY": "default", "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
                      "ONEDNN_MAX_CPU_ISA": "SSE41"}),
    "neon": ("asimd", {}),
}


def run(program, instruction_set, threads, options):
    """Nanoseconds of each workload of one program, and the library that it measures."""
    env = dict(os.environ, REEL_BENCH_THREADS=str(threads), OMP_NUM_THREADS=str(threads),
               OPENBLAS_NUM_THREADS=str(threads), MKL_NUM_THREADS=str(threads), REEL_ARCH=instruction_set,
               **SETS[instruction_set][1])
    command = [program, options.filter, str(options.seconds)]
    output = json.loads(subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout)
    return output["times"], output["library"]


def bandwidth(limits, size):
    """Bytes a second at a footprint: that of the next larger one measured."""
    table = limits["bandwidth"]
    return next((rate for footprint, rate in table if footprint >= size), table[-1][1])


def limit_ns(limits, cost, threads):
    times = []
    if cost["bytes"]:
        times.append(cost["bytes"] / bandwidth(limits, cost["bytes"]))
    if cost["flops"]:
        times.append(cost["flops"] / limits["flops"])
    if cost["exps"]:
        times.append(cost["exps"] / limits["exps"])
    return max(times) * 1e9 / threads if times else None


def pretty(ns):
    for factor, unit in ((1e6, "ms"), (1e3, "us"), (1, "ns")):
        if ns >= factor:
            return f"{ns / factor:.3g} {unit}"
    return f"{ns:.2g} ns"


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def table(costs, times, ratios, limits, threads, out):
    print("| workload | family | reel | peer | ratio | limit | share |", file=out)
    print("| --- | --- | --- | --- | --- | --- | --- |", file=out)
    for name, ns in times["reel"].items():
        limit = limit_ns(limits, costs[name], threads)
        against = f"{pretty(times['peer'][name])} | {ratios[name]:.2f}" if name in ratios else "- | -"
        bound = f"{pretty(limit)} | {100 * limit / ns:.0f}%" if limit else "- | -"
        print(f"| {name} | {costs[name]['family']} | {pretty(ns)} | {against} | {bound} |", file=out)
    print(file=out)


def summary(costs, ratios, alone, out):
    """Means of the ratios, those below 1, and those that threads make worse."""
    print(f"Geometric mean of the {len(ratios)} ratios: {geometric_mean(ratios.values()):.2f}", file=out)
    for family in dict.fromkeys(c["family"] for c in costs.values()):
        own = [r for n, r in ratios.items() if costs[n]["family"] == family]
        if own:
            print(f"- {family}: {geometric_mean(own):.2f}", file=out)
    below = sorted((ratio, name) for name, ratio in ratios.items() if ratio < 1)
    print(f"\nBelow 1, {len(below)}: " + (", ".join(f"{name} {ratio:.2f}" for ratio, name in below) or "none"), file=out)
    if alone:
        falls = [f"{n} {alone[n]:.2f} to {r:.2f}" for n, r in ratios.items() if r < 0.9 * alone[n]]
        print("\nBelow nine tenths of the ratio on one thread: " + (", ".join(falls) or "none"), file=out)
    print(file=out)


def machine():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return re.search(r"model name\s*: (.*)", file.read()).group(1)
    except (OSError, AttributeError):
        return platform.processor()


def instruction_sets():
    """Those of this machine that deserve a table, best first."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            words = set(file.read().split())
    except OSError:
        words = set()
    if "avx2" in words:
        return [name for name in ("avx512", "avx2") if SETS[name][0] in words]
    return ["neon"] if platform.machine() in ("aarch64", "arm64") else ["sse2"]


def measure(programs, instruction_set, threads, options):
    """Each workload's best time in each program, the median ratio of several runs, and what the programs measure."""
    best = {name: {} for name in programs}
    ratios = {}
    libraries = {}
    for run_number in range(options.runs):
        times = {name: {} for name in programs}
        for round_number in range(options.rounds):
            order = list(programs.items())
            for name, program in order if round_number % 2 == 0 else reversed(order):
                print(f"{instruction_set}, {threads} threads, run {run_number + 1} of {options.runs}, round "
                      f"{round_number + 1} of {options.rounds}: {name}", file=sys.stderr)
                measured, libraries[name] = run(program, instruction_set, threads, options)
                for workload, ns in measured.items():
                    times[name][workload] = min(ns, times[name].get(workload, math.inf))
        for name, measured in times.items():
            for workload, ns in measured.items():
                best[name][workload] = min(ns, best[name].get(workload, math.inf))
        for workload, ns in times["reel"].items():
            if workload in times.get("peer", {}):
                ratios.setdefault(workload, []).append(times["peer"][workload] / ns)
    return best, {name: statistics.median(each) for name, each in ratios.items()}, libraries


def report(programs, costs, instruction_set, options):
    """Writes what was measured under one instruction set."""
    limits = json.loads(subprocess.check_output([os.path.join(options.build, "benchmarks",
                                                              f"bench_limits_{instruction_set}")]))
    alone = {}
    for threads in options.threads:
        times, ratios, libraries = measure(programs, instruction_set, threads, options)
        text = io.StringIO()
        print(f"## {' beside '.join(libraries.values())}, {instruction_set}, "
              f"{threads} thread{'s' if threads > 1 else ''}\n", file=text)
        print(f"{datetime.date.today()}, {machine()}; the median ratio of {options.runs} runs, each the best of "
              f"{options.rounds} interleaved rounds.\n", file=text)
        if not options.brief:
            table(costs, times, ratios, limits, threads, text)
        if ratios:
            summary(costs, ratios, alone, text)
        alone = alone or ratios
        print(text.getvalue(), end="", flush=True)
        if options.markdown:
            with open(options.markdown, "a", encoding="utf-8") as file:
                file.write(text.getvalue())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", help="the program to compare with; default: the build folder's own of libtorch")
    parser.add_argument("build", help="the build folder, configured with -DREEL_BUILD_BENCHMARKS=ON")
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=instruction_sets(),
                        help="default: AVX-512 and AVX2, what the machine has of them")
    parser.add_argument("--threads", type=int, nargs="+", default=sorted({1, os.cpu_count()}))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--filter", default=".")
    parser.add_argument("--seconds", type=float, default=0.03, help="of each workload in each round")
    parser.add_argument("--brief", action="store_true", help="the means and what is below 1 only")
    parser.add_argument("--markdown", help="append to this file, too")
    options = parser.parse_args()

    folder = os.path.join(options.build, "benchmarks")
    programs = {"reel": os.path.join(folder, "bench_reel"),
                "peer": options.peer or os.path.join(folder, "bench_libtorch")}
    programs = {name: path for name, path in programs.items() if os.path.exists(path)}
    if "reel" not in programs:
        sys.exit(f"compare.py: {folder} holds no bench_reel; configure with -DREEL_BUILD_BENCHMARKS=ON and build")
    costs = json.loads(subprocess.check_output([programs["reel"], "--costs"]))
    for instruction_set in options.sets:
        report(programs, costs, instruction_set, options)


if __name__ == "__main__":
    main()
