#!/usr/bin/env python3
"""Times matrix products of reel, of OpenBLAS called bare and of PyTorch, in turn, and prints a table.

usage: products.py BUILD_DIR [--threads N] [--rounds N]    (with a Python that has torch)

The best of the rounds counts. PyTorch is called from Python, which costs it about half a microsecond. Another instruction
set: REEL_ARCH=avx2 OPENBLAS_CORETYPE=Haswell ATEN_CPU_CAPABILITY=avx2 MKL_ENABLE_INSTRUCTIONS=AVX2. OpenBLAS 0.3.21 does
not know processors that are younger: OPENBLAS_CORETYPE=SkylakeX.
"""
import argparse
import math
import os
import subprocess
import time

import torch

SQUARES = [8, 16, 32, 64, 128, 256, 512, 1024, 2048]
MATRICES = [(64, 784, 256), (32, 2, 16), (32, 16, 16), (32, 16, 1), (1000, 64, 10), (10, 1000, 64), (1, 512, 512), (1, 2048, 2048),
            (512, 512, 1), (2048, 2048, 1), (1, 100000, 1), (512, 1, 512), (100, 100, 100), (333, 333, 333), (37, 53, 71),
            (16, 65536, 16), (1024, 16, 1024), (4, 512, 512), (8, 512, 512), (4096, 64, 64), (64, 64, 4096)]
SECOND_TRANSPOSED = [(64, 784, 256), (1, 512, 512), (4, 512, 512), (16, 512, 512), (32, 64, 64), (1000, 64, 10)]
FIRST_TRANSPOSED = [(2048, 2048, 1), (256, 64, 784), (10, 1000, 64)]
BATCHES = [((32, 64, 64), (32, 64, 64), 0), ((256, 16, 16), (256, 16, 16), 0), ((16, 4, 64, 16), (16, 4, 64, 16), 1),
           ((16, 4, 64, 64), (16, 4, 64, 16), 0), ((16, 4, 64, 16), (16, 64), 0), ((16, 4, 64, 16), (64, 16), 1),
           ((64, 64), (16, 64, 64), 0), ((8, 1, 32, 32), (1, 8, 32, 32), 0)]


def products():
    """(name, sizes in memory and whether transposed) of both operands."""
    for n in SQUARES:
        yield f"{n}³", (n, n), 0, (n, n), 0
    for n in (64, 256, 512):
        for ta, tb in ((0, 1), (1, 0), (1, 1)):
            yield f"{n}³ {'TN'[1 - ta]}{'TN'[1 - tb]}", (n, n), ta, (n, n), tb
    for m, k, n in MATRICES:
        yield f"{m}×{k}×{n}", (m, k), 0, (k, n), 0
    for m, k, n in SECOND_TRANSPOSED:
        yield f"{m}×{k}×{n} NT", (m, k), 0, (n, k), 1
    for m, k, n in FIRST_TRANSPOSED:
        yield f"{m}×{k}×{n} TN", (k, m), 1, (k, n), 0
    for a, b, tb in BATCHES:
        yield f"{list(a)} · {list(b)}{'ᵀ' if tb else ''}", a, 0, b, tb


def torch_nanoseconds(a, ta, b, tb):
    x = torch.randn(a).mT if ta else torch.randn(a)
    y = torch.randn(b).mT if tb else torch.randn(b)

    def run(count):
        begin = time.perf_counter_ns()
        for _ in range(count):
            torch.matmul(x, y)
        return (time.perf_counter_ns() - begin) / count

    run(1)
    count = int(4e6 / run(1)) + 1
    return min(run(count) for _ in range(5))


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    environment = dict(os.environ, OMP_NUM_THREADS=str(options.threads))
    best = {}
    with subprocess.Popen([os.path.join(options.build, "benchmarks", "bench_products"), str(options.threads)], text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as program:
        for _ in range(options.rounds):
            for name, a, ta, b, tb in products():
                print(ta, *a, ",", tb, *b, file=program.stdin, flush=True)
                times = [*map(float, program.stdout.readline().split()), torch_nanoseconds(a, ta, b, tb)]
                best[name] = [min(pair) for pair in zip(times, best.get(name, times))]
        program.stdin.close()
    print("| product | reel, µs | OpenBLAS | PyTorch | reel / OpenBLAS | reel / PyTorch |\n| --- | --- | --- | --- | --- | --- |")
    for name, (ours, blas, peer) in best.items():
        print(f"| {name} | {ours / 1e3:.3g} | {blas / 1e3:.3g} | {peer / 1e3:.3g} | {blas / ours:.2f} | {peer / ours:.2f} |")
    print(f"\nGeometric mean over {len(best)} products: {geometric_mean([p / o for o, _, p in best.values()]):.2f} times PyTorch "
          f"{torch.__version__}")


if __name__ == "__main__":
    main()
