#!/usr/bin/env python3
"""Runs the workloads of reel and libtorch in turn and compares them with each other and with the machine.

usage: compare.py BUILD_DIR [--peer PROGRAM] [--rounds N] [--threads N ...] [--filter REGEX] [--brief] [--markdown FILE]

Times drift on shared machines, so the two programs run in short rounds, one after the other, and the best time of each
workload counts. The limit is what the same work would take at the machine's own limits, measured in the same run.
"""
import argparse
import datetime
import io
import json
import math
import os
import platform
import re
import subprocess
import sys


def run(program, threads, pattern, seconds):
    """Nanoseconds of each workload of one program, and the library that it measures."""
    env = dict(os.environ, REEL_BENCH_THREADS=str(threads), OMP_NUM_THREADS=str(threads),
               OPENBLAS_NUM_THREADS=str(threads), MKL_NUM_THREADS=str(threads))
    command = [program, "--benchmark_format=json", f"--benchmark_min_time={seconds}", f"--benchmark_filter={pattern}"]
    output = json.loads(subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout)
    unit = {"ns": 1, "us": 1e3, "ms": 1e6}
    times = {b["name"].split("/")[0]: b["real_time"] * unit[b["time_unit"]] for b in output["benchmarks"]}
    return times, output["context"]["library"]


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


def table(costs, times, limits, threads, out):
    print("| workload | family | reel | peer | ratio | limit | share |", file=out)
    print("| --- | --- | --- | --- | --- | --- | --- |", file=out)
    for name, ns in times["reel"].items():
        limit = limit_ns(limits, costs[name], threads)
        other = times.get("peer", {}).get(name)
        against = f"{pretty(other)} | {other / ns:.2f}" if other else "- | -"
        bound = f"{pretty(limit)} | {100 * limit / ns:.0f}%" if limit else "- | -"
        print(f"| {name} | {costs[name]['family']} | {pretty(ns)} | {against} | {bound} |", file=out)
    print(file=out)


def summary(costs, ratios, alone, out):
    """Means of the ratios, the worst, and those that threads make worse."""
    print(f"Geometric mean of the ratios: {geometric_mean(ratios.values()):.2f}", file=out)
    for family in dict.fromkeys(c["family"] for c in costs.values()):
        own = [r for n, r in ratios.items() if costs[n]["family"] == family]
        if own:
            print(f"- {family}: {geometric_mean(own):.2f}", file=out)
    worst = sorted(ratios.items(), key=lambda item: item[1])[:10]
    print("\nWorst ten: " + ", ".join(f"{name} {ratio:.2f}" for name, ratio in worst), file=out)
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


def measure(programs, threads, options):
    """The best time of each workload of each program, and what they measure."""
    times = {name: {} for name in programs}
    libraries = {}
    for round_number in range(options.rounds):
        for name, program in programs.items():
            print(f"{threads} threads, round {round_number + 1} of {options.rounds}: {name}", file=sys.stderr)
            measured, libraries[name] = run(program, threads, options.filter, options.seconds)
            for workload, ns in measured.items():
                times[name][workload] = min(ns, times[name].get(workload, math.inf))
    return times, libraries


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", help="the program to compare with; default: the build folder's own of libtorch")
    parser.add_argument("build", help="the build folder, configured with -DREEL_BUILD_BENCHMARKS=ON")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, nargs="+", default=[1])
    parser.add_argument("--filter", default=".")
    parser.add_argument("--seconds", type=float, default=0.05, help="of each workload in each round")
    parser.add_argument("--brief", action="store_true", help="the means and the worst only")
    parser.add_argument("--markdown", help="append to this file, too")
    options = parser.parse_args()

    folder = os.path.join(options.build, "benchmarks")
    programs = {"reel": os.path.join(folder, "bench_reel"),
                "peer": options.peer or os.path.join(folder, "bench_libtorch")}
    programs = {name: path for name, path in programs.items() if os.path.exists(path)}
    if "reel" not in programs:
        sys.exit(f"compare.py: {folder} holds no bench_reel; configure with -DREEL_BUILD_BENCHMARKS=ON and build")
    costs = json.loads(subprocess.check_output([programs["reel"], "--costs"]))
    limits = json.loads(subprocess.check_output([os.path.join(folder, "bench_limits")]))
    alone = {}
    for threads in options.threads:
        times, libraries = measure(programs, threads, options)
        ratios = {n: times["peer"][n] / ns for n, ns in times["reel"].items() if n in times.get("peer", {})}
        text = io.StringIO()
        print(f"## {' beside '.join(libraries.values())}, {threads} thread{'s' if threads > 1 else ''}\n", file=text)
        print(f"{datetime.date.today()}, {machine()}; the best of {options.rounds} interleaved rounds.\n", file=text)
        if not options.brief:
            table(costs, times, limits, threads, text)
        if ratios:
            summary(costs, ratios, alone, text)
        alone = alone or ratios
        print(text.getvalue(), end="")
        if options.markdown:
            with open(options.markdown, "a", encoding="utf-8") as file:
                file.write(text.getvalue())


if __name__ == "__main__":
    main()
