// The softmax family on groups of fibres: the statistics of each fibre, and what is written from them. The
// exponentials themselves, and why they are what they are, stand in `shifted_exp.hpp`.
//
// Note [All but one maximum]
// A fibre is summed without one element that attains its maximum: Σ e^(z - max) = 1 + rest. Where one logit
// leads by 40, rest is 4e-18, which 1 + rest has lost; log1p(rest) and rest / (1 + rest) have not.
#include <algorithm>

#include "ops/kernels/shifted_exp.hpp"
#include "tensor/stream.hpp"

namespace reel::kernels::REEL_SET {

namespace {

using std::int64_t;

/// A vector of each of a group's fibres: element c of W fibres that stand side by side. Fibres are stored as
/// `S` and computed in `T`.
template <class T, class S>
struct Lanes {
    const S* x;
    int64_t stride;
    Vec<T> operator()(int64_t c) const { return load_as<T>(x + c * stride); }
};

/// The same of fewer than W fibres; the other lanes repeat the last.
template <class T, class S>
struct FewLanes {
    const S* x;
    int64_t stride;
    int64_t count;
    Vec<T> operator()(int64_t c) const { return load_some_as<T>(x + c * stride, count); }
};

/// One dense fibre, a vector at a time.
template <class T, class S>
struct Row {
    const S* x;
    Vec<T> operator()(int64_t v) const { return load_as<T>(x + v * kWidth<T>); }
};

/// The same, while the memory that stands `ahead` bytes further is brought nearer: the next row, which would
/// be waited for while its maximum is looked for.
template <class T, class S>
struct RowBeforeNext {
    const S* x;
    std::uintptr_t ahead;
    Vec<T> operator()(int64_t v) const {
        const S* from = x + v * kWidth<T>;
        __builtin_prefetch(reinterpret_cast<const void*>(reinterpret_cast<std::uintptr_t>(from) + ahead));
        return load_as<T>(from);
    }
};

/// What is left of a row behind its whole vectors, filled up with -inf.
template <class T, class S>
Vec<T> row_tail(const S* x, int64_t n) {
    constexpr T kNothing = -std::numeric_limits<T>::infinity();
    if (n == 0) return Vec<T>(kNothing);
    alignas(Vec<T>) T buffer[Vec<T>::size];
    for (int64_t i = 0; i < kWidth<T>; ++i) buffer[i] = i < n ? static_cast<T>(x[i]) : kNothing;
    return Vec<T>::load_aligned(buffer);
}

/// The larger one in each lane. A NaN may get lost: the sum finds it.
template <class T>
Vec<T> larger(const Vec<T>& a, const Vec<T>& b) {
    return xsimd::max(a, b);
}

template <class T, class Load>
Vec<T> maximum(int64_t count, const Load& z) {
    constexpr int64_t kChains = 4;
    Vec<T> max[kChains];
    for (int64_t k = 0; k < kChains; ++k) max[k] = z(k < count ? k : 0);
    int64_t c = kChains;
    for (; c + kChains <= count; c += kChains) {
        for (int64_t k = 0; k < kChains; ++k) max[k] = larger<T>(max[k], z(c + k));
    }
    for (; c < count; ++c) max[0] = larger<T>(max[0], z(c));
    return larger<T>(larger<T>(max[0], max[1]), larger<T>(max[2], max[3]));
}

/// Counts the elements that attain the maximum and sums the exponentials of the others.
template <class T>
struct Rest {
    ShiftedExp<T> exponential;
    Vec<T> max;
    Vec<T> count = Vec<T>(0);
    LaneSums<T> sums = {};

    explicit Rest(const Vec<T>& maximum) : exponential(maximum), max(maximum) {}

