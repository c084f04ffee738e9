#!/usr/bin/env python3
"""Prints the coefficients of the polynomials in this folder: minimax, found with mpmath (python3-mpmath).

usage: coefficients.py

Polynomials by Remez's exchange, of the relative error of the function that they are a part of; quotients of
polynomials by Lawson's weights on a linearised least-squares fit. Each line has a table's name, the error's
binary logarithm, and the coefficients from the lowest power up. In tables to pick from each line has a power, with
one float32 for each interval.
"""
import random
import struct

from mpmath import atan, atanh, cos, cosh, erf, erfc, exp, log, matrix, lu_solve, mp, mpf, nstr, pi
from mpmath import polyval, qr_solve, sin, sinh, sqrt, tanh

mp.dps = 60
NEAR_ZERO = mpf(10) ** -24


def nodes(low, high, count):
    """Chebyshev's nodes on [low, high]."""
    return [(low + high) / 2 - (high - low) / 2 * cos(pi * k / (count - 1)) for k in range(count)]


def show(name, error, *tables):
    for table in tables:
        print(f"{name}: 2^{nstr(log(error, 2), 4)}: {', '.join(nstr(c, 18) for c in table)}")


def remez(f, low, high, degree, weight):
    """The polynomial that minimises max |weight (f - p)| on [low, high], and that maximum."""
    count = degree + 2
    at = nodes(mpf(low), mpf(high), count)
    dense = [(x, f(x), weight(x)) for x in nodes(mpf(low), mpf(high), 600)]
    for _ in range(12):
        rows = matrix(count, count)
        for i, x in enumerate(at):
            for k in range(degree + 1):
                rows[i, k] = weight(x) * x**k
            rows[i, degree + 1] = (-1) ** i
        c = list(lu_solve(rows, matrix([weight(x) * f(x) for x in at])))[: degree + 1]
        extrema = []  # one for each run of errors of one sign
        for x, y, w in dense:
            e = w * (y - polyval(c[::-1], x))
            if extrema and (e > 0) == (extrema[-1][1] > 0):
                extrema[-1] = max(extrema[-1], (x, e), key=lambda pair: abs(pair[1]))
            else:
                extrema.append((x, e))
        while len(extrema) > count:
            extrema.pop(0 if abs(extrema[0][1]) < abs(extrema[-1][1]) else -1)
        worst = max(abs(e) for _, e in extrema)
        if len(extrema) < count or worst < mpf("1.001") * min(abs(e) for _, e in extrema):
            break
        at = [x for x, _ in extrema]
    return c, worst


def tail(f, first, by):
    """(f(sqrt z) - first) / by at sqrt z, for f whose series begins with `first`; near 0 by a larger z."""
    def at(z):
        r = sqrt(max(z, NEAR_ZERO))
        return (f(r) - first(r)) / by(r)
    return at


def mills(y):
    """exp(-y²/2) / Q(y), Q the normal distribution's tail."""
    return 2 / exp(y * y / 2 + log(erfc(y / sqrt(2))))


def quotient(f, first, low, high, middle, over, under):
    """G / N of degrees `over` and `under` with f ~ first + G / N on [low, high], and the error relative to f."""
    unknowns = over + under + 1
    reach = [(end - middle) / (end + middle) for end in (mpf(low), mpf(high))]
    points = 4 * unknowns
    t = [sum(reach) / 2 + (reach[1] - reach[0]) / 2 * cos(pi * (2 * i + 1) / (2 * points)) for i in range(points)]
    ys = [middle * (1 + v) / (1 - v) for v in t]
    truth = [f(y) for y in ys]
    lawson, below, best = [mpf(1)] * points, [mpf(1)] * points, None
    for turn in range(30):
        rows, right = matrix(points, unknowns), matrix(points, 1)
        for i, y in enumerate(ys):
            weight = sqrt(lawson[i]) / truth[i] / below[i]
            wanted = truth[i] - first(y)
            for j in range(over + 1):
                rows[i, j] = weight * y**j
            for j in range(1, under + 1):
                rows[i, over + j] = -weight * wanted * y**j
            right[i] = weight * wanted
        x = list(qr_solve(rows, right)[0])
        g, n = x[: over + 1], [mpf(1)] + x[over + 1 :]
        below = [polyval(n[::-1], y) for y in ys]
        errors = [abs((first(y) + polyval(g[::-1], y) / b) / m - 1) for y, b, m in zip(ys, below, truth)]
        worst = max(errors)
        best = min(best or (worst, g, n), (worst, g, n), key=lambda fit: fit[0])
        if turn >= 3:
            lawson = [w * e / worst + mpf(10) ** -30 for w, e in zip(lawson, errors)]
            total = sum(lawson)
            lawson = [w * points / total for w in lawson]
    return best


