// Layers: forward and pullbacks side by side; the rows are normalized in `kernels/norm.cpp`.
#include "ops/nn/layers.hpp"

#include <algorithm>
#include <cmath>

#include "autograd/shared_pullback.hpp"
#include "autograd/tape.hpp"
#include "ops/pointwise/by_promotion.hpp"
#include "ops/pointwise/compare.hpp"
#include "ops/pointwise/dense_driver.hpp"
#include "ops/pointwise/transcendental.hpp"
#include "ops/reduce/reduce.hpp"
#include "ops/reduce/reduce_driver.hpp"
#include "tensor/parallel.hpp"
#include "tensor/random.hpp"

namespace reel {

namespace {

using std::int64_t;

/// How rows are normalized: with (layer_norm) or without (rms_norm) a mean.
struct Normalization {
    bool centred;
    Shape shape;
    double eps;

    const char* name() const { return centred ? "layer_norm" : "rms_norm"; }
    int64_t row() const { return numel(shape); }
    /// The dimensions of `x` that make a row.
    Shape dims() const {
        Shape last;
        for (std::size_t i = shape.size(); i > 0; --i) last.push_back(-static_cast<int64_t>(i));
        return last;
    }
};

/// What a row's forward pass keeps: its mean (where there is one), in two numbers, and ρ = 1 / √(σ² + ε).
struct Statistics {
    Tensor means;
    Tensor rstds;
};

/// Which gradients a backward pass makes.
struct Wanted {
    bool x, weight, bias;
};
struct Gradients {
    Tensor x, weight, bias;
};

const kernels::Norm& kernel_of(DType compute) {
    return kernels::kernels().norm[static_cast<std::size_t>(compute)];
}
/// Element `i` of a dense tensor; null where there is none.
std::byte* at(const Tensor& x, int64_t i) { return x.defined() ? x.raw() + i * x.itemsize() : nullptr; }
Tensor dense_or_none(const Tensor& x, DType dtype) { return x.defined() ? dense(x, dtype) : Tensor(); }

Tensor normalized(const Normalization& norm, const Tensor& x, const Tensor& weight, const Tensor& bias);
Gradients gradients(const Normalization& norm, const Wanted& wanted, const Tensor& y_bar, const Tensor& x,
                    const Tensor& weight, const Statistics& rows);

/// P (ȳ w).
Tensor gradient(const Normalization& norm, const Tensor& y_bar, const Tensor& x, const Tensor& weight,
                const Statistics& rows) {
    return gradients(norm, {.x = true, .weight = false, .bias = false}, y_bar, x, weight, rows).x;
}

/// ρ, as a function of x.
Tensor reciprocal_deviation(const Normalization& norm, const Tensor& x) {
    const Tensor from_mean = norm.centred ? x - x.mean(norm.dims(), true) : x;
    return 1 / sqrt(square(from_mean).mean(norm.dims(), true) + norm.eps);
}

/// The pullback of `gradient` for x, with v its cotangent and P = ρ (1 − 11ᵀ/n − x̂x̂ᵀ/n) = ∂x̂/∂x:
/// −ρ² x̂ (mean(v u) − mean(v) mean(u) − a c) − ρ (c P v + a P u) with a = mean(v x̂), c = mean(u x̂), u = ȳ w.
Tensor second_gradient(const Normalization& norm, const Tensor& v, const Tensor& y_bar, const Tensor& x,
                       const Tensor& weight, const Statistics& rows) {
    const auto mean = [dims = norm.dims()](const Tensor& t) { return t.mean(dims, true); };
    const Tensor u = weight.defined() ? y_bar * weight : y_bar;
    const Tensor x_hat = normalized(norm, x, {}, {});
    const Tensor rho = reciprocal_deviation(norm, x);
    const Tensor a = mean(v * x_hat);
    const Tensor c = mean(u * x_hat);
    Tensor together = mean(v * u) - a * c;
    if (norm.centred) together = together - mean(v) * mean(u);
    return -(square(rho) * together * x_hat) -
           rho * (c * gradient(norm, v, x, {}, rows) + a * gradient(norm, u, x, {}, rows));
}

/// In one pass over the rows, what is wanted of x̄ = P (ȳ w), w̄ = Σ ȳ x̂ and b̄ = Σ ȳ. The sums are taken in
/// chunks of a fixed number of rows.
Gradients backward_rows(const Normalization& norm, const Wanted& wanted, const Tensor& y_bar, const Tensor& x,
                        const Tensor& weight, const Statistics& rows) {
    constexpr int64_t kChunk = 32;  // rows whose sums share one row of w̄ and b̄
    const DType compute = rows.rstds.dtype();
    const Tensor g = dense(y_bar, compute);
    const Tensor from = dense_or_none(x, compute);
    const Tensor w = dense_or_none(weight, compute);
    const int64_t n = norm.row();
    const int64_t count = rows.rstds.numel();
    const int64_t chunks = (count + kChunk - 1) / kChunk;
    const auto place = [compute](bool needed, const Shape& sizes) {
        return needed ? Tensor::empty(sizes, compute) : Tensor();
    };
    const Tensor x_bar = place(wanted.x, y_bar.sizes());
    const Tensor w_parts = place(wanted.weight, {chunks, n});
    const Tensor b_parts = place(wanted.bias, {chunks, n});
    parallel_for(chunks, 1, kChunk * n, [&](int64_t begin, int64_t end) {
        for (int64_t c = begin; c < end; ++c) {
            const int64_t row = c * kChunk;
            kernel_of(compute).backward(std::min(kChunk, count - row), n, at(g, row * n), at(from, row * n),
                                        at(w, 0), at(rows.means, 2 * row), at(rows.rstds, row),
                                        at(x_bar, row * n), at(w_parts, c * n), at(b_parts, c * n));
        }
    });
    const auto sum = [&](const Tensor& parts) {
        return parts.defined() ? reduce(kernels::ReduceOp::kSum, parts, {0}, {compute}).view(norm.shape)
                               : Tensor();
    };
    return {x_bar, sum(w_parts), sum(b_parts)};
}

/// x̄ = P (ȳ w). With g = ȳ, of a cotangent v, ḡ = w P v, w̄ = Σ g P v, and x̄ is in `second_gradient`.
Tensor recorded_gradient(const Tensor& x_bar, const Normalization& norm, const Tensor& y_bar, const Tensor& x,
                         const Tensor& weight, const Statistics& rows) {
    return record(norm.centred ? "layer_norm_gradient" : "rms_norm_gradient", dense(x_bar, y_bar.dtype()),
                  {{y_bar,
                    [norm, x, weight, rows](const Tensor& v) {
                        const Tensor projected = gradient(norm, v, x, {}, rows);
                        return weight.defined() ? projected * weight : projected;
                    }},
                   {x, [norm, y_bar, x, weight,
                        rows](const Tensor& v) { return second_gradient(norm, v, y_bar, x, weight, rows); }},
                   {weight, [norm, y_bar, x, rows](const Tensor& v) {
                        return y_bar * gradient(norm, v, x, {}, rows);
                    }}});
}

/// w̄ = Σ ȳ x̂. With g = ȳ, of a cotangent v, ḡ = v x̂ and x̄ = P (g v).
Tensor recorded_weight_gradient(const Tensor& w_bar, const Normalization& norm, const Tensor& y_bar,
                                const Tensor& x, const Statistics& rows) {
    return record(
        norm.centred ? "layer_norm_weight_gradient" : "rms_norm_weight_gradient", dense(w_bar, y_bar.dtype()),
        {{y_bar, [norm, x](const Tensor& v) { return normalized(norm, x, v, {}); }},
         {x, [norm, y_bar, x, rows](const Tensor& v) { return gradient(norm, y_bar, x, v, rows); }}});
}

/// b̄ = Σ ȳ. With g = ȳ, of a cotangent v, ḡ = v, seen in ȳ's shape.
Tensor recorded_bias_gradient(const Tensor& b_bar, const Tensor& y_bar) {
    return record("layer_norm_bias_gradient", dense(b_bar, y_bar.dtype()),
                  {{y_bar, [sizes = y_bar.sizes()](const Tensor& v) { return v.expand(sizes); }}});
}

Gradients gradients(const Normalization& norm, const Wanted& wanted, const Tensor& y_bar, const Tensor& x,
                    const Tensor& weight, const Statistics& rows) {
    const Gradients made = backward_rows(norm, wanted, y_bar, x, weight, rows);
    return {wanted.x ? recorded_gradient(made.x, norm, y_bar, x, weight, rows) : Tensor(),
            wanted.weight ? recorded_weight_gradient(made.weight, norm, y_bar, x, rows) : Tensor(),
            wanted.bias ? recorded_bias_gradient(made.bias, y_bar) : Tensor()};
}

Tensor normalized(const Normalization& norm, const Tensor& x, const Tensor& weight, const Tensor& bias) {
    const DType compute = compute_dtype(x.dtype());
    const Tensor from = dense(x, compute);
    const Tensor w = dense_or_none(weight, compute);
    const Tensor b = dense_or_none(bias, compute);
    const int64_t n = norm.row();
    const int64_t count = n == 0 ? 0 : x.numel() / n;
    const Tensor y = Tensor::empty(x.sizes(), compute);
    const Statistics rows{norm.centred ? Tensor::empty({count, 2}, compute) : Tensor(),
                          Tensor::empty({count}, compute)};
    parallel_for(count, 1, n, [&](int64_t begin, int64_t end) {
        kernel_of(compute).forward(end - begin, n, at(from, begin * n), at(w, 0), at(b, 0), norm.eps,
                                   at(y, begin * n), at(rows.means, 2 * begin), at(rows.rstds, begin));
    });
    const Wanted wanted{is_recorded(x), is_recorded(weight), is_recorded(bias)};
    const auto all = [norm, wanted, rows, x = wanted.x || wanted.weight ? x : Tensor(),
                      weight = wanted.x ? weight : Tensor()](const Tensor& y_bar) {
        return once_in_visit([&] { return gradients(norm, wanted, y_bar, x, weight, rows); });
    };
    return record(norm.name(), dense(y, x.dtype()),
                  {{x, [all](const Tensor& y_bar) { return all(y_bar)->x; }},
                   {weight, [all](const Tensor& y_bar) { return all(y_bar)->weight; }},
                   {bias, [all](const Tensor& y_bar) { return all(y_bar)->bias; }}});
}

void check(const Normalization& norm, const Tensor& x, const Tensor& weight, const Tensor& bias) {
    check_floating(norm.name(), x);
    const std::size_t dims = norm.shape.size();
    const bool ends = dims > 0 && dims <= x.sizes().size() &&
                      std::equal(norm.shape.begin(), norm.shape.end(), x.sizes().end() - dims);
    if (!ends) fail<ShapeError>(norm.name(), ": x of shape ", x.sizes(), " does not end in ", norm.shape);
    for (const Tensor& parameter : {weight, bias}) {
        if (!parameter.defined()) continue;
        if (parameter.sizes() != norm.shape) {
            fail<ShapeError>(norm.name(), ": a weight or bias of shape ", parameter.sizes(),
                             " for rows of shape ", norm.shape);
        }
        if (parameter.dtype() != x.dtype() && parameter.dtype() != compute_dtype(x.dtype())) {
            fail<DTypeError>(norm.name(), ": a weight or bias of ", parameter.dtype(), " for x of ",
                             x.dtype());
        }
    }
}

}  // namespace

Tensor layer_norm(const Tensor& x, const Shape& shape, const Tensor& weight, const Tensor& bias, double eps) {
    const Normalization norm{true, shape, eps};
    check(norm, x, weight, bias);
    return normalized(norm, x, weight, bias);
}

Tensor rms_norm(const Tensor& x, const Shape& shape, const Tensor& weight, std::optional<double> eps) {
    const Normalization norm{false, shape,
                             eps.value_or(std::ldexp(1.0, 1 - significand_bits(compute_dtype(x.dtype()))))};
    check(norm, x, weight, {});
    return normalized(norm, x, weight, {});
}

Tensor bernoulli(const Tensor& probs) {
    return record("bernoulli", detail::draw_bernoulli(probs), {{probs, zero_gradient}});
}

Tensor dropout(const Tensor& x, double p, bool training) {
    if (!(p >= 0 && p <= 1)) fail<Error>("dropout: a probability of ", p, "; it must be in [0, 1]");
    check_floating("dropout", x);
    if (!training || p == 0) return x;
    if (p == 1) return x * 0;
    const detail::UndoDraws undo;
    const Tensor noise = ge(rand(x.sizes()), p).to(x.dtype()) * (1 / (1 - p));
    return x * noise;
}

}  // namespace reel