    Vec<T> term(const Vec<T>& z) {
        const auto is_max = z == max;
        count = count + xsimd::select(is_max, Vec<T>(1), Vec<T>(0));
        return xsimd::select(is_max, Vec<T>(0), exponential(z));
    }
    /// Σ of `kTerms` terms from c on, in pairs.
    template <int64_t kTerms, class Load>
    Vec<T> tree(int64_t c, const Load& z) {
        if constexpr (kTerms == 1) {
            return term(z(c));
        } else {
            const Vec<T> left = tree<kTerms / 2>(c, z);
            return left + tree<kTerms / 2>(c + kTerms / 2, z);
        }
    }
    template <class Load>
    void add(int64_t vectors, const Load& z) {
        int64_t c = 0;
        for (; c + 8 <= vectors; c += 8) sums.add(tree<8>(c, z));
        if (c == vectors) return;
        Vec<T> rest(0);
        if (vectors - c >= 4) {
            rest = tree<4>(c, z);
            c += 4;
        }
        for (; c < vectors; ++c) rest = rest + term(z(c));
        sums.add(rest);
    }
};

/// What is known of each fibre of a group before the numbers are put together.
template <class T>
struct Found {
    T max[kGroup];
    T top[kGroup];
    T exponent[kGroup];
    double sum[kGroup];
    double count[kGroup];
};

/// rest = Σ' e^(z - max) and log(1 + rest), where Σ' leaves one maximum out.
template <class T>
void conclude(int64_t count, const Found<T>& found, T* max, T* rest, double* log_sum) {
    alignas(Vec<double>) double rests[kGroup];
    alignas(Vec<double>) double logs[kGroup];
    for (int64_t l = 0; l < count; l += kWidth<double>) {
        const Vec<double> top = top_exponential<T>(found.top + l, found.exponent + l);
        const Vec<double> others = load(found.sum + l) * Vec<double>(math::kUnlift<T>) / top;
        const Vec<double> sum = others + (load(found.count + l) - Vec<double>(1));
        sum.store_aligned(rests + l);
        xsimd::log1p(sum).store_aligned(logs + l);
    }
    for (int64_t l = 0; l < count; ++l) {
        max[l] = found.max[l];
        rest[l] = static_cast<T>(rests[l]);
        log_sum[l] = logs[l];
    }
}

template <class T, class S>
void find_row(int64_t n, const S* x, int64_t next, Found<T>& found, int64_t f) {
    const Row<T, S> row{x};
    const int64_t vectors = n / kWidth<T>;
    const int64_t whole = vectors * kWidth<T>;
    const Vec<T> tail = row_tail<T>(x + whole, n - whole);
    const Vec<T> max =
        combine_lanes<T>(vectors > 0 ? larger<T>(maximum<T>(vectors, row), tail) : tail,
                         [](const Vec<T>& v, const auto& exchange) { return larger<T>(v, exchange(v)); });
    Rest<T> rest(max);
    rest.add(vectors, RowBeforeNext<T, S>{x, static_cast<std::uintptr_t>(next) * sizeof(S)});
    if (whole < n) rest.sums.add(rest.term(tail));
    found.max[f] = first_lane(max);
    found.top[f] = first_lane(rest.exponential.top());
    found.exponent[f] = first_lane(rest.exponential.exponent());
    found.sum[f] = rest.sums.total();
    found.count[f] = static_cast<double>(sum_of_lanes(rest.count));
}

template <class T, class S>
void row_statistics(int64_t n, int64_t count, ConstPanel x, void* max, void* rest, double* log_sum) {
    Found<T> found{};
    for (int64_t f = 0; f < count; ++f)
        find_row<T>(n, static_cast<const S*>(x.data) + f * x.stride, x.stride, found, f);
    conclude(count, found, static_cast<T*>(max), static_cast<T*>(rest), log_sum);
}

template <class T, class Load>
void find_lanes(int64_t n, const Load& z, Found<T>& found, int64_t l) {
    const Vec<T> max = maximum<T>(n, z);
    Rest<T> rest(max);
    rest.add(n, z);
    alignas(Vec<T>) T counts[kWidth<T>];
    rest.count.store_aligned(counts);
    max.store_unaligned(found.max + l);
    rest.exponential.top().store_unaligned(found.top + l);
    rest.exponential.exponent().store_unaligned(found.exponent + l);
    for (int64_t i = 0; i < kWidth<T>; ++i) {
        found.sum[l + i] = rest.sums.lane(i);
        found.count[l + i] = static_cast<double>(counts[i]);
    }
}

template <class T, class S>
void lane_statistics(int64_t n, int64_t count, ConstPanel x, void* max, void* rest, double* log_sum) {
    Found<T> found{};
    for_each_vector<T>(count, [&](int64_t l, int64_t lanes) {
        const S* first = static_cast<const S*>(x.data) + l;
        if (lanes == kWidth<T>) {
            find_lanes<T>(n, Lanes<T, S>{first, x.stride}, found, l);
        } else {
            find_lanes<T>(n, FewLanes<T, S>{first, x.stride, lanes}, found, l);
        }
    });
    conclude(count, found, static_cast<T*>(max), static_cast<T*>(rest), log_sum);
}

/// For each fibre its maximum and what factor · e^(z - max) / (1 + rest) is there, how far its exponentials
/// are lifted, and the number that turns lifted exponentials into the others.
template <class T>
struct Scales {
    T max[kGroup];
    T top[kGroup];
    T lift[kGroup];
    T scale[kGroup];

