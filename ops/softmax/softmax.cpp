// Softmax, log-softmax, log-sum-exp: forward by the kernels, pullbacks beside them. See
// Note [All but one maximum] (`kernels/fibre_sums.hpp`) for what the kernels keep of a row.
#include "ops/softmax/softmax.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/tape.hpp"
#include "ops/pointwise/pointwise_driver.hpp"
#include "ops/pointwise/transcendental.hpp"
#include "ops/reduce/reduce.hpp"
#include "ops/softmax/fibre_driver.hpp"
#include "tensor/factory.hpp"

namespace reel {

namespace {

using std::int64_t;

/// The statistics of a group of fibres, in the type computed in. See `kernels::Softmax`.
template <class T>
struct Statistics {
    T max[kernels::kMaxFibres];
    T rest[kernels::kMaxFibres];
    double log_sum[kernels::kMaxFibres];

    Statistics(const Fibres& fibres, int64_t count, kernels::ConstPanel x) {
        kernels::softmax(dtype_of<T>())
            .statistics[fibres.grouping()](fibres.length(), count, x, max, rest, log_sum);
    }
};

template <class F>
void with_floating(DType dtype, const F& f) {
    dtype == kFloat64 ? f(double{}) : f(float{});
}

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// Memory for a fibre's exponentials between their sum and their results. Each thread needs its own.
class Scratch {
public:
    explicit Scratch(const Fibres& fibres, DType dtype) {
        const int64_t n = fibres.length();
        const int64_t row = n * itemsize(dtype) + kernels::kMaxVector;
        const int64_t rows = n <= kernels::kShortRow ? kernels::kShortRows * row : row;
        bytes_ = fibres.grouping() == kernels::kRows ? rows : n * kernels::kMaxVector;
    }
    /// Whether they stay in cache: beyond, computing them twice is faster than keeping them.
    bool fits() const { return bytes_ <= kLargest; }
    void* data() {
        if (!memory_.defined()) memory_ = Tensor::empty({bytes_}, kBool);
        return memory_.raw();
    }

private:
    static constexpr int64_t kLargest = 512 << 10;
    int64_t bytes_;
    Tensor memory_;
};

/// y = e^x / Σ e^x of long fibres.
template <class T>
void long_probabilities(const Fibres& fibres, int64_t count, kernels::ConstPanel z, double empty,
                        kernels::Panel y) {
    Statistics<T> s(fibres, count, z);
    double factor[kernels::kMaxFibres];
    for (int64_t f = 0; f < count; ++f) {
        const bool is_empty = s.max[f] == -std::numeric_limits<T>::infinity();
        factor[f] = is_empty ? empty : std::isfinite(s.max[f]) ? 1 : kNan;
        if (is_empty) s.max[f] = 0;  // beside it e^-inf is 0
    }
    kernels::softmax(dtype_of<T>())
        .exponentials[fibres.grouping()](fibres.length(), count, z, s.max, s.rest, factor, y);
}

/// y = e^x / Σ e^x; `empty` where all elements are -inf.
Tensor probabilities(const Tensor& x, int64_t dim, double empty) {
    const Fibres fibres(x, dim);
    const DType compute = compute_dtype(x.dtype());
    Tensor y = fibres.like(x.dtype());
    with_floating(compute, [&](auto zero) {
        using T = decltype(zero);
        fibres.for_each_group([&, reader = FibreReader(fibres, x, compute),
                               writer = FibreWriter(fibres, y, compute),
                               scratch = Scratch(fibres, compute)](int64_t first, int64_t count) mutable {
            const kernels::ConstPanel z = reader.read(first, count);
            const kernels::Panel to = writer.place(first, count);
            if (scratch.fits()) {
                kernels::softmax(compute).probabilities[fibres.grouping()](fibres.length(), count, z, empty,
                                                                           scratch.data(), to);
            } else {
                long_probabilities<T>(fibres, count, z, empty, to);
            }
            writer.finish(first, count);
        });
    });
    return y;
}

Tensor log_probabilities(const Tensor& x, int64_t dim) {
    const Fibres fibres(x, dim);
    const DType compute = compute_dtype(x.dtype());
    Tensor y = fibres.like(x.dtype());
    fibres.for_each_group([&, reader = FibreReader(fibres, x, compute),
                           writer = FibreWriter(fibres, y, compute)](int64_t first, int64_t count) mutable {
        const kernels::ConstPanel z = reader.read(first, count);
        kernels::softmax(compute).log_probabilities[fibres.grouping()](fibres.length(), count, z,
                                                                       writer.place(first, count));
        writer.finish(first, count);
    });
    return y;
}

/// max + log(1 + rest). Where the two nearly cancel, what a float32 row's sum has lost would show: the row is
/// summed again in double precision.
template <class T>
void log_sums(const Fibres& fibres, int64_t count, kernels::ConstPanel z, T* sums) {
    constexpr double kClose = 0.25;
    const Statistics<T> s(fibres, count, z);
    bool close[kernels::kMaxFibres];
    for (int64_t f = 0; f < count; ++f) {
        const double sum = static_cast<double>(s.max[f]) + s.log_sum[f];
        close[f] = std::abs(sum) < kClose * s.log_sum[f];
        sums[f] = static_cast<T>(sum);
    }
    if (std::is_same_v<T, double> || std::find(close, close + count, true) == close + count) return;
    double max[kernels::kMaxFibres];
    double rest[kernels::kMaxFibres];
    double log_sum[kernels::kMaxFibres];
    kernels::softmax(dtype_of<T>())
        .wide_statistics[fibres.grouping()](fibres.length(), count, z, max, rest, log_sum);
    for (int64_t f = 0; f < count; ++f) {
        if (close[f]) sums[f] = static_cast<T>(max[f] + log_sum[f]);
    }
}

/// log Σ e^x.
Tensor log_sums(const Tensor& x, int64_t dim, bool keepdim) {
    const Fibres fibres(x, dim);
    const DType compute = compute_dtype(x.dtype());
    const Tensor list = full({fibres.count()}, -kInf, compute);
    with_floating(compute, [&](auto zero) {
        using T = decltype(zero);
        fibres.for_each_group(
            [&, reader = FibreReader(fibres, x, compute)](int64_t first, int64_t count) mutable {
                log_sums(fibres, count, reader.read(first, count), list.data_ptr<T>() + first);
            });
    });
    return dense(fibres.unlisted(list, keepdim), x.dtype());
}

void check_floating(const char* name, const Tensor& x) {
    if (x.is_floating_point()) return;
    fail<DTypeError>(name, ": a floating tensor is needed, not ", x.dtype(),
                     "; convert it with to(kFloat32)");
}

/// x̄ of a whole tensor, by one of the two kernels.
Tensor backward(decltype(&kernels::Softmax::backward) kernel, const Tensor& y_bar, const Tensor& y,
                int64_t dim) {
    const Fibres fibres(y, dim);
    const DType compute = compute_dtype(y.dtype());
    Tensor x_bar = fibres.like(y.dtype());
    fibres.for_each_group(
        [&, cotangent = FibreReader(fibres, y_bar, compute), value = FibreReader(fibres, y, compute),
         writer = FibreWriter(fibres, x_bar, compute)](int64_t first, int64_t count) mutable {
            (kernels::softmax(compute).*kernel)[fibres.grouping()](
                fibres.length(), count, cotangent.read(first, count), value.read(first, count),
                writer.place(first, count));
            writer.finish(first, count);
        });
    return x_bar;
}

/// x̄ = y ⊙ (ȳ − Σ ȳ y), in one pass. Of its cotangent v, ȳ gets the same (y ⊙ (v − Σ v y)), y gets
/// v ⊙ (ȳ − Σ ȳ y) − ȳ Σ v y.
Tensor softmax_gradient(const Tensor& y_bar, const Tensor& y, int64_t dim) {
    return record("softmax_gradient", backward(&kernels::Softmax::backward, y_bar, y, dim),
                  {{y_bar, [y, dim](const Tensor& v) { return softmax_gradient(v, y, dim); }},
                   {y, [y_bar, y, dim](const Tensor& v) {
                        return v * (y_bar - (y_bar * y).sum(dim, true)) - y_bar * (v * y).sum(dim, true);
                    }}});
}

/// x̄ = ȳ − e^y Σ ȳ, in one pass. Of its cotangent v, ȳ gets v − Σ v e^y, y gets −v e^y Σ ȳ.
Tensor log_softmax_gradient(const Tensor& y_bar, const Tensor& y, int64_t dim) {
    return record("log_softmax_gradient", backward(&kernels::Softmax::log_backward, y_bar, y, dim),
                  {{y_bar, [y, dim](const Tensor& v) { return v - (v * exp(y)).sum(dim, true); }},
                   {y, [y_bar, y, dim](const Tensor& v) { return -v * exp(y) * y_bar.sum(dim, true); }}});
}

/// y = softmax(x), recorded.
Tensor recorded_softmax(const char* name, const Tensor& x, const Tensor& y, int64_t dim) {
    return record(
        name, y,
        {{x, [dim](const Tensor& y_bar, const Tensor& p) { return softmax_gradient(y_bar, p, dim); }}});
}

/// Softmax, where a row that is all -inf is zero.
Tensor softmax_or_zero(const Tensor& x, int64_t dim) {
    return recorded_softmax("softmax", x, probabilities(x, dim, 0), dim);
}

}  // namespace

Tensor softmax(const Tensor& x, int64_t dim) {
    check_floating("softmax", x);
    dim = wrap_dim(dim, x.dim(), "softmax");
    return recorded_softmax("softmax", x, probabilities(x, dim, kNan), dim);
}

Tensor log_softmax(const Tensor& x, int64_t dim) {
    check_floating("log_softmax", x);
    dim = wrap_dim(dim, x.dim(), "log_softmax");
    return record(
        "log_softmax", log_probabilities(x, dim),
        {{x, [dim](const Tensor& y_bar, const Tensor& y) { return log_softmax_gradient(y_bar, y, dim); }}});
}

Tensor logsumexp(const Tensor& x, const Shape& dims, bool keepdim) {
    const Shape reduced = wrap_dims(dims, x.dim(), "logsumexp");
    const Tensor floating = x.is_floating_point() ? x : x.to(kFloat32);
    if (reduced.size() > 1) {
        const Composite whole;
        Shape last;
        for (std::size_t i = 0; i < reduced.size(); ++i)
            last.push_back(static_cast<int64_t>(i) - static_cast<int64_t>(reduced.size()));
        const Tensor row = floating.movedim(reduced, last).flatten(-static_cast<int64_t>(reduced.size()), -1);
        return logsumexp(row, -1).reshape(reduced_sizes(x.sizes(), reduced, keepdim));
    }
    const int64_t dim = reduced.empty() ? 0 : reduced[0];
    const Shape kept = reduced_sizes(x.sizes(), reduced, true);
    return record("logsumexp", log_sums(floating, dim, keepdim),
                  {{floating, [x = floating, dim, kept](const Tensor& y_bar) {
                        return y_bar.reshape(kept) * softmax_or_zero(x, dim);
                    }}});
}

Tensor masked_softmax(const Tensor& x, const Tensor& mask, int64_t dim) {
    check_floating("masked_softmax", x);
    if (mask.dtype() != kBool) {
        fail<DTypeError>("masked_softmax: the mask must be bool (true where an element takes part), not ",
                         mask.dtype());
    }
    dim = wrap_dim(dim, x.dim(), "masked_softmax");
    if (broadcast_shapes(x.sizes(), mask.sizes(), "masked_softmax") != x.sizes()) {
        fail<ShapeError>("masked_softmax: a mask of shape ", mask.sizes(), " does not broadcast to ",
                         x.sizes());
    }
    const Tensor y = [&] {
        const NoGradGuard quiet;
        return probabilities(where(mask.expand(x.sizes()), x, -kInf), dim, 0);
    }();
    return recorded_softmax("masked_softmax", x, y, dim);
}

}  // namespace reel
