#include "ops/nn/labelled_rows_driver.hpp"

#include <cmath>
#include <limits>

namespace reel {

namespace {

using kernels::kMaxFibres;
using std::int64_t;

/// f(0 of the type, first row, rows) for groups of a matrix's rows, on several threads.
void for_each_group(const Tensor& z, const auto& f) {
    with_floating(z.dtype(), [&](auto zero) {
        parallel_for(z.size(0), kMaxFibres, kFibreWork * z.size(1), [&](int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; i += kMaxFibres) f(zero, i, std::min(kMaxFibres, end - i));
        });
    });
}

}  // namespace

LabelledRows::LabelledRows(const ClassLoss& problem)
    : labels_(problem.targets, problem.ignore_index),
      weights_("cross_entropy", problem.weight, problem.logits.size(-1)) {}

void LabelledRows::begin(int64_t first, int64_t count) {
    first_ = first;
    rows_.resize(static_cast<std::size_t>(count));
}

/// With S = 1 + rest the sum of all e^(z − max).
void LabelledRows::Row::add(double other_max, double other_rest) {
    if (other_max > max) {
        rest = other_rest + (1 + rest) * std::exp(max - other_max);
        max = other_max;
    } else {
        rest += (1 + other_rest) * (other_max == max ? 1 : std::exp(other_max - max));
    }
}

template <class T>
void LabelledRows::add_group(const Tensor& z, int64_t from, int64_t row, int64_t count) {
    const int64_t n = z.size(1);
    const T* x = z.data_ptr<T>() + row * n;
    T max[kMaxFibres];
    T rest[kMaxFibres];
    double log_sum[kMaxFibres];
    kernels::softmax(dtype_of<T>()).statistics[kernels::kRows](n, count, {x, n}, max, rest, log_sum);
    for (int64_t f = 0; f < count; ++f) {
        Row& all = rows_[static_cast<std::size_t>(row + f)];
        if (from == 0) {
            all = {static_cast<double>(max[f]), static_cast<double>(rest[f]), 0};
        } else {
            all.add(static_cast<double>(max[f]), static_cast<double>(rest[f]));
        }
        const int64_t label = labels_[first_ + row + f] - from;
        if (label >= 0 && label < n) all.at_label = static_cast<double>(x[f * n + label]);
    }
}

void LabelledRows::add(const Tensor& z, int64_t from) {
    for_each_group(
        z, [&](auto zero, int64_t row, int64_t count) { add_group<decltype(zero)>(z, from, row, count); });
}

void LabelledRows::conclude(const Tensor& losses) {
    auto* loss = losses.data_ptr<double>() + first_;
    int64_t row = first_;
    for (Row& r : rows_) {
        if (!std::isfinite(r.max)) r.rest = std::numeric_limits<double>::quiet_NaN();
        const double w = labels_.weight(row++, weights_);
        *loss++ = w == 0 ? 0 : w * ((r.max - r.at_label) + std::log1p(r.rest));
    }
}

template <class T>
void LabelledRows::differentiate_group(const Tensor& z, int64_t from, const double* factors, int64_t row,
                                       int64_t count) const {
    const int64_t n = z.size(1);
    T* y = z.data_ptr<T>() + row * n;
    T max[kMaxFibres];
    T rest[kMaxFibres];
    double factor[kMaxFibres];
    for (int64_t f = 0; f < count; ++f) {
        const Row& r = rows_[static_cast<std::size_t>(row + f)];
        max[f] = static_cast<T>(r.max);
        rest[f] = static_cast<T>(r.rest);
        const double w = labels_.weight(first_ + row + f, weights_);
        factor[f] = w == 0 ? 0 : w * factors[first_ + row + f];
    }
    kernels::softmax(dtype_of<T>()).exponentials[kernels::kRows](n, count, {y, n}, max, rest, factor, {y, n});
    for (int64_t f = 0; f < count; ++f, y += n) {
        if (factor[f] == 0) {  // also where there is an infinity or a NaN
            std::fill_n(y, n, T(0));
            continue;
        }
        const Row& r = rows_[static_cast<std::size_t>(row + f)];
        const int64_t label = labels_[first_ + row + f] - from;
        if (label < 0 || label >= n) continue;
        // ȳ (p − 1): where the label attains the maximum, p is 1 / (1 + rest), and 1 − p is taken without a difference.
        const double p_bar = static_cast<double>(y[label]);
        y[label] =
            static_cast<T>(r.at_label == r.max ? -factor[f] * (r.rest / (1 + r.rest)) : p_bar - factor[f]);
    }
}

void LabelledRows::differentiate(const Tensor& z, int64_t from, const Tensor& factors) const {
    for_each_group(z, [&](auto zero, int64_t row, int64_t count) {
        differentiate_group<decltype(zero)>(z, from, factors.data_ptr<double>(), row, count);
    });
}

}  // namespace reel
