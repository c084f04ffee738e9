/// \file
/// Loops that apply a function to dense memory. A function is an object with a template call operator,
/// written once for vectors; tails go through a padded vector, so that every element takes the same path
/// wherever it is.
#pragma once

#include <tuple>
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
    std::int64_t i = 0;
    for (; i + kStep <= n; i += kStep) store(y + i, f(load(x[Operand] + i)...));
    if (i < n) store_some(y + i, f(load_some(x[Operand] + i, n - i)...), n - i);
}

template <class F, class S, std::size_t kOperands>
void map(std::int64_t n, void* y, const void* const* x, const double* parameters) {
    map_vectors<F, S>(n, y, x, parameters, std::make_index_sequence<kOperands>());
}

/// y[i] = f(x₀[i], x₁[i]), where operand `kSame` is one number for all i.
template <class F, class T, int kSame>
void map_spread(std::int64_t n, void* out, const void* const* in, const double*) {
    const F f;
    const T* x = static_cast<const T*>(in[1 - kSame]);
    const Vec<T> same(*static_cast<const T*>(in[kSame]));
    T* y = static_cast<T*>(out);
    const auto at = [&](const Vec<T>& v) { return kSame == 0 ? f(same, v) : f(v, same); };
    std::int64_t i = 0;
    for (; i + kWidth<T> <= n; i += kWidth<T>) at(load(x + i)).store_unaligned(y + i);
    if (i < n) store_some<T>(y + i, at(load_some(x + i, n - i)), n - i);
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

/// Enters a function into the table for float32 and float64. Its type is `F`, made from the parameters where it takes any.
template <class F, std::size_t kOperands>
void add_floating(Table& table, Fn fn) {
    auto& row = table.pointwise[static_cast<std::size_t>(fn)];
    row[static_cast<std::size_t>(kFloat32)] = &map<F, float, kOperands>;
    row[static_cast<std::size_t>(kFloat64)] = &map<F, double, kOperands>;
}

template <std::size_t kOperands, class F>
void add_floating(Table& table, Fn fn, const F&) {
    add_floating<F, kOperands>(table, fn);
}

/// The same of two operands, of which one may be a single number, and of 16-bit numbers.
template <class F>
void add_arithmetic(Table& table, Fn fn, const F&) {
    add_floating<F, 2>(table, fn);
    if constexpr (kNarrow) {
        auto& row = table.pointwise[static_cast<std::size_t>(fn)];
        row[static_cast<std::size_t>(kFloat16)] = &map<F, Half, 2>;
        row[static_cast<std::size_t>(kBFloat16)] = &map<F, BFloat16, 2>;
    }
    for (const auto& [row, float_loop, double_loop] :
         {std::tuple{table.spread[0], &map_spread<F, float, 0>, &map_spread<F, double, 0>},
          std::tuple{table.spread[1], &map_spread<F, float, 1>, &map_spread<F, double, 1>}}) {
        row[static_cast<std::size_t>(fn)][static_cast<std::size_t>(kFloat32)] = float_loop;
        row[static_cast<std::size_t>(fn)][static_cast<std::size_t>(kFloat64)] = double_loop;
    }
}

/// Enters a function into the table for one type, element by element.
template <class Out, class T, std::size_t kOperands, class F>
void add_each(Table& table, Fn fn, const F&) {
    table.pointwise[static_cast<std::size_t>(fn)][static_cast<std::size_t>(dtype_of<T>())] =
        &map_each<F, Out, T, kOperands>;
}

}  // namespace reel::kernels::REEL_SET