def rounded(x):
    """To float32."""
    return mpf(struct.unpack("f", struct.pack("f", float(x)))[0])


def fitting(f, low, high):
    """An x between low and high that is a float32, and with it f(x) to twelve digits more."""
    draw = random.Random(1)
    at = [rounded(low + (high - low) * mpf(draw.random())) for _ in range(5000)]
    return min(at, key=lambda x: abs(f(x) - rounded(f(x))))


def piecewise(name, f, edges, share, degree, slope=1, first=0, size=None):
    """f(c + t) between neighbouring edges, c at a share of the way: c, f(c), and the coefficients of t, t² and so on.

    c and f(c) are float32 numbers. In a first interval around 0, where f(0) = 0, c is 0, and it is f(t) - slope · t. Where the
    first interval is not number 0, the lines have 16 numbers, and the last ones are followed by the first. Errors are relative to
    `size`, which is f unless given.
    Least squares at Chebyshev's nodes, anew for what is left when a coefficient has been rounded.
    """
    columns, worst, size = [], 0, size or f
    for low, high in zip(edges, edges[1:]):
        c = low + (high - low) * share
        c = 0 if low == f(low) else fitting(f, c - (high - low) / 20, c + (high - low) / 20)
        at = [t for t in nodes(low - c, high - c, 8 * degree) if abs(c + t) > NEAR_ZERO]
        p = [rounded(f(c))]
        missing = [f(c + t) - (p[0] if c else slope * t) for t in at]
        for k in range(1, degree + 1):
            rows, right = matrix(len(at), degree + 1 - k), matrix(len(at), 1)
            for i, t in enumerate(at):
                for j in range(k, degree + 1):
                    rows[i, j - k] = (t / (high - low)) ** j / size(c + t)
                right[i] = missing[i] / size(c + t)
            p.append(rounded(qr_solve(rows, right)[0][0] / (high - low) ** k))
            missing = [m - p[k] * t**k for m, t in zip(missing, at)]
        worst = max([worst] + [abs(m / size(c + t)) for m, t in zip(missing, at)])
        columns.append([c] + p)
    print(f"{name}: 2^{nstr(log(worst, 2), 4)}:")
    columns += [[0] * (degree + 2)] * (16 - len(columns)) if first else []
    for row in zip(*columns[-first:], *columns[:-first]) if first else zip(*columns):
        print("    " + ", ".join(nstr(x, 9) for x in row))


