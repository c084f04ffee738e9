#include "ops/indexing/index_expression.hpp"

#include <algorithm>

#include "ops/indexing/mask_driver.hpp"
#include "tensor/factory.hpp"

namespace reel {

namespace {

using std::int64_t;
using Kind = TensorIndex::Kind;

/// Reads an index word by word, from the first dimension to the last.
class Reader {
public:
    Reader(const char* name, const Tensor& x, const TensorIndices& indices)
        : name_(name), x_(x), selection_{x, {}} {
        int64_t named = 0;
        bool ellipsis = false;
        for (const TensorIndex& index : indices) {
            named += dims_named(index);
            if (index.kind() != Kind::kEllipsis) continue;
            if (ellipsis) fail<IndexError>(name_, ": an index has only one Ellipsis");
            ellipsis = true;
        }
        if (named > x.dim()) {
            fail<IndexError>(name_, ": too many indices: ", named, " for a tensor of shape ", x.sizes());
        }
        for (const TensorIndex& index : indices) read(index, x.dim() - named);
    }

    Selection take() { return std::move(selection_); }

private:
    static int64_t dims_named(const TensorIndex& index) {
        const Kind kind = index.kind();
        if (kind == Kind::kTensor) return index.tensor().dtype() == kBool ? index.tensor().dim() : 1;
        return kind == Kind::kInteger || kind == Kind::kSlice ? 1 : 0;
    }

    void read(const TensorIndex& index, int64_t missing) {
        switch (index.kind()) {
            case Kind::kInteger:
                return select(index.integer());
            case Kind::kSlice:
                return slice(index.slice());
            case Kind::kNone:
                selection_.view = selection_.view.unsqueeze(d_++);
                return;
            case Kind::kEllipsis:
                d_ += missing;
                dim_ += missing;
                return;
            case Kind::kBoolean:
                return choose(index.integer() != 0);
            default:
                return look_up(index.tensor());
        }
    }

    void select(int64_t index) {
        const int64_t size = x_.size(dim_);
        if (index < -size || index >= size) {
            fail<IndexError>(name_, ": index ", index, " is out of range for dimension ", dim_, " of size ",
                             size);
        }
        selection_.view = selection_.view.select(d_, index);
        ++dim_;
    }

    void slice(const Slice& slice) {
        if (slice.start || slice.stop || slice.step) {
            selection_.view = selection_.view.slice(d_, slice.start, slice.stop, slice.step.value_or(1));
        }
        ++d_;
        ++dim_;
    }

    /// A bool is a new dimension with one place, or none.
    void choose(bool holds) {
        selection_.view = selection_.view.unsqueeze(d_);
        selection_.indexed.set(static_cast<std::size_t>(d_++), zeros({holds ? 1 : 0}, kInt64), dim_);
    }

    void look_up(const Tensor& tensor) {
        if (tensor.dtype() == kBool) return tensor.dim() == 0 ? choose(tensor.item<bool>()) : mask(tensor);
        if (tensor.dtype() != kInt64) {
            fail<DTypeError>(name_, ": index tensors are int64 or bool, not ", tensor.dtype());
        }
        if (tensor.dim() == 0) return select(tensor.item<int64_t>());
        selection_.indexed.distinct = false;
        selection_.indexed.set(static_cast<std::size_t>(d_++), tensor, dim_++);
    }

    void mask(const Tensor& mask) {
        for (int64_t i = 0; i < mask.dim(); ++i) {
            if (mask.size(i) == selection_.view.size(d_ + i)) continue;
            fail<IndexError>(name_, ": a mask of shape ", mask.sizes(), " does not fit dimensions ", dim_,
                             " to ", dim_ + mask.dim() - 1, " of shape ", x_.sizes());
        }
        const Tensor coordinates = true_coordinates(mask);
        for (int64_t i = 0; i < mask.dim(); ++i) {
            selection_.indexed.set(static_cast<std::size_t>(d_++), coordinates[i], dim_++);
        }
    }

    const char* name_;
    const Tensor& x_;
    Selection selection_;
    int64_t d_ = 0;    // the next dimension of the view
    int64_t dim_ = 0;  // the same dimension of x
};

}  // namespace

Selection select_by_words(const char* name, const Tensor& x, const TensorIndices& indices) {
    return Reader(name, x, indices).take();
}

GatherPlan gather_plan(const char* name, const Tensor& x, const IndexedDims& indexed) {
    Shape common;
    std::size_t first = x.sizes().size();
    std::size_t last = 0;
    std::size_t count = 0;
    for (std::size_t d = 0; d < indexed.tensors.size(); ++d) {
        if (!indexed.tensors[d].defined()) continue;
        common = broadcast_shapes(common, indexed.tensors[d].sizes(), name);
        first = std::min(first, d);
        last = d;
        ++count;
    }
    const std::size_t front = count == last - first + 1 ? first : 0;
    GatherPlan plan{name, {}, {}, {}};
    for (std::size_t d = 0; d < x.sizes().size(); ++d) {
        if (d < indexed.tensors.size() && indexed.tensors[d].defined()) continue;
        plan.sizes.push_back(x.sizes()[d]);
        plan.strides.push_back(x.strides()[d]);
    }
    for (std::size_t i = 0; i < common.size(); ++i) {
        plan.sizes.insert(front + i, common[i]);
        plan.strides.insert(front + i, 0);
    }
    for (std::size_t d = first; d <= last; ++d) {
        const Tensor& index = indexed.tensors[d];
        if (!index.defined()) continue;
        const Shape own = broadcast_strides(index.sizes(), index.strides(), common);
        Shape strides = Shape::filled(plan.sizes.size(), 0);
        std::copy(own.begin(), own.end(), strides.begin() + front);
        plan.indexed.push_back(
            {Tensor::make(index.impl().storage, kInt64, plan.sizes, strides, index.storage_offset()),
             indexed.dims[d], x.sizes()[d], indexed.wraps, x.strides()[d]});
    }
    return plan;
}

}  // namespace reel
