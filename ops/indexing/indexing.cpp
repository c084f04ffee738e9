// Reading and writing by the words of an index, by masks, and rows of a table. What the words mean is in
// `index_expression.cpp`, how places are read and written in `gather_driver.cpp`; operations along one dimension are in
// `gather.cpp`.
#include "ops/indexing/indexing.hpp"

#include "autograd/tape.hpp"
#include "ops/indexing/index_expression.hpp"
#include "ops/indexing/mask_driver.hpp"
#include "ops/pointwise/by_promotion.hpp"
#include "ops/pointwise/compare.hpp"
#include "ops/pointwise/dense_driver.hpp"
#include "ops/pointwise/transcendental.hpp"
#include "tensor/checked.hpp"
#include "tensor/factory.hpp"

namespace reel {

namespace {

using std::int64_t;

void put_at(const char* name, const Tensor& dest, const IndexedDims& indexed, const Tensor& value,
            bool accumulate);

Tensor take_at(const char* name, const Tensor& x, const IndexedDims& indexed) {
    return record(name, take(x, gather_plan(name, x, indexed)),
                  {{x, [indexed, sizes = x.sizes()](const Tensor& y_bar) {
                        const Tensor x_bar = zeros(sizes, y_bar.dtype());
                        put_at("index_put_", x_bar, indexed, y_bar, true);
                        return x_bar;
                    }}});
}

/// `value` without leading dimensions of size 1 beyond `dim`.
Tensor without_lead(const Tensor& value, int64_t dim) {
    Tensor result = value;
    while (result.dim() > dim && result.size(0) == 1) result = result.select(0, 0);
    return result;
}

/// Writes to `dest`, or adds to it; records itself.
void put_at(const char* name, const Tensor& dest, const IndexedDims& indexed, const Tensor& given,
            bool accumulate) {
    const GatherPlan plan = gather_plan(name, dest, indexed);
    const Tensor value = without_lead(given, static_cast<int64_t>(plan.sizes.size()));
    if (broadcast_shapes(plan.sizes, value.sizes(), name) != plan.sizes) {
        fail<ShapeError>(name, ": a value of shape ", value.sizes(), " does not broadcast to the shape ",
                         plan.sizes, " of what the index picks");
    }
    check_bounds(plan);
    const Tensor source = value.shares_storage(dest) ? dense_copy(value, value.dtype()) : value;
    if (accumulate) {
        InPlaceWrite write(name, dest, {{dest, pass}, {value, [indexed](const Tensor& y_bar) {
                                                           return take_at("index", y_bar, indexed);
                                                       }}});
        add(dest, plan, source);
        return write.commit();
    }
    InPlaceWrite write(name, dest,
                       {{dest,
                         [indexed](const Tensor& y_bar) {
                             const Tensor kept = y_bar.clone();
                             put_at("index_put_", kept, indexed, zeros({}, y_bar.dtype()), false);
                             return kept;
                         }},
                        {value, [indexed, sizes = dest.sizes()](const Tensor& y_bar) {
                             const Tensor taken = take_at("index", y_bar, indexed);
                             if (indexed.distinct) return taken;
                             const Tensor writer = Tensor::empty(sizes, kInt64);
                             const Tensor last =
                                 last_writes(writer, gather_plan("index_put_", writer, indexed));
                             return where(last, taken, 0);
                         }}});
    put(dest, plan, source);
    write.commit();
}

/// The words read once more for a write to `x`: no index tensor may be in the memory that is written.
Selection select_for_write(const Tensor& x, const TensorIndices& indices) {
    Selection selection = select_by_words("index_put_", x, indices);
    for (Tensor& index : selection.indexed.tensors) {
        if (index.defined() && index.shares_storage(x)) index = dense_copy(index, kInt64);
    }
    return selection;
}

}  // namespace

Tensor Tensor::index(const TensorIndices& indices) const {
    if (indices.size() == 1 && indices[0].kind() == TensorIndex::Kind::kTensor) {
        const Tensor& mask = indices[0].tensor();
        if (mask.dtype() == kBool && dim() > 0 && mask.sizes() == sizes()) return masked_select(mask);
    }
    const Composite whole;
    const Selection selection = select_by_words("index", *this, indices);
    if (selection.indexed.any()) return take_at("index", selection.view, selection.indexed);
    if (!selection.view.is_same(*this)) return selection.view;
    return record("index", make_view(*this, sizes(), strides(), storage_offset()), {{*this, pass}});
}

const Tensor& Tensor::index_put_(const TensorIndices& indices, const Tensor& value, bool accumulate) const {
    if (value.dtype() != dtype()) {
        fail<DTypeError>("index_put_: a value of ", value.dtype(), " for a tensor of ", dtype(),
                         "; convert it with to(", dtype(), ")");
    }
    check_in_place("index_put_", *this);
    const Composite whole;
    const Selection selection = select_for_write(*this, indices);
    const Tensor& dest = selection.view;
    if (selection.indexed.any()) {
        put_at("index_put_", dest, selection.indexed, value, accumulate);
    } else if (accumulate) {
        dest.add_(without_lead(value, dest.dim()));
    } else {
        dest.copy_(without_lead(value, dest.dim()));
    }
    return *this;
}

const Tensor& Tensor::index_put_(const TensorIndices& indices, Scalar value, bool accumulate) const {
    check_number("index_put_", value, dtype());
    return index_put_(indices, full({}, value, dtype()), accumulate);
}

Tensor Tensor::index_put(const TensorIndices& indices, const Tensor& value, bool accumulate) const {
    const Composite whole;
    return clone().index_put_(indices, value, accumulate);
}

Tensor Tensor::index_select(int64_t dim, const Tensor& index) const {
    if (index.dim() > 1)
        fail<ShapeError>("index_select: a 1-D index is needed, not one of shape ", index.sizes());
    check_index("index_select", index);
    const Composite whole;
    if (this->dim() == 0) return view({1}).index_select(dim, index).view({});
    IndexedDims indexed;
    const int64_t d = wrap_dim(dim, this->dim(), "index_select");
    indexed.set(static_cast<std::size_t>(d), index.detach().view({-1}), d);
    indexed.wraps = false;
    return take_at("index_select", *this, indexed);
}

Tensor Tensor::masked_select(const Tensor& mask) const {
    if (mask.dtype() != kBool) fail<DTypeError>("masked_select: the mask must be bool, not ", mask.dtype());
    const Shape shape = broadcast_shapes(sizes(), mask.sizes(), "masked_select");
    const Composite whole;
    const Tensor x = expand(shape);
    const Tensor holds = mask.expand(shape);
    return record("masked_select", compact(x, holds), {{x, [holds](const Tensor& y_bar) {
                                                            const Tensor x_bar =
                                                                zeros(holds.sizes(), y_bar.dtype());
                                                            return x_bar.index_put_({holds}, y_bar);
                                                        }}});
}

Tensor Tensor::nonzero() const {
    return true_coordinates(dtype() == kBool ? *this : reel::ne(*this, 0), true);
}

Tensor embedding(const Tensor& indices, const Tensor& weight) {
    check_index("embedding", indices);
    if (weight.dim() != 2) fail<ShapeError>("embedding: the weight must be a matrix, not ", weight.sizes());
    IndexedDims indexed;
    indexed.set(0, indices, 0);
    indexed.wraps = false;
    return take_at("embedding", weight, indexed);
}

Tensor one_hot(const Tensor& indices, int64_t num_classes) {
    check_index("one_hot", indices);
    if (num_classes == 0 || num_classes < -1 || (num_classes == -1 && indices.numel() == 0)) {
        fail<ShapeError>("one_hot: ", num_classes, " classes for indices of shape ", indices.sizes());
    }
    const int64_t classes = num_classes > 0 ? num_classes
                                            : to_int64(Wide{indices.amax().item<int64_t>()} + 1,
                                                       "one_hot: the number of classes");
    if (indices.numel() > 0) {
        for (const int64_t index : {indices.amin().item<int64_t>(), indices.amax().item<int64_t>()}) {
            if (index >= 0 && index < classes) continue;
            fail<IndexError>("one_hot: class ", index, " is out of range for ", classes, " classes");
        }
    }
    Shape sizes = indices.sizes();
    sizes.push_back(classes);
    const Tensor y = zeros(sizes, kInt64);
    const Tensor places = dense(indices);
    const auto* place = places.data_ptr<int64_t>();
    auto* to = y.data_ptr<int64_t>();
    for (int64_t i = 0; i < places.numel(); ++i) to[i * classes + place[i]] = 1;
    return y;
}

}  // namespace reel
