// Products: what the shapes mean, and the pullbacks. Two matrices in memory are multiplied in `gemm_driver.cpp`.
#include "ops/linalg/matmul.hpp"

#include <vector>

#include "autograd/tape.hpp"
#include "ops/linalg/gemm_driver.hpp"
#include "ops/pointwise/by_promotion.hpp"
#include "ops/pointwise/dense_driver.hpp"
#include "ops/pointwise/transcendental.hpp"
#include "ops/shape/views.hpp"
#include "tensor/factory.hpp"

namespace reel {

namespace {

using std::int64_t;

/// One side of a product: matrices (rows × columns) along the batch dimensions. A vector is a matrix of one
/// row (on the left) or one column (on the right).
struct Side {
    Shape batch;
    Shape batch_strides;
    int64_t rows, columns;
    int64_t row_step, column_step;

    Side(const Tensor& x, bool left) {
        const Shape& sizes = x.sizes();
        const Shape& strides = x.strides();
        const std::size_t n = sizes.size();
        if (n == 1) {
            rows = left ? 1 : sizes[0];
            columns = left ? sizes[0] : 1;
            row_step = left ? 0 : strides[0];
            column_step = left ? strides[0] : 0;
            return;
        }
        rows = sizes[n - 2];
        columns = sizes[n - 1];
        row_step = strides[n - 2];
        column_step = strides[n - 1];
        for (std::size_t i = 0; i + 2 < n; ++i) {
            batch.push_back(sizes[i]);
            batch_strides.push_back(strides[i]);
        }
    }

