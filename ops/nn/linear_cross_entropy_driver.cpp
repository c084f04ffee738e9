#include "ops/nn/linear_cross_entropy_driver.hpp"

#include <algorithm>

#include "ops/linalg/gemm_driver.hpp"
#include "ops/pointwise/dense_driver.hpp"
#include "ops/softmax/class_targets_driver.hpp"
#include "tensor/factory.hpp"

namespace reel {

namespace {

using std::int64_t;

/// Logits of a block. Fewer, and packing the weight anew for each block would show: it is read for so few
/// rows.
constexpr int64_t kBlockLogits = 1 << 22;
constexpr int64_t kLeastRows = 16;

Matrix matrix(const Tensor& x) { return {x.raw(), x.stride(0), x.stride(1)}; }
Matrix transposed(const Matrix& x) { return {x.data, x.column, x.row}; }

/// The rows [first, first + count) of `x` along its only or first dimension.
Tensor some_rows(const Tensor& x, int64_t first, int64_t count) { return x.narrow(0, first, count); }

/// The problem of some rows alone. `whole` has flat targets.
ClassLoss part_of(const ClassLoss& whole, const Tensor& logits, int64_t first) {
    ClassLoss part = whole;
    part.logits = logits;
    part.targets = some_rows(whole.targets, first, logits.size(0));
    part.dim = 1;
    return part;
}

/// Its targets as one list of labels, or of rows of probabilities.
ClassLoss flattened(const ClassLoss& problem, int64_t rows) {
    ClassLoss flat = problem;
    flat.targets = problem.has_labels() ? dense(problem.targets).view({rows})
                                        : dense(problem.targets).view({rows, problem.logits.size(-1)});
    return flat;
}

}  // namespace

Tensor rows_of(const Tensor& x, DType dtype) {
    const int64_t features = x.size(-1);
    int64_t rows = 1;
    for (int64_t d = 0; d + 1 < x.dim(); ++d) rows *= x.size(d);
    return x.to(dtype).reshape({rows, features});
}

LinearLoss linear_class_loss(const Tensor& x, const Tensor& weight, const ClassLoss& problem,
                             const Tensor& y_bar, bool wants_loss) {
    const int64_t rows = x.size(0);
    const int64_t features = x.size(1);
    const int64_t classes = weight.size(0);
    const DType dtype = x.dtype();
    const ClassLoss flat = flattened(problem, rows);
    const bool by_row = problem.reduction == Reduction::kNone;
    const Tensor flat_y_bar = y_bar.defined() && by_row ? dense(y_bar).view({rows}) : y_bar;
    const int64_t block =
        std::clamp(kBlockLogits / std::max<int64_t>(classes, 1), kLeastRows, std::max(rows, kLeastRows));
    const Tensor all_logits = Tensor::empty({std::min(block, rows), classes}, dtype);
    const Tensor losses = zeros({rows}, kFloat64);
    LinearLoss found;
    if (y_bar.defined()) {
        found.x_bar = Tensor::empty({rows, features}, dtype);
        found.weight_bar =
            rows == 0 ? zeros({classes, features}, dtype) : Tensor::empty({classes, features}, dtype);
    }
    for (int64_t first = 0; first < rows; first += block) {
        const int64_t count = std::min(block, rows - first);
        const Tensor logits = some_rows(all_logits, 0, count);
        const Matrix x_rows = matrix(some_rows(x, first, count));
        gemm({dtype, count, classes, features}, x_rows, transposed(matrix(weight)), {logits.raw(), classes});
        const ClassLoss part = part_of(flat, logits, first);
        const LossAndRows loss = class_losses(part);
        copy_elements(some_rows(losses, first, count), loss.loss);
        if (!y_bar.defined()) continue;
        const Tensor z_bar =
            class_loss_gradient(part, loss.rows, by_row ? some_rows(flat_y_bar, first, count) : flat_y_bar);
        gemm({dtype, count, features, classes}, matrix(z_bar), matrix(weight),
             {some_rows(found.x_bar, first, count).raw(), features});
        std::byte* const weight_bar = found.weight_bar.raw();
        gemm({dtype, classes, features, count}, transposed(matrix(z_bar)), x_rows, {weight_bar, features},
             {first > 0 ? weight_bar : nullptr, features});
    }
    if (wants_loss)
        found.loss =
            reduce_rows(Fibres(problem.logits, problem.dim), losses, problem.reduction, problem.total, dtype);
    return found;
}

}  // namespace reel
