// Layers: forward and pullbacks side by side; the rows are normalized in `kernels/norm.cpp`.
#include "ops/layers.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/tape.hpp"
#include "ops/apply.hpp"
#include "ops/compare.hpp"
#include "ops/fold.hpp"
#include "ops/pointwise.hpp"
#include "ops/reduce.hpp"
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

/// What a row's forward pass keeps: its mean (where there is one) and ρ = 1 / √(σ² + ε).
struct Statistics {
    Tensor means;
    Tensor rstds;

    const void* mean(int64_t row) const { return means.defined() ? at(means, row) : nullptr; }
    const void* rstd(int64_t row) const { return at(rstds, row); }

private:
    static const void* at(const Tensor& x, int64_t row) { return x.raw() + row * x.itemsize(); }
};

const kernels::Norm& kernel_of(DType compute) {
    return kernels::kernels().norm[static_cast<std::size_t>(compute)];
}
const void* raw_or_null(const Tensor& x) { return x.defined() ? x.raw() : nullptr; }
Tensor dense_or_none(const Tensor& x, DType dtype) { return x.defined() ? dense(x, dtype) : Tensor(); }

Tensor normalized(const Normalization& norm, const Tensor& x, const Tensor& weight, const Tensor& bias);
Tensor gradient(const Normalization& norm, const Tensor& y_bar, const Tensor& x, const Tensor& weight,
                const Statistics& rows);

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

/// Σ over the rows of ȳ x̂, in chunks of a fixed number of rows. With g = ȳ, of a cotangent v, ḡ = v x̂ and
/// x̄ = P (g v).
Tensor weight_gradient(const Normalization& norm, const Tensor& y_bar, const Tensor& x,
                       const Statistics& rows) {
    constexpr int64_t kChunk = 32;
    const DType compute = rows.rstds.dtype();
    const Tensor from = dense(x, compute);
    const Tensor g = dense(y_bar, compute);
    const int64_t n = norm.row();
    const int64_t count = rows.rstds.numel();
    const int64_t chunks = (count + kChunk - 1) / kChunk;
    const int64_t step = n * itemsize(compute);
    const Tensor parts = Tensor::empty({chunks, n}, compute);
    parallel_for(chunks, 1, kChunk * n, [&](int64_t begin, int64_t end) {
        for (int64_t c = begin; c < end; ++c) {
            const int64_t row = c * kChunk;
            kernel_of(compute).backward_weight(std::min(kChunk, count - row), n, g.raw() + row * step,
                                               from.raw() + row * step, rows.mean(row), rows.rstd(row),
                                               parts.raw() + c * step);
        }
    });
    const Tensor w_bar = fold(kernels::Fold::kSum, parts, {0}, {compute}).view(norm.shape);
    return record(
        norm.centred ? "layer_norm_weight_gradient" : "rms_norm_weight_gradient", dense(w_bar, y_bar.dtype()),
        {{y_bar, [norm, x](const Tensor& v) { return normalized(norm, x, v, {}); }},
         {x, [norm, y_bar, x, rows](const Tensor& v) { return gradient(norm, y_bar, x, v, rows); }}});
}

/// P (ȳ w). With g = ȳ, of a cotangent v, ḡ = w P v, w̄ = Σ g P v, and x̄ is in `second_gradient`.
Tensor gradient(const Normalization& norm, const Tensor& y_bar, const Tensor& x, const Tensor& weight,
                const Statistics& rows) {
    const DType compute = rows.rstds.dtype();
    const Tensor from = dense(x, compute);
    const Tensor g = dense(y_bar, compute);
    const Tensor w = dense_or_none(weight, compute);
    const Tensor x_bar = Tensor::empty(x.sizes(), compute);
    const int64_t n = norm.row();
    const int64_t step = n * itemsize(compute);
    parallel_for(rows.rstds.numel(), 1, n, [&](int64_t begin, int64_t end) {
        kernel_of(compute).backward(end - begin, n, g.raw() + begin * step, from.raw() + begin * step,
                                    raw_or_null(w), rows.mean(begin), rows.rstd(begin),
                                    x_bar.raw() + begin * step);
    });
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

Tensor normalized(const Normalization& norm, const Tensor& x, const Tensor& weight, const Tensor& bias) {
    const DType compute = compute_dtype(x.dtype());
    const Tensor from = dense(x, compute);
    const Tensor w = dense_or_none(weight, compute);
    const Tensor b = dense_or_none(bias, compute);
    const int64_t n = norm.row();
    const int64_t count = n == 0 ? 0 : x.numel() / n;
    const int64_t step = n * itemsize(compute);
    const Tensor y = Tensor::empty(x.sizes(), compute);
    const Statistics rows{norm.centred ? Tensor::empty({count}, compute) : Tensor(),
                          Tensor::empty({count}, compute)};
    parallel_for(count, 1, n, [&](int64_t begin, int64_t end) {
        kernel_of(compute).forward(end - begin, n, from.raw() + begin * step, raw_or_null(w), raw_or_null(b),
                                   norm.eps, y.raw() + begin * step, const_cast<void*>(rows.mean(begin)),
                                   const_cast<void*>(rows.rstd(begin)));
    });
    return record(
        norm.name(), dense(y, x.dtype()),
        {{x, [norm, x, weight, rows](const Tensor& y_bar) { return gradient(norm, y_bar, x, weight, rows); }},
         {weight, [norm, x, rows](const Tensor& y_bar) { return weight_gradient(norm, y_bar, x, rows); }},
         {bias, [](const Tensor& y_bar) { return y_bar; }}});
}

void check(const Normalization& norm, const Tensor& x, const Tensor& weight, const Tensor& bias) {
    if (!x.is_floating_point()) {
        fail<DTypeError>(norm.name(), ": a floating tensor is needed, not ", x.dtype(),
                         "; convert it with to(kFloat32)");
    }
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
    const Normalization norm{false, shape, eps.value_or(std::ldexp(1.0, 1 - significand_bits(x.dtype())))};
    check(norm, x, weight, {});
    return normalized(norm, x, weight, {});
}

Tensor dropout(const Tensor& x, double p, bool training) {
    if (!(p >= 0 && p <= 1)) fail<Error>("dropout: a probability of ", p, "; it must be from 0 to 1");
    if (!x.is_floating_point()) {
        fail<DTypeError>("dropout: a floating tensor is needed, not ", x.dtype(),
                         "; convert it with to(kFloat32)");
    }
    if (!training || p == 0) return x;
    if (p == 1) return x * 0;
    const Tensor noise = ge(rand(x.sizes()), p).to(x.dtype()) * (1 / (1 - p));
    return x * noise;
}

}  // namespace reel