def main():
    half = log(2) / 2 * mpf("1.001")
    far = ((sqrt(2) - 1) / (sqrt(2) + 1)) ** 2 * mpf("1.001")
    quarter = (pi / 4) ** 2 * mpf("1.001")
    eighth = (sqrt(2) - 1) ** 2 * mpf("1.002")
    log_tail = tail(lambda s: 2 * atanh(s), lambda s: 2 * s, lambda s: s**3)
    log_ratio = tail(lambda s: 2 * atanh(s), lambda s: 0, lambda s: s)
    exp_tail = lambda r: (exp(r) - 1 - r) / r**2 if abs(r) > NEAR_ZERO else mpf(1) / 2
    half_turn = tail(sin, lambda r: r, lambda r: r**3)
    polynomials = {
        "kExpTail": (exp_tail, -half, half, (4, 9), lambda r: r * r),
        "kShortExpTail": (exp_tail, -half / 16, half / 16, (4,), lambda r: r * r),
        "kPartTail of float, even": (lambda z: (cosh(sqrt(z)) - 1) / max(z, NEAR_ZERO), 0, (log(2) / 16) ** 2, (0,), lambda z: z),
        "kPartTail of float, odd": (tail(sinh, lambda r: r, lambda r: r**3), 0, (log(2) / 16) ** 2, (0,),
                                    lambda z: sqrt(z) ** 3),
        "kLongPartTail": (exp_tail, -half / 8, half / 8, (2,), lambda r: r * r),
        "kPartTail of double after 1/2": (lambda r: (exp_tail(r) - mpf(1) / 2) / r if abs(r) > NEAR_ZERO else mpf(1) / 6,
                                          -half / 4, half / 4, (5,), lambda r: abs(r) ** 3 + NEAR_ZERO),
        "kLogTail": (log_tail, 0, far, (2, 6), lambda z: z),
        "kLogFarTail": (lambda z: (log_tail(z) - mpf(2) / 3) / max(z, NEAR_ZERO), 0, far, (2, 6), lambda z: z * z),
        "kFloatLog2": (lambda z: log_ratio(z) / log(2), 0, far, (4,), lambda z: 1),
        "kFloatExp2": (lambda r: (2**r - 1) / r if abs(r) > NEAR_ZERO else log(2), -mpf("0.5001"), mpf("0.5001"), (5,),
                       lambda r: r),
        "kLogWideTail": (log_tail, 0, mpf("1.001") / 9, (3, 9), lambda z: z),
        "kSinTail": (tail(sin, lambda r: r, lambda r: r**3), 0, quarter, (2, 5), lambda z: z),
        "kHalfTurnTail": (half_turn, 0, 4 * quarter, (3, 7), lambda z: z),
        "kHalfTurnTail after float32's first": (lambda z: (half_turn(z) - rounded("-0.1666666")) / max(z, NEAR_ZERO), 0,
                                                4 * quarter, (2,), lambda z: z * z),
        "kCosTail": (tail(cos, lambda r: 1 - r * r / 2, lambda r: r**4), 0, quarter, (2, 5), lambda z: z * z),
        "kAtanTail": (tail(atan, lambda t: t, lambda t: t**3), 0, eighth, (4, 10), lambda z: z),
        "kTanhTail": (tail(tanh, lambda x: x, lambda x: x**3), 0, mpf("0.37"), (4, 10), lambda z: z),
        "kErfNear": (tail(erf, lambda x: x, lambda x: x), 0, mpf("0.81"), (6, 11), lambda z: 1),
        "kNormalNear": (tail(lambda x: erf(x / sqrt(2)), lambda x: 0, lambda x: x), 0, mpf("0.49"), (4, 9),
                        lambda z: 1),
    }
    for name, (f, low, high, degrees, weight) in polynomials.items():
        for degree in degrees:
            c, error = remez(f, low, high, degree, weight)
            show(name, error, c)
    for end, middle, slope, degrees in (
        (mpf("14.6"), mpf("2.5"), mpf("2.5066282749176025390625"), (4, 5)),  # sqrt(2 pi) as a float
        (mpf("38.8"), mpf("3.5"), mpf(float(sqrt(2 * pi))), (10, 11)),
    ):
        error, g, n = quotient(mills, lambda y: slope * y, 0, end, middle, *degrees)
        show("kTailG, kTailN", error, g, n)
    level = mpf(43) / 128
    for end, middle, degree in ((mpf("14.6"), mpf(2), 5), (mpf("38.8"), mpf(3), 11)):
        error, g, n = quotient(lambda y: y / mills(y), lambda y: level, mpf("0.68"), end, middle, degree, degree)
        show("kGeluG, kGeluN", error, g, n)
    edges = [mpf(k) / 32 for k in (23, 25, 27, 29, 31, 34, 38, 42, 46)]
    q = [fitting(lambda x: log(x), *(2 / (low + high) * (1 + sign * mpf("0.001")) for sign in (-1, 1)))
         for low, high in zip(edges, edges[1:])]
    q[4] = mpf(1)
    c, error = remez(lambda r: (log(1 + r) - r) / r**2 if abs(r) > NEAR_ZERO else -mpf(1) / 2,
                     min(low * x - 1 for low, x in zip(edges, q)), max(high * x - 1 for high, x in zip(edges[1:], q)),
                     3, lambda r: abs(r) + NEAR_ZERO)
    show("kLogPieces, kLog1pTail", error, q, [rounded(-log(x)) for x in q], c)
    edges = [mpf(17) / 32 * (k + mpf("0.5")) for k in range(7)]
    piecewise("kErfPieces", erf, [mpf(0)] + edges + [mpf("3.97")], mpf("0.5"), 7)
    edges = [mpf(k) / 8 for k in (0, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)]
    piecewise("kTanhPieces", tanh, edges + [mpf("9.3")], mpf("0.5"), 7, 0, 9)
    end, slope = mpf("-5.5"), mpf("-0.8")
    curve = rounded((mpf("15.49") - slope * end) / end**2)
    show("kPhiSteps", 1, [curve, slope])
    edges = [(-slope - sqrt(slope**2 + 4 * curve * (k + mpf("0.5")))) / (2 * curve) for k in range(16)]
    phi = lambda y: erfc(-y / sqrt(2)) / 2
    bell = lambda y: y * exp(-y * y / 2) / sqrt(2 * pi)
    v = lambda y: sqrt(8 / pi) * y * (1 + mpf("0.044715") * y * y)
    piecewise("kPhiPieces", phi, [mpf(0)] + edges, mpf("0.6"), 7)
    piecewise("kGeluTanhPieces", lambda y: 1 / (1 + exp(-v(y))), [mpf(0)] + edges, mpf("0.6"), 7)
    piecewise("kGeluSlopePieces", lambda y: phi(y) + bell(y), [mpf(0)] + edges, mpf("0.6"), 7,
              size=lambda y: phi(y) - bell(y))


main()
