#include "ops/indexing/gather_driver.hpp"

#include <algorithm>

#include "ops/kernels/table.hpp"
#include "ops/pointwise/dense_driver.hpp"
#include "ops/pointwise/pointwise_driver.hpp"
#include "tensor/factory.hpp"
#include "tensor/iterate.hpp"
#include "tensor/parallel.hpp"

namespace reel {

namespace {

using std::int64_t;

constexpr int64_t kOffsets = 512;       // looked up at a time: they stay in L1
constexpr int64_t kValues = 16 * 1024;  // elements of strided values that are made dense at a time

// Evenly spaced places that are worth a call where indices count from the end, too.
constexpr int64_t kLongRun = 32;

const kernels::Indexing& table() { return kernels::kernels().indexing; }

std::size_t unit(const Tensor& x) { return kernels::unit_of(static_cast<std::size_t>(x.itemsize())); }

Shape front(const Shape& shape, std::size_t count) { return std::span<const int64_t>(shape.data(), count); }

[[noreturn]] void fail_index(const GatherPlan& plan, const IndexedDim& dim, int64_t index) {
    fail<IndexError>(plan.name, ": index ", index, " is out of range for dimension ", dim.dim, " of size ",
                     dim.size);
}

/// How many of the last dimensions are dense in the source, with no index that varies along them: together
/// they are one row, moved as a whole.
std::size_t row_dims(const GatherPlan& plan) {
    std::size_t count = 0;
    int64_t row = 1;
    for (std::size_t d = plan.sizes.size(); d-- > 0; ++count) {
        if (plan.sizes[d] == 1) continue;
        const bool looked_up = std::any_of(plan.indexed.begin(), plan.indexed.end(),
                                           [d](const IndexedDim& l) { return l.index.strides()[d] != 0; });
        if (looked_up || plan.strides[d] != row) break;
        row *= plan.sizes[d];
    }
    return count;
}

/// The places, row by row.
class Rows {
public:
    explicit Rows(const GatherPlan& plan)
        : plan_(plan),
          lead_(front(plan.sizes, plan.sizes.size() - row_dims(plan))),
          count_(numel(lead_)),
          length_(numel(plan.sizes) / std::max<int64_t>(count_, 1)),
          plain_(lead_, front(plan.strides, lead_.size())) {
        for (const IndexedDim& dim : plan.indexed) {
            indexed_.emplace_back(lead_, front(dim.index.strides(), lead_.size()));
        }
    }

    int64_t count() const { return count_; }
    int64_t length() const { return length_; }
    /// The sizes of the dimensions that are walked row by row.
    const Shape& lead() const { return lead_; }

    /// The number of outer dimensions, all but the innermost one of the lead, along which no index varies;
    /// 0 where one does.
    std::size_t plain_dims() const {
        const std::size_t outer = lead_.empty() ? 0 : lead_.size() - 1;
        for (const IndexedDim& dim : plan_.indexed) {
            const Shape& strides = dim.index.strides();
            if (std::any_of(strides.begin(), strides.begin() + outer, [](int64_t s) { return s != 0; }))
                return 0;
        }
        return outer;
    }

    /// How many rows are located at a time: whole runs of evenly spaced ones, where these are short.
    int64_t block() const {
        return plain_.row() <= kOffsets ? kOffsets / plain_.row() * plain_.row() : kOffsets;
    }

    /// Where rows [begin, begin + n) of one element are: f(places, elements before them) for one part after the other, n <=
    /// kOffsets. False, and nothing is called, where there are several indices, or one counts from the end or is out of range.
    bool look_up(int64_t begin, int64_t n, const auto& f) const {
        if (length_ != 1 || indexed_.size() != 1) return false;
        int64_t gathered[kOffsets];
        const int64_t* index = indices(0, begin, n, gathered);
        const IndexedDim& dim = plan_.indexed[0];
        if (!table().in_range(n, index, dim.size)) return false;
        const int64_t row = plain_.row();
        for (int64_t i = 0; i < n;) {
            const StridedRuns::Run run = plain_.run(begin + i);
            kernels::IndexedRows at = {index + i, 1,         std::min(run.length, n - i), run.offset, 0,
                                       run.step,  dim.stride};
            if (at.length == row && n - i >= 2 * row) {
                const StridedRuns::Rows rows = plain_.rows((begin + i) / row, row);
                at.rows = std::min(rows.count, (n - i) / row);
                at.row_step = rows.stride;
            }
            f(at, i);
            i += at.rows * at.length;
        }
        return true;
    }