    /// Makes the batch dimensions further rows, where memory allows it.
    void merge_batch() {
        while (!batch.empty() &&
               (rows == 1 || batch.back() == 1 || batch_strides.back() == rows * row_step)) {
            if (rows == 1) row_step = batch_strides.back();
            rows *= batch.back();
            batch.erase(batch.size() - 1);
            batch_strides.erase(batch_strides.size() - 1);
        }
    }
};

void check_dtypes(const char* name, const Tensor& a, const Tensor& b) {
    if (a.dtype() != b.dtype()) {
        fail<DTypeError>(name, ": the left operand is ", a.dtype(), " ", a.sizes(), ", the right one ",
                         b.dtype(), " ", b.sizes(), "; convert one: right.to(left.dtype())");
    }
    if (a.dtype() == kBool)
        fail<DTypeError>(name, ": bool operands are not supported; convert them with to(kInt64)");
}

void check_dim(const char* name, const char* what, const Tensor& x, int64_t dim) {
    if (x.dim() != dim) {
        fail<ShapeError>(name, ": ", what, " must have ", dim, dim == 1 ? " dimension" : " dimensions",
                         ", not the shape ", x.sizes());
    }
}

bool are_matrices(const Tensor& a, const Tensor& b) { return a.dim() == 2 && b.dim() == 2; }

/// The shape of a b. Throws where they do not fit.
Shape product_shape(const char* name, const Tensor& a, const Tensor& b) {
    check_dtypes(name, a, b);
    if (are_matrices(a, b) && a.sizes()[1] == b.sizes()[0]) return {a.sizes()[0], b.sizes()[1]};
    if (a.dim() == 0 || b.dim() == 0) {
        fail<ShapeError>(name, ": a 0-d tensor is neither a vector nor a matrix (shapes ", a.sizes(), " and ",
                         b.sizes(), "); use *");
    }
    const Side left(a, true);
    const Side right(b, false);
    if (left.columns != right.rows) {
        fail<ShapeError>(name, ": shapes ", a.sizes(), " and ", b.sizes(), " do not fit: ", left.columns,
                         " columns on the left, ", right.rows, " rows on the right");
    }
    Shape shape = left.batch == right.batch ? left.batch : broadcast_shapes(left.batch, right.batch, name);
    if (a.dim() > 1) shape.push_back(left.rows);
    if (b.dim() > 1) shape.push_back(right.columns);
    return shape;
}

/// Where the matrices of a batch begin, in elements.
std::vector<int64_t> offsets(const Shape& sizes, const Shape& strides) {
    std::vector<int64_t> found = {0};
    for (std::size_t d = 0; d < sizes.size(); ++d) {
        std::vector<int64_t> next;
        next.reserve(found.size() * static_cast<std::size_t>(sizes[d]));
        for (const int64_t at : found) {
            for (int64_t i = 0; i < sizes[d]; ++i) next.push_back(at + i * strides[d]);
        }
        found = std::move(next);
    }
    return found;
}

/// y = start + a b, for dense `y` of the product's shape and of the type that is computed in.
void multiply(const Tensor& y, const Tensor& a, const Tensor& b, const Start& start) {
    if (y.numel() == 0) return;
    if (are_matrices(a, b)) {
        return gemm({a.dtype(), a.sizes()[0], b.sizes()[1], b.sizes()[0]},
                    {a.raw(), a.strides()[0], a.strides()[1]}, {b.raw(), b.strides()[0], b.strides()[1]},
                    {y.raw(), b.sizes()[1]}, start);
    }
    Side left(a, true);
    Side right(b, false);
    if (right.batch.empty()) left.merge_batch();
    const Product product{a.dtype(), left.rows, right.columns, left.columns};
    const auto multiply_batch = [&](const Batch& batch) {
        gemm(product, {a.raw(), left.row_step, left.column_step},
             {b.raw(), right.row_step, right.column_step}, {y.raw(), product.n}, start, batch);
    };
    if (left.batch.empty() && right.batch.empty()) return multiply_batch({});
    const Shape batch = broadcast_shapes(left.batch, right.batch, "matmul");
    const auto of_a = offsets(batch, broadcast_strides(left.batch, left.batch_strides, batch));
    const auto of_b = offsets(batch, broadcast_strides(right.batch, right.batch_strides, batch));
    multiply_batch({numel(batch), of_a.data(), of_b.data()});
}

/// a b, summed in the type that suits, of the operands' type.
Tensor product(const Tensor& a, const Tensor& b, const Shape& shape) {
    Tensor y = Tensor::empty(shape, compute_dtype(a.dtype()));
    multiply(y, a, b, {});
    return dense(std::move(y), a.dtype());
}

/// c + a b, with c broadcast: a row is read for each row of the product, a matrix where it is.
Tensor sum_and_product(const Tensor& c, const Tensor& a, const Tensor& b, const Shape& shape) {
    Tensor y = Tensor::empty(shape, compute_dtype(a.dtype()));
    if (c.dim() == 1 && c.sizes()[0] == shape.back()) {
        const Tensor row = dense(c, y.dtype());
        multiply(y, a, b, {row.raw(), 0});
    } else if (c.dim() == 2 && c.sizes() == shape && c.dtype() == y.dtype() && c.strides()[1] == 1) {
        multiply(y, a, b, {c.raw(), c.strides()[0]});
    } else {
        copy_elements(y, c);
        multiply(y, a, b, {y.raw(), shape.back()});
    }
    return dense(std::move(y), a.dtype());
}

/// α a b of two matrices; of 16-bit ones not rounded yet, unless α is 1. Where α is 0 they are not read.
Tensor scaled_product(const Tensor& a, const Tensor& b, Scalar alpha) {
    if (alpha.to<double>() == 0) return zeros({a.size(0), b.size(1)}, compute_dtype(a.dtype()));
    return alpha.to<double>() == 1 ? mm(a, b) : times(mm(wide(a), wide(b)), alpha);
}

/// x with its leading dimensions merged into rows.
Tensor as_rows(const Tensor& x) {
    if (x.dim() == 2) return x;
    int64_t rows = 1;  // not -1, of which there are any number where a row has no elements
    for (int64_t d = 0; d + 1 < x.dim(); ++d) rows *= x.sizes()[d];
    return x.reshape({rows, x.sizes().back()});
}
Tensor swapped(const Tensor& x) { return x.transpose(-2, -1); }

/// ā = ȳ bᵀ.
Tensor left_gradient(const Tensor& y_bar, const Tensor& b, int64_t a_dim) {
    if (b.dim() == 1) return a_dim == 1 ? y_bar * b : y_bar.unsqueeze(-1) * b;
    if (a_dim == 1) return matmul(b, y_bar.unsqueeze(-1)).squeeze(-1);
    return matmul(y_bar, swapped(b));
}

/// b̄ = aᵀ ȳ. Where b is one matrix or vector for the whole batch, the batch is a sum over more rows.
Tensor right_gradient(const Tensor& y_bar, const Tensor& a, int64_t b_dim) {
    if (a.dim() == 1) return b_dim == 1 ? y_bar * a : a.unsqueeze(-1) * y_bar.unsqueeze(-2);
    if (b_dim == 1) return matmul(as_rows(a).t(), y_bar.reshape({-1}));
    if (b_dim == 2) return matmul(as_rows(a).t(), as_rows(y_bar));
    return matmul(swapped(a), y_bar);
}

Tensor recorded_product(const char* name, const Tensor& a, const Tensor& b) {
    return record("matmul", product(a, b, product_shape(name, a, b)),
                  {{a, [b, dim = a.dim()](const Tensor& y_bar) { return left_gradient(y_bar, b, dim); }},
                   {b, [a, dim = b.dim()](const Tensor& y_bar) { return right_gradient(y_bar, a, dim); }}});
}

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b) { return recorded_product("matmul", a, b); }

Tensor mm(const Tensor& a, const Tensor& b) {
    check_dim("mm", "the left side", a, 2);
    check_dim("mm", "the right side", b, 2);
    return recorded_product("mm", a, b);
}

Tensor bmm(const Tensor& a, const Tensor& b) {
    check_dim("bmm", "the left side", a, 3);
    check_dim("bmm", "the right side", b, 3);
    if (a.size(0) != b.size(0)) {
        fail<ShapeError>("bmm: shapes ", a.sizes(), " and ", b.sizes(), " hold ", a.size(0), " and ",
                         b.size(0), " matrices; matmul broadcasts");
    }
    return recorded_product("bmm", a, b);
}

Tensor mv(const Tensor& matrix, const Tensor& vector) {
    check_dim("mv", "the matrix", matrix, 2);
    check_dim("mv", "the vector", vector, 1);
    return recorded_product("mv", matrix, vector);
}

Tensor dot(const Tensor& a, const Tensor& b) {
    check_dim("dot", "the left side", a, 1);
    check_dim("dot", "the right side", b, 1);
    return recorded_product("dot", a, b);
}

Tensor outer(const Tensor& a, const Tensor& b) {
    check_dim("outer", "the left side", a, 1);
    check_dim("outer", "the right side", b, 1);
    return a.unsqueeze(-1) * b;
}

Tensor addmm(const Tensor& input, const Tensor& mat1, const Tensor& mat2, Scalar beta, Scalar alpha) {
    check_dim("addmm", "mat1", mat1, 2);
    check_dim("addmm", "mat2", mat2, 2);
    check_dtypes("addmm", input, mat1);
    const Shape shape = product_shape("addmm", mat1, mat2);
    if (broadcast_shapes(input.sizes(), shape, "addmm") != shape) {
        fail<ShapeError>("addmm: the input of shape ", input.sizes(),
                         " does not broadcast to the product's shape ", shape);
    }
    if (!input.is_floating_point() && (beta.dtype() == kFloat64 || alpha.dtype() == kFloat64)) {
        fail<DTypeError>("addmm: a floating beta (", beta, ") or alpha (", alpha, ") for ", input.dtype(),
                         " tensors");
    }
    const bool plain = beta.to<double>() == 1 && alpha.to<double>() == 1;
    const auto scaled_sum = [&] {
        const NoGradGuard quiet;
        const Tensor scaled = scaled_product(mat1, mat2, alpha);
        return dense(beta.to<double>() == 0 ? scaled : add(scaled, input, beta), input.dtype());
    };
    return record(
        "addmm", plain ? sum_and_product(input, mat1, mat2, shape) : scaled_sum(),
        {{input,
          [beta](const Tensor& y_bar) {
              return beta.to<double>() == 0 ? zeros_like(y_bar) : times(wide(y_bar), beta);
          }},
         {mat1, [mat2, alpha](const Tensor& y_bar) { return scaled_product(y_bar, mat2.t(), alpha); }},
         {mat2, [mat1, alpha](const Tensor& y_bar) { return scaled_product(mat1.t(), y_bar, alpha); }}});
}

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
    check_dim("linear", "the weight", weight, 2);
    if (x.dim() == 0)
        fail<ShapeError>("linear: x is 0-d; its last dimension must have ", weight.size(1), " features");
    check_dtypes("linear", x, weight);
    if (x.size(-1) != weight.size(1)) {
        fail<ShapeError>("linear: x of shape ", x.sizes(), " has ", x.size(-1),
                         " features, the weight of shape ", weight.sizes(), " takes ", weight.size(1));
    }
    Shape shape = x.sizes();
    shape.back() = weight.size(0);
    const Tensor across =
        Tensor::make(weight.impl().storage, weight.dtype(), {weight.size(1), weight.size(0)},
                     {weight.stride(1), weight.stride(0)}, weight.storage_offset());
    if (bias.defined()) {
        check_dtypes("linear", bias, weight);
        if (bias.dim() > 1 || (bias.numel() != 1 && bias.numel() != weight.size(0))) {
            fail<ShapeError>("linear: the bias of shape ", bias.sizes(), " for ", weight.size(0),
                             " outputs; it must have the shape [", weight.size(0), "] or be one number");
        }
    }
    return record("linear",
                  bias.defined() ? sum_and_product(bias, x, across, shape) : product(x, across, shape),
                  {{x, [weight](const Tensor& y_bar) { return matmul(y_bar, weight); }},
                   {weight,
                    [x](const Tensor& y_bar) {
                        return x.dim() == 1 ? outer(y_bar, x) : matmul(as_rows(y_bar).t(), as_rows(x));
                    }},
                   {bias, [](const Tensor& y_bar) { return y_bar; }}});
}

}  // namespace reel
