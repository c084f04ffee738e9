// Softmax, log-softmax, log-sum-exp: forward by `softmax_driver.cpp`, pullbacks beside them.
#include "ops/softmax/softmax.hpp"

#include <limits>

#include "autograd/tape.hpp"
#include "ops/pointwise/by_promotion.hpp"
#include "ops/pointwise/conditional.hpp"
#include "ops/pointwise/transcendental.hpp"
#include "ops/reduce/reduce.hpp"
#include "ops/softmax/softmax_driver.hpp"

namespace reel {

namespace {

using std::int64_t;

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// x̄ = y ⊙ (ȳ − Σ ȳ y), in one pass. Of its cotangent v, ȳ gets the same (y ⊙ (v − Σ v y)), y gets
/// v ⊙ (ȳ − Σ ȳ y) − ȳ Σ v y.
Tensor softmax_gradient(const Tensor& y_bar, const Tensor& y, int64_t dim) {
    return record("softmax_gradient", softmax_backward(y_bar, y, dim),
                  {{y_bar, [y, dim](const Tensor& v) { return softmax_gradient(v, y, dim); }},
                   {y, [y_bar, y, dim](const Tensor& v) {
                        return v * (y_bar - (y_bar * y).sum(dim, true)) - y_bar * (v * y).sum(dim, true);
                    }}});
}

/// x̄ = ȳ − e^y Σ ȳ, in one pass. Of its cotangent v, ȳ gets v − Σ v e^y, y gets −v e^y Σ ȳ.
Tensor log_softmax_gradient(const Tensor& y_bar, const Tensor& y, int64_t dim) {
    return record("log_softmax_gradient", log_softmax_backward(y_bar, y, dim),
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
