"""Writes the tables of docs/checking.md that hold reel's checker beside PyTorch's and JAX's.

    python3 tests/compare/checkers.py FOLDER      where the library check_corpus was built

All three are given the same functions and gradients, right ones and spoilt ones, which come from the C++ corpus by
ctypes; each checker has its own default tolerances. Needs torch and jax (PyPI).
"""

import collections
import ctypes
import pathlib
import sys

import jax
import jax.numpy as jnp
import numpy as np
import torch
from jax.test_util import check_grads

jax.config.update("jax_enable_x64", True)
corpus = ctypes.CDLL(next(pathlib.Path(sys.argv[1]).resolve().glob("libcheck_corpus.*")))
doubles = np.ctypeslib.ndpointer(np.float64, flags="C")
corpus.kind.restype = corpus.mistake_name.restype = ctypes.c_char_p
corpus.point.restype = ctypes.POINTER(ctypes.c_double)
corpus.value.restype = ctypes.c_double
corpus.value.argtypes = [ctypes.c_int, doubles]
corpus.gradient.argtypes = [ctypes.c_int, ctypes.c_int, doubles, doubles]


def value(function, x):
    return corpus.value(function, np.ascontiguousarray(x, np.float64))


def gradient(function, mistake, x):
    out = np.empty(np.shape(x))
    corpus.gradient(function, mistake, np.ascontiguousarray(x, np.float64), out)
    return out


def reel_passes(function, mistake, x):
    return bool(corpus.passes(function, mistake))


def torch_passes(function, mistake, x):
    class Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return torch.tensor(value(function, x.detach().numpy()), dtype=torch.float64)

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx, cotangent):
            (x,) = ctx.saved_tensors
            return cotangent * torch.from_numpy(gradient(function, mistake, x.numpy()))

    inputs = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    return torch.autograd.gradcheck(Function.apply, (inputs,), raise_exception=False)


examined = (0, -1)  # function and mistake: JAX compiles a callback once, and calls it for all of them
like = lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype)
jax_value = lambda x: np.float64(value(examined[0], x))
jax_gradient = lambda x: gradient(*examined, np.asarray(x))


@jax.custom_vjp
def jax_function(x):
    return jax.pure_callback(jax_value, jax.ShapeDtypeStruct((), np.float64), x)


jax_function.defvjp(
    lambda x: (jax_function(x), x),
    lambda x, cotangent: (cotangent * jax.pure_callback(jax_gradient, like(x), x),),
)


def jax_passes(function, mistake, x):
    global examined
    examined = (function, mistake)
    try:
        check_grads(jax_function, (jnp.array(x),), order=1, modes=["rev"])
    except AssertionError:
        return False
    return True


def tables():
    checkers = [reel_passes, torch_passes, jax_passes]
    functions, refused = collections.Counter(), collections.Counter()
    by_kind, by_mistake, passed = collections.Counter(), collections.Counter(), collections.Counter()
    for function in range(corpus.functions()):
        kind = corpus.kind(function).decode()
        x = np.array(corpus.point(function)[: corpus.size(function)])
        functions[kind] += 1
        visible = [m for m in range(corpus.mistakes()) if corpus.visible(function, m)]
        by_kind[kind] += len(visible)
        by_mistake.update(corpus.mistake_name(m).decode() for m in visible)
        for i, passes in enumerate(checkers):
            refused[kind, i] += not passes(function, -1, x)
            for m in visible:
                if passes(function, m, x):
                    passed[kind, i] += 1
                    passed[corpus.mistake_name(m).decode(), i] += 1
    row = lambda *cells: "| " + " | ".join(str(c) for c in cells) + " |\n"
    counts = lambda counter, key: [counter[key, i] for i in range(len(checkers))]
    total = lambda counter, keys: [sum(counter[k, i] for k in keys) for i in range(len(checkers))]
    text = row("kind", "functions", "right refused: reel", "PyTorch", "JAX", "mistakes", "passed: reel", "PyTorch", "JAX")
    text += "| --- " * 9 + "|\n"
    for kind in functions:
        text += row(kind, functions[kind], *counts(refused, kind), by_kind[kind], *counts(passed, kind))
    text += row("all", functions.total(), *total(refused, functions), by_kind.total(), *total(passed, functions))
    text += "\n" + row("mistake", "times", "passed: reel", "PyTorch", "JAX") + "| --- " * 5 + "|\n"
    for mistake in by_mistake:
        text += row(mistake, by_mistake[mistake], *counts(passed, mistake))
    return text


page = pathlib.Path(__file__).parents[2] / "docs" / "checking.md"
begin, end = "<!-- tests/compare/checkers.py -->\n", "<!-- end -->"
written = tables()
before, rest = page.read_text().split(begin)
page.write_text(before + begin + written + end + rest.split(end)[1])
