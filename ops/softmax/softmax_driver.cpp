// Softmax by groups of fibres. See Note [All but one maximum] (`kernels/fibre_sums.hpp`) for what the kernels keep
// of a row.
#include "ops/softmax/softmax_driver.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "ops/pointwise/dense_driver.hpp"
#include "ops/softmax/fibre_driver.hpp"
#include "tensor/factory.hpp"

namespace reel {

namespace {

using std::int64_t;

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

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

/// Memory for a fibre's exponentials between their sum and their results. Each thread needs its own.
class Exponentials {
public:
    explicit Exponentials(const Fibres& fibres, DType dtype) {
        const int64_t n = fibres.length();
        const int64_t row = n * itemsize(dtype) + kernels::kMaxVector;
        const int64_t rows = n <= kernels::kShortRow ? kernels::kShortRows * row : row;
        const int64_t lanes =
            std::max(n * (takes_pages(n) ? kernels::kLaneBytes : kernels::kMaxVector), kernels::kNearLanes);
        bytes_ = fibres.grouping() == kernels::kRows ? rows : lanes;
    }
    /// Whether they stay in cache: beyond, computing them twice is faster than keeping them.
    bool fits() const { return bytes_ <= kLargest; }
    /// Whether there is room for lanes whose elements lie pages apart.
    static bool takes_pages(int64_t n) { return n * kernels::kLaneBytes <= kLargest; }
    void* data() { return memory_.get(bytes_); }

private:
    static constexpr int64_t kLargest = 512 << 10;  // bytes: half of an L2 of 1 MB
    int64_t bytes_;
    Scratch memory_;
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

/// max + log(1 + rest). Where the two nearly cancel, what a float32 row's sum has lost would show: the row is
/// summed again in double precision.
template <class T>
void group_log_sums(const Fibres& fibres, int64_t count, kernels::ConstPanel z, T* sums) {
    constexpr double kClose = 0.25;  // elsewhere log_sum's relative error grows fourfold at the most
    const Statistics<T> s(fibres, count, z);
    const auto sum = [&](int64_t f) { return static_cast<double>(s.max[f]) + s.log_sum[f]; };
    const auto distance = [&](int64_t f) { return std::abs(sum(f)) - kClose * s.log_sum[f]; };
    std::uint64_t signs = 0;  // the highest bit is set where any is close
    for (int64_t f = 0; f < count; ++f) {
        sums[f] = static_cast<T>(sum(f));
        signs |= std::bit_cast<std::uint64_t>(distance(f));
    }
    if (std::is_same_v<T, double> || static_cast<int64_t>(signs) >= 0) return;
    double max[kernels::kMaxFibres];
    double rest[kernels::kMaxFibres];
    double log_sum[kernels::kMaxFibres];
    kernels::softmax(dtype_of<T>())
        .wide_statistics[fibres.grouping()](fibres.length(), count, z, max, rest, log_sum);
    for (int64_t f = 0; f < count; ++f) {
        if (distance(f) < 0) sums[f] = static_cast<T>(max[f] + log_sum[f]);
    }
}

/// x̄ of a whole tensor, by one of the two kernels.
Tensor backward(decltype(&kernels::Softmax::backward) kernel, const Tensor& y_bar, const Tensor& y,
                int64_t dim) {
    const Fibres fibres(y, dim, &kernels::Softmax::long_backward_row);
    const DType compute = compute_dtype(y.dtype());
    Tensor x_bar = fibres.like(y.dtype());
    fibres.for_each_group([&] {
        return [&, cotangent = FibreReader(fibres, y_bar, compute), value = FibreReader(fibres, y, compute),
                writer = FibreWriter(fibres, x_bar, compute)](int64_t first, int64_t count) mutable {
            (kernels::softmax(compute).*kernel)[fibres.grouping()](
                fibres.length(), count, cotangent.read(first, count), value.read(first, count),
                writer.place(first, count));
            writer.finish(first, count);
        };
    });
    return x_bar;
}

}  // namespace

Tensor probabilities(const Tensor& x, int64_t dim, double empty) {
    const Fibres fibres(x, dim);
    const DType compute = compute_dtype(x.dtype());
    Tensor y = fibres.like(x.dtype());
    fibres.for_each_group([&] {
        const bool once = Exponentials::takes_pages(fibres.length());
        return [&, reader = FibreReader(fibres, x, compute, once),
                writer = FibreWriter(fibres, y, compute, once),
                exponentials = Exponentials(fibres, compute)](int64_t first, int64_t count) mutable {
            const kernels::ConstPanel z = reader.read(first, count);
            const kernels::Panel to = writer.place(first, count);
            if (exponentials.fits()) {
                kernels::softmax(compute).probabilities[fibres.grouping()](fibres.length(), count, z, empty,
                                                                           exponentials.data(), to);
            } else {
                with_floating(compute, [&](auto zero) {
                    long_probabilities<decltype(zero)>(fibres, count, z, empty, to);
                });
            }
            writer.finish(first, count);
        };
    });
    return y;
}

Tensor log_probabilities(const Tensor& x, int64_t dim) {
    const Fibres fibres(x, dim);
    const DType compute = compute_dtype(x.dtype());
    Tensor y = fibres.like(x.dtype());
    fibres.for_each_group([&] {
        return [&, reader = FibreReader(fibres, x, compute), writer = FibreWriter(fibres, y, compute)](
                   int64_t first, int64_t count) mutable {
            const kernels::ConstPanel z = reader.read(first, count);
            kernels::softmax(compute).log_probabilities[fibres.grouping()](fibres.length(), count, z,
                                                                           writer.place(first, count));
            writer.finish(first, count);
        };
    });
    return y;
}

Tensor log_sums(const Tensor& x, int64_t dim, bool keepdim) {
    const Fibres fibres(x, dim);
    const DType compute = compute_dtype(x.dtype());
    const Tensor list = full({fibres.count()}, -kInf, compute);
    with_floating(compute, [&](auto zero) {
        using T = decltype(zero);
        fibres.for_each_group([&] {
            return [&, reader = FibreReader(fibres, x, compute)](int64_t first, int64_t count) mutable {
                group_log_sums(fibres, count, reader.read(first, count), list.data_ptr<T>() + first);
            };
        });
    });
    return dense(fibres.unlisted(list, keepdim), x.dtype());
}

Tensor softmax_backward(const Tensor& y_bar, const Tensor& y, int64_t dim) {
    return backward(&kernels::Softmax::backward, y_bar, y, dim);
}

Tensor log_softmax_backward(const Tensor& y_bar, const Tensor& y, int64_t dim) {
    return backward(&kernels::Softmax::log_backward, y_bar, y, dim);
}

}  // namespace reel
