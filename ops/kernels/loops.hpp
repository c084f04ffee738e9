/// \file
/// Loops that apply a function to dense memory. A function is an object with a template call operator,
/// written once for vectors; tails go through a padded vector, so that every element takes the same path
/// wherever it is.
#pragma once

#include <utility>

#include "ops/kernels/narrow.hpp"

namespace reel::kernels::REEL_SET {

/// y[i] = f(x₀[i], …, xₙ₋₁[i]) with vectors of what is stored as `S`; `F` is made from the parameters where it takes any.
/// Flattened: a function called for each vector would pass it through memory.
template <class F, class S, std::size_t... Operand>
REEL_FLATTEN void map_vectors(std::int64_t n, void* out, const void* const* in, const double* parameters,
                              std::index_sequence<Operand...>) {
    const F f = [&] {
        if constexpr (std::is_constructible_v<F, const double*>) {
            return F(parameters);
        } else {
            static_cast<void>(parameters);
            return F();
        }
    }();
    const S* x[] = {static_cast<const S*>(in[Operand])...};
    S* y = static_cast<S*>(out);
    constexpr std::int64_t kStep = kWidth<Computed<S>>;
    const auto at = [&](std::int64_t i) { return f(load(x[Operand] + i)...); };
    std::int64_t i = 0;
    if constexpr (sizeof(S) == 2)  // are rounded two vectors at a time
        for (; i + 2 * kStep <= n; i += 2 * kStep) store(y + i, at(i), at(i + kStep));
    for (; i + kStep <= n; i += kStep) store(y + i, at(i));
    if (i < n) store_some(y + i, f(load_some(x[Operand] + i, n - i)...), n - i);
}

template <class F, class S, std::size_t kOperands>
void map(std::int64_t n, void* y, const void* const* x, const double* parameters) {
    map_vectors<F, S>(n, y, x, parameters, std::make_index_sequence<kOperands>());
}

/// y[i] = f(x₀[i], x₁[i]), where operand `kSame`, if it is one of them, is one number for all i.
template <class F, class S, int kSame>
[[gnu::always_inline]] inline void map_pair(std::int64_t n, const void* const* in, Computed<S> number, S* y) {
    using V = Vec<Computed<S>>;
    const F f;
    const S* x[] = {static_cast<const S*>(in[0]), static_cast<const S*>(in[1])};
    const V same(number);
    const auto at = [&](const auto& read) {
        return f(kSame == 0 ? same : read(x[0]), kSame == 1 ? same : read(x[1]));
    };
    const auto vector = [&](std::int64_t i) { return at([&](const S* from) { return load(from + i); }); };
    constexpr std::int64_t w = kWidth<Computed<S>>;
    if (n < w) {
        if (n > 0) store_some(y, at([&](const S* from) { return load_some(from, n); }), n);
        return;
    }
    // The last vector overlaps its neighbour: it is made before y, which may be x, is written.
    const V last = vector(n - w);
    std::int64_t i = 0;
    if constexpr (sizeof(S) == 2)
        for (; i + 2 * w <= n; i += 2 * w) store(y + i, vector(i), vector(i + w));
    for (; i + w <= n; i += w) store(y + i, vector(i));
    store(y + n - w, last);
}

/// The number is of the type that is computed in.
template <class F, class S, int kSame>
REEL_FLATTEN void map_spread(std::int64_t n, void* y, const void* const* x, const double*) {
    map_pair<F, S, kSame>(n, x, *static_cast<const Computed<S>*>(x[kSame]), static_cast<S*>(y));
}

/// The same of rows, each of which has its own number, stored as its other numbers are.
template <class F, class S, int kSame>
REEL_FLATTEN void map_pair_of_rows(std::int64_t rows, std::int64_t n, void* y, std::int64_t y_stride,
                                   const void* const* x, const std::int64_t* stride) {
    for (std::int64_t r = 0; r < rows; ++r) {
        const void* row[] = {static_cast<const S*>(x[0]) + r * stride[0],
                             static_cast<const S*>(x[1]) + r * stride[1]};
        const auto number = static_cast<Computed<S>>(*static_cast<const S*>(row[kSame % 2]));
        map_pair<F, S, kSame>(n, row, number, static_cast<S*>(y) + r * y_stride);
    }
}

/// y[i] = f(x₀[i], …) element by element, for integers, bools and tests; the compiler turns it into vectors.
template <class F, class Out, class T, std::size_t... Operand>
void map_elements(std::int64_t n, void* out, const void* const* in, std::index_sequence<Operand...>) {
    using Stored = std::conditional_t<std::is_same_v<T, bool>, Bool, T>;
    const F f{};
    const Stored* x[] = {static_cast<const Stored*>(in[Operand])...};
    Out* y = static_cast<Out*>(out);
    for (std::int64_t i = 0; i < n; ++i) y[i] = static_cast<Out>(f(static_cast<T>(x[Operand][i])...));
}

template <class F, class Out, class T, std::size_t kOperands>
void map_each(std::int64_t n, void* y, const void* const* x, const double*) {
    map_elements<F, Out, T>(n, y, x, std::make_index_sequence<kOperands>());
}

inline void enter(Table& table, Fn fn, DType dtype, Loop loop) {
    table.pointwise[static_cast<std::size_t>(fn)][static_cast<std::size_t>(dtype)] = loop;
}

/// Enters a function into the table for float32 and float64. Its type is `F`, made from the parameters where it takes any.
template <class F, std::size_t kOperands>
void add_floating(Table& table, Fn fn) {
    enter(table, fn, kFloat32, &map<F, float, kOperands>);
    enter(table, fn, kFloat64, &map<F, double, kOperands>);
}

template <std::size_t kOperands, class F>
void add_floating(Table& table, Fn fn, const F&) {
    add_floating<F, kOperands>(table, fn);
}

/// The same of numbers stored in 16 bits, for what computes in less time than it takes to convert them before and after.
template <class F, std::size_t kOperands>
void add_simple(Table& table, Fn fn) {
    add_floating<F, kOperands>(table, fn);
    if constexpr (kNarrow) {
        enter(table, fn, kFloat16, &map<F, Half, kOperands>);
        enter(table, fn, kBFloat16, &map<F, BFloat16, kOperands>);
    }
}

template <std::size_t kOperands, class F>
void add_simple(Table& table, Fn fn, const F&) {
    add_simple<F, kOperands>(table, fn);
}

/// Enters what takes rows, and a number for all elements or for each row.
template <class F, class T>
void add_pair(Table& table, Fn fn) {
    const auto i = static_cast<std::size_t>(fn);
    const auto dtype = static_cast<std::size_t>(dtype_of<T>());
    table.spread[0][i][dtype] = &map_spread<F, T, 0>;
    table.spread[1][i][dtype] = &map_spread<F, T, 1>;
    table.rows[0][i][dtype] = &map_pair_of_rows<F, T, 0>;
    table.rows[1][i][dtype] = &map_pair_of_rows<F, T, 1>;
    table.rows[kNoneSame][i][dtype] = &map_pair_of_rows<F, T, kNoneSame>;
}

/// Enters a function of two operands, of which one may be a single number.
template <class F>
void add_arithmetic(Table& table, Fn fn, const F&) {
    add_simple<F, 2>(table, fn);
    add_pair<F, float>(table, fn);
    add_pair<F, double>(table, fn);
    if constexpr (kNarrow) {
        add_pair<F, Half>(table, fn);
        add_pair<F, BFloat16>(table, fn);
    }
}

/// Enters a function into the table for one type, element by element.
template <class Out, class T, std::size_t kOperands, class F>
void add_each(Table& table, Fn fn, const F&) {
    enter(table, fn, dtype_of<T>(), &map_each<F, Out, T, kOperands>);
}

}  // namespace reel::kernels::REEL_SET
