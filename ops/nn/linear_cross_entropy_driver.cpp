#include "ops/nn/linear_cross_entropy_driver.hpp"

#include <algorithm>

#include "ops/linalg/gemm_driver.hpp"
#include "ops/nn/labelled_rows_driver.hpp"
#include "ops/pointwise/dense_driver.hpp"
#include "ops/softmax/class_targets_driver.hpp"
#include "tensor/factory.hpp"

namespace reel {

namespace {

using std::int64_t;

/// Numbers that are held of a block, 32 MB of float32. Fewer, and packing the weight anew for each block would
/// show: it is read for so few rows.
constexpr int64_t kBlockLogits = 1 << 23;
constexpr int64_t kLeastRows = 16;
/// Of those, so many classes at a time: 150 rows of them and their part of the weight fit in L2 (1 MB). Not a
/// power of two, so that rows do not displace each other in L1.
constexpr int64_t kPartClasses = 784;

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

/// The rows of a block, when `held` logits of each row are held.
int64_t block_rows(int64_t rows, int64_t held) {
    const int64_t most = std::max(kBlockLogits / std::max<int64_t>(held, 1), kLeastRows);
    const int64_t blocks = std::max<int64_t>((rows + most - 1) / most, 1);
    return (rows + blocks - 1) / blocks;
}

/// A layer, and its gradients where they are wanted.
struct Layer {
    const Tensor& x;
    const Tensor& weight;
    LinearLoss& found;

    /// z = the logits of rows `first` …, classes `from` ….
    void multiply(int64_t first, int64_t from, const Tensor& z) const {
        const int64_t classes = z.size(1);
        gemm({x.dtype(), z.size(0), classes, x.size(1)}, matrix(some_rows(x, first, z.size(0))),
             transposed(matrix(some_rows(weight, from, classes))), {z.raw(), classes});
    }
    /// Adds what z̄ gives to the gradients.
    void add_gradients(int64_t first, int64_t from, const Tensor& z_bar) const {
        const int64_t rows = z_bar.size(0);
        const int64_t classes = z_bar.size(1);
        const int64_t features = x.size(1);
        std::byte* const x_bar = some_rows(found.x_bar, first, rows).raw();
        std::byte* const weight_bar = some_rows(found.weight_bar, from, classes).raw();
        gemm({x.dtype(), rows, features, classes}, matrix(z_bar), matrix(some_rows(weight, from, classes)),
             {x_bar, features}, {from > 0 ? x_bar : nullptr, features});
        gemm({x.dtype(), classes, features, rows}, transposed(matrix(z_bar)),
             matrix(some_rows(x, first, rows)), {weight_bar, features},
             {first > 0 ? weight_bar : nullptr, features});
    }
};

/// With class labels: a part of the classes after the other, while its logits are in L2. A row's losses need
/// all of them before its gradient begins, so that they are kept for it.
void labelled(const Layer& layer, const ClassLoss& flat, const Tensor& factors, const Tensor& losses) {
    const int64_t rows = layer.x.size(0);
    const int64_t classes = layer.weight.size(0);
    const int64_t part = std::min(kPartClasses, classes);
    const int64_t block = block_rows(rows, classes);
    const Tensor memory = Tensor::empty({block * (factors.defined() ? classes : part)}, layer.x.dtype());
    LabelledRows loss(flat);
    for (int64_t first = 0; first < rows; first += block) {
        const int64_t count = std::min(block, rows - first);
        const auto for_each_part = [&](const auto& f) {
            for (int64_t from = 0; from < classes; from += part) {
                const int64_t n = std::min(part, classes - from);
                const int64_t offset = factors.defined() ? count * from : 0;
                f(from, memory.narrow(0, offset, count * n).view({count, n}));
            }
        };
        loss.begin(first, count);
        for_each_part([&](int64_t from, const Tensor& z) {
            layer.multiply(first, from, z);
            loss.add(z, from);
        });
        loss.conclude(losses);
        if (!factors.defined()) continue;
        for_each_part([&](int64_t from, const Tensor& z) {
            loss.differentiate(z, from, factors);
            layer.add_gradients(first, from, z);
        });
    }
}

/// Where every class has a share in a row's loss: all of them at once. Logits and their gradient are held.
void shared(const Layer& layer, const ClassLoss& flat, const Tensor& y_bar, const Tensor& losses) {
    const int64_t rows = layer.x.size(0);
    const int64_t classes = layer.weight.size(0);
    const int64_t block = block_rows(rows, 2 * classes);
    const Tensor memory = Tensor::empty({block, classes}, layer.x.dtype());
    const bool by_row = flat.reduction == Reduction::kNone;
    for (int64_t first = 0; first < rows; first += block) {
        const int64_t count = std::min(block, rows - first);
        const Tensor logits = some_rows(memory, 0, count);
        layer.multiply(first, 0, logits);
        const ClassLoss part = part_of(flat, logits, first);
        const LossAndRows loss = class_losses(part);
        copy_elements(some_rows(losses, first, count), loss.loss);
        if (!y_bar.defined()) continue;
        const Tensor rows_bar = by_row ? some_rows(y_bar, first, count) : y_bar;
        layer.add_gradients(first, 0, class_loss_gradient(part, loss.rows, rows_bar));
    }
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
    const DType dtype = x.dtype();
    const Fibres fibres(problem.logits, problem.dim);
    const ClassLoss flat = flattened(problem, rows);
    const Tensor losses = zeros({rows}, kFloat64);
    LinearLoss found;
    if (y_bar.defined()) {
        found.x_bar = Tensor::empty(x.sizes(), dtype);
        found.weight_bar = rows == 0 ? zeros(weight.sizes(), dtype) : Tensor::empty(weight.sizes(), dtype);
    }
    const Layer layer{x, weight, found};
    if (problem.is_hard() && weight.size(0) > 0) {
        labelled(layer, flat,
                 y_bar.defined() ? row_factors(fibres, y_bar, problem.reduction, problem.total) : Tensor(),
                 losses);
    } else {
        const bool by_row = y_bar.defined() && problem.reduction == Reduction::kNone;
        shared(layer, flat, by_row ? dense(y_bar).view({rows}) : y_bar, losses);
    }
    if (wants_loss) found.loss = reduce_rows(fibres, losses, problem.reduction, problem.total, dtype);
    return found;
}

}  // namespace reel