    /// Where rows [begin, begin + n) start, n <= kOffsets.
    void locate(int64_t begin, int64_t n, int64_t* to) const {
        for (std::size_t k = 0; k < indexed_.size(); ++k) {
            const IndexedDim& dim = plan_.indexed[k];
            const int64_t end = dim.wraps ? dim.size : 0;
            int64_t gathered[kOffsets];
            const int64_t* index = indices(k, begin, n, gathered);
            for (int64_t i = 0; i < n;) {
                const StridedRuns::Run run = plain_.run(begin + i);
                const bool first = k == 0 && run.length >= kLongRun;
                const int64_t count = first ? std::min(n - i, run.length) : n - i;
                if (k == 0 && !first) plain_.offsets(begin + i, count, to + i);
                const int64_t bad =
                    first ? table().locate(count, index + i, dim.size, end, dim.stride, run.offset, run.step,
                                           to + i)
                          : table().move_on(count, index + i, dim.size, end, dim.stride, to + i);
                if (bad < count) fail_index(plan_, dim, index[i + bad]);
                i += count;
            }
        }
    }

private:
    /// Elements [begin, begin + n) of an index, in its own memory or in `gathered`.
    const int64_t* indices(std::size_t k, int64_t begin, int64_t n, int64_t* gathered) const {
        const std::byte* index = plan_.indexed[k].index.raw();
        if (indexed_[k].is_dense()) return reinterpret_cast<const int64_t*>(index) + begin;
        indexed_[k].gather(sizeof(int64_t), index, begin, n, reinterpret_cast<std::byte*>(gathered));
        return gathered;
    }

    const GatherPlan& plan_;
    Shape lead_;
    int64_t count_;
    int64_t length_;
    StridedRuns plain_;
    std::vector<StridedRuns> indexed_;
};

Tensor expanded(const Tensor& x, const Shape& sizes) {
    return Tensor::make(x.impl().storage, x.dtype(), sizes, broadcast_strides(x.sizes(), x.strides(), sizes),
                        x.storage_offset());
}

/// Elements [begin, end) along dimension `d`.
Tensor cut(const Tensor& x, std::size_t d, int64_t begin, int64_t end) {
    Shape sizes = x.sizes();
    sizes[d] = end - begin;
    return Tensor::make(x.impl().storage, x.dtype(), sizes, x.strides(),
                        x.storage_offset() + begin * x.strides()[d]);
}

GatherPlan cut(const GatherPlan& plan, std::size_t d, int64_t begin, int64_t end) {
    GatherPlan part = plan;
    part.sizes[d] = end - begin;
    for (IndexedDim& dim : part.indexed) dim.index = cut(dim.index, d, begin, end);
    return part;
}

/// How elements, and rows of them, are written.
struct Write {
    kernels::Indexing::Move rows;
    kernels::Indexing::MoveEach each;  ///< null where that might change indices after they were checked
};

void write_rows(std::byte* y, const GatherPlan& plan, const Tensor& values, const Write& write) {
    const Rows rows(plan);
    const int64_t size = values.itemsize();
    const std::size_t lead = rows.lead().size();
    const Shape row_sizes = std::span<const int64_t>(plan.sizes.begin() + lead, plan.sizes.end());
    const Shape row_strides =
        std::span<const int64_t>(values.strides().begin() + lead, values.strides().end());
    const StridedRuns steps(rows.lead(), front(values.strides(), lead));
    const bool in_place = steps.is_even() && is_contiguous(row_sizes, row_strides);
    const int64_t step = in_place && rows.count() > 1 ? steps.run(0).step : rows.length();
    const int64_t block = in_place ? rows.block() : std::clamp<int64_t>(kValues / rows.length(), 1, kOffsets);
    const Tensor scratch = in_place ? Tensor() : Tensor::empty({block * rows.length() * size}, kBool);
    const StridedRuns runs(plan.sizes, values.strides());
    for (int64_t i = 0; i < rows.count(); i += block) {
        const int64_t n = std::min(block, rows.count() - i);
        const std::byte* from = values.raw() + i * step * size;
        if (!in_place) {
            runs.gather(size, values.raw(), i * rows.length(), n * rows.length(), scratch.raw());
            from = scratch.raw();
        }
        const auto each = [&](const kernels::IndexedRows& at, int64_t done) {
            write.each(at, step, from + done * step * size, y);
        };
        if (write.each && rows.look_up(i, n, each)) continue;
        int64_t to[kOffsets];
        rows.locate(i, n, to);
        write.rows(n, rows.length(), step, from, to, y);
    }
}

/// Threads share the longest plain dimension: what coincides is then written by one of them, in order.
void write(const Tensor& y, const GatherPlan& plan, const Tensor& values, Write how) {
    const int64_t total = numel(plan.sizes);
    if (total == 0) return;
    for (const IndexedDim& dim : plan.indexed) {
        if (y.raw() == dim.index.raw() || overlaps(y, dim.index)) how.each = nullptr;
    }
    const Tensor all = expanded(values, plan.sizes);
    std::size_t shared = plan.sizes.size();
    for (std::size_t d = 0; d < plan.sizes.size(); ++d) {
        if (plan.strides[d] == 0) continue;
        if (shared == plan.sizes.size() || plan.sizes[d] > plan.sizes[shared]) shared = d;
    }
    if (shared == plan.sizes.size()) return write_rows(y.raw(), plan, all, how);
    const int64_t count = plan.sizes[shared];
    const int64_t line = shared + 1 == plan.sizes.size() ? 64 / y.itemsize() : 1;
    parallel_for(count, line, total / count, [&](int64_t begin, int64_t end) {
        write_rows(y.raw() + begin * plan.strides[shared] * y.itemsize(), cut(plan, shared, begin, end),
                   cut(all, shared, begin, end), how);
    });
}

/// A float32 copy of `y` in the same layout, so that places in one are places in the other.
Tensor widened(const Tensor& y) {
    const OffsetRange range = offset_range(y.sizes(), y.strides());
    const Tensor memory = Tensor::empty({range.extent()}, kFloat32);
    Tensor wide = Tensor::make(memory.impl().storage, kFloat32, y.sizes(), y.strides(), -range.low);
    copy_elements(wide, y);
    return wide;
}

}  // namespace

Tensor take(const Tensor& x, const GatherPlan& plan) {
    Tensor y = Tensor::empty(plan.sizes, x.dtype());
    if (y.numel() == 0) {
        check_bounds(plan);
        return y;
    }
    const Rows rows(plan);
    const int64_t size = x.itemsize();
    const auto move = table().take[unit(x)];
    if (const std::size_t plain = rows.plain_dims(); plain > 0) {  // the same offsets again and again
        const int64_t inner = rows.lead().back();
        const Tensor from = Tensor::empty({inner}, kInt64);
        auto* offsets = reinterpret_cast<int64_t*>(from.raw());
        for (int64_t i = 0; i < inner; i += kOffsets)
            rows.locate(i, std::min(kOffsets, inner - i), offsets + i);
        const StridedRuns outer(front(plan.sizes, plain), front(plan.strides, plain));
        parallel_for(outer.numel(), 1, inner * rows.length(), [&](int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; ++i) {
                move(inner, rows.length(), rows.length(), x.raw() + outer.run(i).offset * size, offsets,
                     y.raw() + i * inner * rows.length() * size);
            }
        });
        return y;
    }
    const auto take_each = table().take_each[unit(x)];
    const int64_t block = rows.block();
    parallel_for(
        rows.count(), rows.length() == 1 ? block : 1, rows.length(), [&](int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; i += block) {
                const int64_t n = std::min(block, end - i);
                const auto each = [&](const kernels::IndexedRows& at, int64_t done) {
                    take_each(at, x.raw(), y.raw() + (i + done) * size);
                };
                if (rows.look_up(i, n, each)) continue;
                int64_t from[kOffsets];
                rows.locate(i, n, from);
                move(n, rows.length(), rows.length(), x.raw(), from, y.raw() + i * rows.length() * size);
            }
        });
    return y;
}

