#include "ops/softmax/fibre_driver.hpp"

#include <algorithm>
#include <cstdlib>

#include "ops/pointwise/dense_driver.hpp"
#include "tensor/stream.hpp"
#include "tensor/transpose.hpp"

namespace reel {

namespace {

using std::int64_t;

constexpr int64_t kGroupElements = 16384;  // elements of a group of rows: they fit in L2
constexpr int64_t kLongGather = 32;        // elements of a row from which it is worth a call of its own

Shape chosen(const Shape& values, const Shape& dims) {
    Shape result;
    for (int64_t dim : dims) result.push_back(values[dim]);
    return result;
}

/// to[f · to_fibre + e · to_element] = from[f · from_fibre + e · from_element].
template <class Unit>
void copy_plane(const Unit* from, int64_t from_fibre, int64_t from_element, Unit* to, int64_t to_fibre,
                int64_t to_element, int64_t fibres, int64_t elements) {
    if (from_element == 1 && to_fibre == 1) {
        kernels::transpose(from, from_fibre, elements, fibres, to, to_element);
    } else if (from_fibre == 1 && to_element == 1) {
        kernels::transpose(from, from_element, fibres, elements, to, to_fibre);
    } else if (from_fibre == 1 && to_fibre == 1) {
        for (int64_t e = 0; e < elements; ++e) {
            const Unit* row = from + e * from_element;
            Unit* copy = to + e * to_element;
            fetch_lines(row, kRowsAhead * from_element, fibres);
            fetch_lines(copy, kRowsAhead * to_element, fibres);
            std::copy_n(row, fibres, copy);
        }
    } else if (to_element == 1 && elements >= kLongGather) {
        const StridedRuns fibre({elements}, {from_element});
        for (int64_t f = 0; f < fibres; ++f)
            fibre.gather(sizeof(Unit), reinterpret_cast<const std::byte*>(from + f * from_fibre), 0, elements,
                         reinterpret_cast<std::byte*>(to + f * to_fibre));
    } else if (std::abs(from_element) <= std::abs(from_fibre)) {
        for (int64_t f = 0; f < fibres; ++f) {
            for (int64_t e = 0; e < elements; ++e)
                to[f * to_fibre + e * to_element] = from[f * from_fibre + e * from_element];
        }
    } else {
        for (int64_t e = 0; e < elements; ++e) {
            for (int64_t f = 0; f < fibres; ++f)
                to[f * to_fibre + e * to_element] = from[f * from_fibre + e * from_element];
        }
    }
}

}  // namespace

Fibres::Fibres(const Tensor& model, int64_t dim, int64_t kernels::Softmax::*long_row)
    : sizes_(model.sizes()), order_(dims_by_stride(model.sizes(), model.strides())), dim_(dim) {
    length_ = sizes_.empty() ? 1 : sizes_[dim];
    count_ = 1;
    bool innermost = true;
    for (int64_t d : order_) {
        innermost = d == dim || (innermost && sizes_[d] == 1);
        if (d == dim) continue;
        others_.push_back(d);
        count_ *= sizes_[d];
    }
    const bool is_long = length_ >= kernels::softmax(compute_dtype(model.dtype())).*long_row;
    grouping_ = innermost && (is_long || count_ == 1) ? kernels::kRows : kernels::kLanes;
    group_ = grouping_ == kernels::kRows
                 ? std::clamp<int64_t>(kGroupElements / std::max<int64_t>(length_, 1), 1, kernels::kMaxFibres)
                 : kernels::kMaxFibres;
}

StridedRuns Fibres::starts(const Tensor& x) const {
    return {chosen(sizes_, others_), chosen(x.strides(), others_)};
}

int64_t Fibres::element_stride(const Tensor& x) const { return length_ == 1 ? 1 : x.strides()[dim_]; }

Tensor Fibres::like(DType dtype) const { return empty_in_order(sizes_, order_, dtype); }

Tensor Fibres::listed(const Tensor& x, DType dtype) const {
    if (x.dtype() == dtype && x.is_contiguous() && std::is_sorted(others_.begin(), others_.end())) return x;
    // The dimensions of x after `dim` are one place further forward than the model's.
    Shape from = others_;
    for (int64_t& d : from) d -= d > dim_ ? 1 : 0;
    const Shape sizes = chosen(x.sizes(), from);
    const Tensor sorted =
        Tensor::make(x.impl().storage, x.dtype(), sizes, chosen(x.strides(), from), x.storage_offset());
    const Tensor list = dense(sorted, dtype);
    return Tensor::make(list.impl().storage, dtype, {count_}, {1}, list.storage_offset());
}

Tensor Fibres::unlisted(const Tensor& list, bool keepdim) const {
    const Shape dense_strides = contiguous_strides(chosen(sizes_, others_));
    Shape strides = Shape::filled(sizes_.size(), 1);
    for (std::size_t i = 0; i < others_.size(); ++i) strides[others_[i]] = dense_strides[i];
    Shape sizes = sizes_;
    if (!sizes.empty() && keepdim) sizes[dim_] = 1;
    if (!sizes.empty() && !keepdim) {
        sizes.erase(dim_);
        strides.erase(dim_);
    }
    return Tensor::make(list.impl().storage, list.dtype(), sizes, strides, list.storage_offset());
}

Shape Fibres::index(int64_t fibre) const {
    Shape place = sizes_;
    for (std::size_t i = others_.size(); i-- > 0;) {
        const int64_t size = sizes_[others_[i]];
        place[others_[i]] = fibre % size;
        fibre /= size;
    }
    if (!place.empty()) place.erase(dim_);
    return place;
}

FibreReader::FibreReader(const Fibres& fibres, const Tensor& x, DType compute, bool reads_once)
    : base_(x.raw()),
      stored_(x.dtype()),
      compute_(compute),
      grouping_(fibres.grouping()),
      length_(fibres.length()),
      element_(fibres.element_stride(x)),
      starts_(fibres.starts(x)),
      converts_rows_(stored_ != compute_ && grouping_ == kernels::kRows && element_ == 1 &&
                     (length_ >= kLongGather || starts_.run(0).step == length_)),
      reads_once_(reads_once) {}

kernels::Panel FibreReader::in_place(int64_t first, int64_t count) const {
    const kernels::Panel none{nullptr, 0};
    if (stored_ != compute_) return none;
    const StridedRuns::Run run = starts_.run(first);
    if (run.length < count) return none;
    const kernels::Panel here{base_ + run.offset * itemsize(stored_),
                              grouping_ == kernels::kRows ? run.step : element_};
    if (grouping_ == kernels::kRows) return element_ == 1 ? here : none;
    // Lines a page apart push each other out of the caches, which are read several times: 1024 x 1024 along dim 0 takes 2.3 ms,
    // copied 1.7 (AMD EPYC, Zen 3).
    constexpr int64_t kWays = 16;  // so many of them have a place, at most
    if (!reads_once_ && length_ > kWays && element_ * itemsize(stored_) % kernels::kPage == 0) return none;
    return count == 1 || run.step == 1 ? here : none;
}

kernels::Panel FibreReader::buffer(int64_t count) {
    const auto room = [&](Scratch& memory, DType dtype) {
        const int64_t bytes = count * length_ * itemsize(dtype);
        if (memory.size() < bytes) memory = Scratch(bytes);
    };
    if (!converts_rows_) room(gathered_, stored_);
    if (stored_ != compute_) room(converted_, compute_);
    const Scratch& dense = stored_ == compute_ ? gathered_ : converted_;
    return {dense.data(), grouping_ == kernels::kRows ? length_ : count};
}

/// copy(place in the tensor, its step from fibre to fibre, place in the dense group, fibres).
void FibreReader::for_each_run(int64_t first, int64_t count, const auto& copy) const {
    for (int64_t done = 0; done < count;) {
        const StridedRuns::Run run = starts_.run(first + done);
        const int64_t fibres = std::min(run.length, count - done);
        copy(run.offset, run.step, grouping_ == kernels::kRows ? done * length_ : done, fibres);
        done += fibres;
    }
}

/// f(elements, place of dense rows in the tensor, their place in the converted group).
void FibreReader::for_each_row(int64_t first, int64_t count, const auto& f) const {
    for_each_run(first, count, [&](int64_t offset, int64_t step, int64_t place, int64_t fibres) {
        if (step == length_)
            return f(fibres * length_, base_ + offset * itemsize(stored_),
                     converted_.data() + place * itemsize(compute_));
        for (int64_t k = 0; k < fibres; ++k)
            f(length_, base_ + (offset + k * step) * itemsize(stored_),
              converted_.data() + (place + k * length_) * itemsize(compute_));
    });
}

kernels::ConstPanel FibreReader::read(int64_t first, int64_t count) {
    if (const kernels::Panel here = in_place(first, count); here.data) return {here.data, here.stride};
    const kernels::Panel panel = buffer(count);
    if (converts_rows_) {
        const kernels::Convert convert = kernels::convert(stored_, compute_);
        for_each_row(first, count,
                     [&](int64_t n, std::byte* row, std::byte* dense) { convert(n, row, dense); });
        return {panel.data, panel.stride};
    }
    const int64_t dense_fibre = grouping_ == kernels::kRows ? length_ : 1;
    const int64_t dense_element = grouping_ == kernels::kRows ? 1 : count;
    with_unit(itemsize(stored_), [&](auto unit) {
        using Unit = decltype(unit);
        const auto* from = reinterpret_cast<const Unit*>(base_);
        auto* to = reinterpret_cast<Unit*>(gathered_.data());
        for_each_run(first, count, [&](int64_t offset, int64_t step, int64_t place, int64_t fibres) {
            copy_plane(from + offset, step, element_, to + place, dense_fibre, dense_element, fibres,
                       length_);
        });
    });
    if (stored_ != compute_)
        kernels::convert(stored_, compute_)(count * length_, gathered_.data(), converted_.data());
    return {panel.data, panel.stride};
}

kernels::Panel FibreWriter::place(int64_t first, int64_t count) {
    kernels::Panel panel = lines_.in_place(first, count);
    in_place_ = panel.data;
    if (!in_place_) return lines_.buffer(count);
    panel.streams = lines_.starts_.numel() * lines_.length_ * itemsize(lines_.stored_) >= kStreamed;
    return panel;
}

void FibreWriter::finish(int64_t first, int64_t count) {
    FibreReader& y = lines_;
    if (in_place_) return;
    if (y.converts_rows_) {
        const kernels::Convert convert = kernels::convert(y.compute_, y.stored_);
        y.for_each_row(first, count,
                       [&](int64_t n, std::byte* row, std::byte* dense) { convert(n, dense, row); });
        return;
    }
    if (y.stored_ != y.compute_)
        kernels::convert(y.compute_, y.stored_)(count * y.length_, y.converted_.data(), y.gathered_.data());
    const int64_t dense_fibre = y.grouping_ == kernels::kRows ? y.length_ : 1;
    const int64_t dense_element = y.grouping_ == kernels::kRows ? 1 : count;
    with_unit(itemsize(y.stored_), [&](auto unit) {
        using Unit = decltype(unit);
        auto* to = reinterpret_cast<Unit*>(y.base_);
        const auto* from = reinterpret_cast<const Unit*>(y.gathered_.data());
        y.for_each_run(first, count, [&](int64_t offset, int64_t step, int64_t place, int64_t fibres) {
            copy_plane(from + place, dense_fibre, dense_element, to + offset, step, y.element_, fibres,
                       y.length_);
        });
    });
}

}  // namespace reel
