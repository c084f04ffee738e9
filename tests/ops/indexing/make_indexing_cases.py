#!/usr/bin/env python3
"""Writes a table of random indices of small tensors, and of what PyTorch makes of them:
make_indexing_cases.py indexing_cases.cpp 160

Two things that PyTorch gets wrong or refuses are put in other words for it: a mask of several dimensions (it
counts as one for the words behind it) becomes the tuple of its coordinates; a negative step becomes a selection.
"""
import random
import sys

import numpy as np
import torch

random.seed(7)
torch.manual_seed(7)


def braces(values):
    return "{" + ", ".join("%g" % v for v in values) + "}"


class Case:
    """x[words] for PyTorch, and `ours`, the same words in C++."""

    def __init__(self):
        self.sizes = [random.choice([0, 1, 2, 2, 3, 3, 4, 4]) for _ in range(random.randint(1, 4))]
        self.x = torch.arange(int(np.prod(self.sizes)), dtype=torch.float64).reshape(self.sizes) + 1
        self.view = self.x.requires_grad_()
        self.words, self.ours = [], []
        self.common = random.choice([[2], [3], [2, 3], [1, 2], [3, 1]])
        self.open = True
        self.d = 0
        while self.d < len(self.sizes) and random.random() < 0.9:
            getattr(self, random.choice(["slice", "integer", "tensor", "tensor", "tensor", "mask", "none",
                                         "ellipsis", "boolean"]))(self.sizes[self.d])

    def add(self, word, ours, dims):
        self.words.append(word)
        self.ours.append(ours)
        self.d += dims

    def slice(self, n):
        def bound():
            return random.choice([None, random.randint(-n - 1, n + 1)])

        word = slice(bound(), bound(), random.choice([None, 1, 2, -1, -2]))
        ours = ["None" if v is None else str(v) for v in (word.start, word.stop, word.step)]
        if word.step is not None and word.step < 0:
            self.view = self.view.index_select(self.d, torch.tensor(range(n)[word], dtype=torch.int64))
            word = slice(None)
        self.add(word, "Slice(%s)" % ", ".join(ours), 1)

    def integer(self, n):
        if n > 0:
            i = random.randint(-n, n - 1)
            self.add(i, str(i), 1)

    def tensor(self, n):
        if n > 0:
            shape = [random.choice([s, 1]) for s in self.common][random.randint(0, len(self.common) - 1):]
            index = torch.randint(-n, n, shape)
            self.add(index, "at(%s, %s)" % (braces(shape), braces(index.flatten())), 1)

    def mask(self, _):
        k = random.randint(1, min(2, len(self.sizes) - self.d))
        sizes = self.sizes[self.d:self.d + k]
        total = int(np.prod(sizes))
        if total >= self.common[-1]:
            mask = torch.zeros(total, dtype=torch.bool)
            mask[torch.randperm(total)[:self.common[-1]]] = True
            self.words.extend(mask.reshape(sizes).nonzero(as_tuple=True)[:-1])
            self.add(mask.reshape(sizes).nonzero(as_tuple=True)[-1],
                     "mask(%s, %s)" % (braces(sizes), braces(mask)), k)

    def none(self, _):
        self.add(None, "None", 0)

    def boolean(self, _):
        holds = random.random() < 0.8
        self.add(torch.tensor(holds), "true" if holds else "false", 0)

    def ellipsis(self, _):
        """Then integers, slices or tensors for the last dimensions."""
        if not self.open:
            return
        self.open = False
        end = random.randint(self.d, len(self.sizes))
        self.add(Ellipsis, "Ellipsis", 0)
        self.d = end
        for d in range(end, len(self.sizes)):
            before = self.d
            random.choice([self.integer, self.tensor])(self.sizes[d])
            if self.d == before:
                self.add(slice(None), "Slice()", 1)

    def line(self):
        y = self.view[tuple(self.words)]
        y_bar = torch.arange(y.numel(), dtype=torch.float64).reshape(y.shape) * 0.5 + 1
        x_bar, = torch.autograd.grad(y, self.x, y_bar)
        return "{%s, {%s}, %s, %s, %s}" % (braces(self.sizes), ", ".join(self.ours), braces(y.shape),
                                           braces(y.flatten()), braces(x_bar.flatten()))


def main():
    lines = []
    while len(lines) < int(sys.argv[2]):
        try:
            case = Case()
            if case.ours:
                lines.append("        " + case.line() + ",\n")
        except IndexError:  # index tensors that do not broadcast
            pass
    with open(sys.argv[1], "w") as out:
        out.write("// Made by make_indexing_cases.py from PyTorch.\n#include \"indexing_cases.hpp\"\n\n")
        out.write("// clang-format off\nnamespace reel::testing {\n\nstd::vector<IndexCase> index_cases() {\n    return {\n")
        out.writelines(lines)
        out.write("    };\n}\n\n}  // namespace reel::testing\n")


if __name__ == "__main__":
    main()