void put(const Tensor& y, const GatherPlan& plan, const Tensor& values) {
    write(y, plan, values, {table().put[unit(y)], table().put_each[unit(y)]});
}

void add(const Tensor& y, const GatherPlan& plan, const Tensor& values) {
    if (!is_reduced(y.dtype())) {
        const auto type = static_cast<std::size_t>(y.dtype());
        return write(y, plan, values, {table().add[type], table().add_each[type]});
    }
    const Tensor wide = widened(y);
    add(wide, plan, dense(values, kFloat32));
    copy_elements(y, wide);
}

Tensor last_writes(const Tensor& y, const GatherPlan& plan) {
    const Tensor numbers = arange(numel(plan.sizes)).view(plan.sizes);
    put(y, plan, numbers);
    return apply({"eq", kernels::Fn::kEq, kInt64, kBool}, {take(y, plan), numbers});
}

void check_index(const char* name, const Tensor& index) {
    if (index.dtype() == kInt64) return;
    fail<DTypeError>(name, ": the index must be int64, not ", index.dtype());
}

void check_bounds(const GatherPlan& plan) {
    for (const IndexedDim& dim : plan.indexed) {
        Shape sizes = plan.sizes;  // of the index: each element is looked at once
        for (std::size_t d = 0; d < sizes.size(); ++d) {
            if (dim.index.strides()[d] == 0) sizes[d] = 1;
        }
        const StridedRuns runs(sizes, dim.index.strides());
        const auto* index = reinterpret_cast<const int64_t*>(dim.index.raw());
        for (int64_t i = 0; i < runs.numel();) {
            const StridedRuns::Run run = runs.run(i);
            i += run.length;
            for (int64_t k = 0; k < run.length; ++k) {
                const int64_t value = index[run.offset + k * run.step];
                if (value < (dim.wraps ? -dim.size : 0) || value >= dim.size) fail_index(plan, dim, value);
            }
        }
    }
}

}  // namespace reel
