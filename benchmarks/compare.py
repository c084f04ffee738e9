#!/usr/bin/env python3
"""Runs the workloads of reel and libtorch in turn and compares them with each other and with the machine.

usage: compare.py BUILD_DIR [--libtorch PROGRAM] [--rounds N] [--threads N] [--filter REGEX] [--markdown FILE]

Times drift on shared machines, so the two programs run in short rounds, one after the other, and the best time of each
workload counts. The limit is what the same work would take at the machine's own limits, measured in the same run.
"""
import argparse
import datetime
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


def report(costs, times, limits, threads, out):
    reel, torch = times["reel"], times.get("libtorch", {})
    print("| workload | family | reel | libtorch | ratio | limit | share |", file=out)
    print("| --- | --- | --- | --- | --- | --- | --- |", file=out)
    ratios = {}
    for name, cost in costs.items():
        if name not in reel:
            continue
        limit = limit_ns(limits, cost, threads)
        if name in torch:
            ratios[name] = torch[name] / reel[name]
        peer = pretty(torch[name]) if name in torch else "-"
        ratio = f"{ratios[name]:.2f}" if name in ratios else "-"
        bound = f"{pretty(limit)} | {100 * limit / reel[name]:.0f}%" if limit else "- | -"
        print(f"| {name} | {cost['family']} | {pretty(reel[name])} | {peer} | {ratio} | {bound} |", file=out)
    if not ratios:
        return
    print(f"\nGeometric mean of the ratios: {geometric_mean(ratios.values()):.2f}", file=out)
    for family in dict.fromkeys(c["family"] for c in costs.values()):
        own = [r for n, r in ratios.items() if costs[n]["family"] == family]
        if own:
            print(f"- {family}: {geometric_mean(own):.2f}", file=out)
    worst = sorted(ratios.items(), key=lambda item: item[1])[:10]
    print("\nWorst ten: " + ", ".join(f"{name} {ratio:.2f}" for name, ratio in worst), file=out)


def machine():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return re.search(r"model name\s*: (.*)", file.read()).group(1)
    except (OSError, AttributeError):
        return platform.processor()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--libtorch", help="the program of the peer; default: the build folder's own")
    parser.add_argument("build", help="the build folder, configured with -DREEL_BUILD_BENCHMARKS=ON")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--filter", default=".")
    parser.add_argument("--seconds", type=float, default=0.05, help="of each workload in each round")
    parser.add_argument("--markdown", help="append the table to this file, too")
    options = parser.parse_args()

    folder = os.path.join(options.build, "benchmarks")
    programs = {name: os.path.join(folder, f"bench_{name}") for name in ("reel", "libtorch")}
    if options.libtorch:
        programs["libtorch"] = options.libtorch
    programs = {name: path for name, path in programs.items() if os.path.exists(path)}
    if "reel" not in programs:
        sys.exit(f"compare.py: {folder} holds no bench_reel; configure with -DREEL_BUILD_BENCHMARKS=ON and build")
    costs = json.loads(subprocess.check_output([programs["reel"], "--costs"]))
    limits = json.loads(subprocess.check_output([os.path.join(folder, "bench_limits")]))
    times = {name: {} for name in programs}
    libraries = {}
    for round_number in range(options.rounds):
        for name, program in programs.items():
            print(f"round {round_number + 1} of {options.rounds}: {name}", file=sys.stderr)
            measured, libraries[name] = run(program, options.threads, options.filter, options.seconds)
            for workload, ns in measured.items():
                times[name][workload] = min(ns, times[name].get(workload, math.inf))
    report(costs, times, limits, options.threads, sys.stdout)
    if options.markdown:
        with open(options.markdown, "a", encoding="utf-8") as file:
            threads = "1 thread" if options.threads == 1 else f"{options.threads} threads"
            print(f"## {' beside '.join(libraries.values())}, {threads}\n\n{datetime.date.today()}, {machine()}; the best "
                  f"of {options.rounds} interleaved rounds.\n", file=file)
            report(costs, times, limits, options.threads, file)
            print(file=file)


if __name__ == "__main__":
    main()