    Scales(int64_t count, const T* maxima, const T* rest, const double* factor) {
        Found<T> found{};
        for (int64_t l = 0; l < count; ++l) found.max[l] = maxima[l];
        for (int64_t l = 0; l < count; l += kWidth<T>) {
            const ShiftedExp<T> exponential(load(found.max + l));
            exponential.top().store_unaligned(found.top + l);
            exponential.exponent().store_unaligned(found.exponent + l);
        }
        for (int64_t l = 0; l < count; l += kWidth<double>) {
            top_exponential<T>(found.top + l, found.exponent + l).store_unaligned(found.sum + l);
        }
        for (int64_t l = 0; l < kGroup; ++l) {
            const bool used = l < count;
            const double share = used ? factor[l] / (1 + static_cast<double>(rest[l])) : 0;
            const double part = used ? share / found.sum[l] : 0;
            const bool tiny = part < kTinyFactor<T> && part > -kTinyFactor<T>;
            max[l] = used ? maxima[l] : T(0);
            top[l] = static_cast<T>(share);
            lift[l] = tiny ? T(0) : math::kLift<T>;
            scale[l] = static_cast<T>(tiny ? part : part * math::kUnlift<T>);
        }
    }
};

/// y[i] = f(x[i]) on n elements; past the caches from the first aligned one on, where y `streams`.
template <class T, class F>
void map_row(int64_t n, const T* x, T* y, bool streams, const F& f) {
    int64_t i = 0;
    if (streams) {
        const auto misplaced =
            static_cast<int64_t>(reinterpret_cast<std::uintptr_t>(y) % sizeof(Vec<T>) / sizeof(T));
        if (misplaced > 0) {
            i = std::min(n, kWidth<T> - misplaced);
            store_some<T>(y, f(load_some(x, i)), i);
        }
        for (; i + kWidth<T> <= n; i += kWidth<T>) stream(y + i, f(load(x + i)));
        finish_stream();
    }
    for (; i + kWidth<T> <= n; i += kWidth<T>) f(load(x + i)).store_unaligned(y + i);
    if (i < n) store_some<T>(y + i, f(load_some(x + i, n - i)), n - i);
}

/// The same on element after element of `lanes` fibres side by side.
template <class T, class F>
void map_lanes(int64_t n, int64_t lanes, const T* x, int64_t x_stride, T* y, int64_t y_stride, const F& f) {
    if (lanes == kWidth<T>) {
        for (int64_t c = 0; c < n; ++c) f(load(x + c * x_stride)).store_unaligned(y + c * y_stride);
    } else {
        for (int64_t c = 0; c < n; ++c) {
            store_some<T>(y + c * y_stride, f(load_some(x + c * x_stride, lanes)), lanes);
        }
    }
}

template <class T>
void row_exponentials(int64_t n, int64_t count, ConstPanel x, const void* max, const void* rest,
                      const double* factor, Panel y) {
    const Scales<T> scales(count, static_cast<const T*>(max), static_cast<const T*>(rest), factor);
    for (int64_t f = 0; f < count; ++f) {
        const ShiftedExp<T> exponential(Vec<T>(scales.max[f]), Vec<T>(scales.lift[f]));
        const Vec<T> scale(scales.scale[f]);
        const Vec<T> max_z(scales.max[f]);
        const Vec<T> max_y(scales.top[f]);
        map_row<T>(n, static_cast<const T*>(x.data) + f * x.stride, static_cast<T*>(y.data) + f * y.stride,
                   y.streams,
                   [&](const Vec<T>& z) { return xsimd::select(z == max_z, max_y, exponential(z) * scale); });
    }
}

template <class T>
void lane_exponentials(int64_t n, int64_t count, ConstPanel x, const void* max, const void* rest,
                       const double* factor, Panel y) {
    const Scales<T> scales(count, static_cast<const T*>(max), static_cast<const T*>(rest), factor);
    for_each_vector<T>(count, [&](int64_t l, int64_t lanes) {
        const ShiftedExp<T> exponential(load(scales.max + l), load(scales.lift + l));
        const Vec<T> scale = load(scales.scale + l);
        const Vec<T> max_z = load(scales.max + l);
        const Vec<T> max_y = load(scales.top + l);
        map_lanes<T>(
            n, lanes, static_cast<const T*>(x.data) + l, x.stride, static_cast<T*>(y.data) + l, y.stride,
            [&](const Vec<T>& z) { return xsimd::select(z == max_z, max_y, exponential(z) * scale); });
    });
}

template <class T>
void row_logarithms(int64_t n, int64_t count, ConstPanel x, const void* max, const double* log_sum, Panel y) {
    for (int64_t f = 0; f < count; ++f) {
        const Vec<T> top(static_cast<const T*>(max)[f]);
        const Vec<T> log(static_cast<T>(log_sum[f]));
        map_row<T>(n, static_cast<const T*>(x.data) + f * x.stride, static_cast<T*>(y.data) + f * y.stride,
                   y.streams, [&](const Vec<T>& z) { return (z - top) - log; });
    }
}

template <class T>
void lane_logarithms(int64_t n, int64_t count, ConstPanel x, const void* max, const double* log_sum,
                     Panel y) {
    T tops[kGroup] = {};
    T logs[kGroup] = {};
    for (int64_t l = 0; l < count; ++l) {
        tops[l] = static_cast<const T*>(max)[l];
        logs[l] = static_cast<T>(log_sum[l]);
    }
    for_each_vector<T>(count, [&](int64_t l, int64_t lanes) {
        const Vec<T> top = load(tops + l);
        const Vec<T> log = load(logs + l);
        map_lanes<T>(n, lanes, static_cast<const T*>(x.data) + l, x.stride, static_cast<T*>(y.data) + l,
                     y.stride, [&](const Vec<T>& z) { return (z - top) - log; });
    });
}

template <class T>
void add_softmax(Table& table) {
    Softmax& kernels = table.softmax[static_cast<std::size_t>(dtype_of<T>())];
    kernels.statistics[kRows] = &row_statistics<T, T>;
    kernels.statistics[kLanes] = &lane_statistics<T, T>;
    kernels.wide_statistics[kRows] = &row_statistics<double, T>;
    kernels.wide_statistics[kLanes] = &lane_statistics<double, T>;
    kernels.exponentials[kRows] = &row_exponentials<T>;
    kernels.exponentials[kLanes] = &lane_exponentials<T>;
    kernels.logarithms[kRows] = &row_logarithms<T>;
    kernels.logarithms[kLanes] = &lane_logarithms<T>;
}

}  // namespace

void install_softmax(Table& table) {
    add_softmax<float>(table);
    add_softmax<double>(table);
}

}  // namespace reel::kernels::REEL_SET
