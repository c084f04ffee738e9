/// \file
/// How an operation along one dimension meets tensors. A *fibre* is what a tensor shows along that dimension;
/// kernels see groups of fibres, dense (`kernels::Panel`). What they compute is in `kernels/softmax.cpp`.
///
/// Note [Rows and lanes]
/// Where the dimension is innermost in memory and long, a kernel takes one fibre after the other, a vector of
/// it at a time: a group of *rows*. Elsewhere it takes many fibres side by side, one in each lane of a
/// vector: a group of *lanes*. They are used where they are if they are dense so; else (short rows, odd
/// strides, 16-bit types) the group is copied to a buffer that stays in cache. So no layout costs a copy of
/// the tensor, and a fibre's result does not depend on its neighbours. With AVX2 most kernels put short rows side by side
/// themselves (`kernels/short_rows.hpp`).
#pragma once

#include "ops/kernels/table.hpp"
#include "tensor/iterate.hpp"
#include "tensor/parallel.hpp"
#include "tensor/scratch.hpp"
#include "tensor/tensor.hpp"

namespace reel {

/// An element's work, as `parallel_for` counts it: with its exponential and its part in the sums it takes four to seven times
/// as long as an addition (8192 rows of 64 in 0.4 ms; Intel Xeon, model 207, AVX-512).
inline constexpr std::int64_t kFibreWork = 4;

/// The fibres of a shape along (wrapped) `dim`, in the order in which the memory of `model` is best walked.
class Fibres {
public:
    Fibres(const Tensor& model, std::int64_t dim,
           std::int64_t kernels::Softmax::*long_row = &kernels::Softmax::long_row);

    std::int64_t length() const { return length_; }
    std::int64_t count() const { return count_; }
    kernels::Grouping grouping() const { return grouping_; }

    /// The places of the fibres' first elements in a tensor of the model's shape.
    StridedRuns starts(const Tensor& x) const;
    std::int64_t element_stride(const Tensor& x) const;
    /// A new tensor of the model's shape, laid out in memory in the fibres' order.
    Tensor like(DType dtype) const;
    /// One number for each fibre, dense in the fibres' order, from a tensor that has the model's shape without
    /// `dim`: that tensor itself where it is so.
    Tensor listed(const Tensor& x, DType dtype) const;
    /// The reverse.
    Tensor unlisted(const Tensor& list, bool keepdim) const;
    /// The index of a fibre in the model's shape without `dim`.
    Shape index(std::int64_t fibre) const;

    /// Calls work(first, count) for groups that cover all fibres, on several threads, each of which makes its own
    /// `work = make()`.
    void for_each_group(const auto& make) const {
        if (length_ == 0) return;
        parallel_for(count_, group_, kFibreWork * length_, [&](std::int64_t begin, std::int64_t end) {
            auto work = make();
            for (std::int64_t i = begin; i < end; i += group_) work(i, std::min(group_, end - i));
        });
    }

private:
    Shape sizes_;   // of the model
    Shape order_;   // its dimensions, outermost in memory first
    Shape others_;  // the same without `dim`
    std::int64_t dim_;
    std::int64_t length_;
    std::int64_t count_;
    std::int64_t group_;
    kernels::Grouping grouping_;
};

/// f of a 0 of the type that kernels compute in.
void with_floating(DType dtype, const auto& f) { dtype == kFloat64 ? f(double{}) : f(float{}); }

/// Reads a tensor of the fibres' shape by groups. Each thread needs one of its own.
class FibreReader {
public:
    FibreReader(const Fibres& fibres, const Tensor& x, DType compute, bool reads_once = false);
    kernels::ConstPanel read(std::int64_t first, std::int64_t count);

private:
    friend class FibreWriter;
    /// Where the group is dense in the tensor; null where it is not.
    kernels::Panel in_place(std::int64_t first, std::int64_t count) const;
    kernels::Panel buffer(std::int64_t count);
    void for_each_run(std::int64_t first, std::int64_t count, const auto& copy) const;
    void for_each_row(std::int64_t first, std::int64_t count, const auto& f) const;

    std::byte* base_;
    DType stored_;
    DType compute_;
    kernels::Grouping grouping_;
    std::int64_t length_;
    std::int64_t element_;
    StridedRuns starts_;
    bool converts_rows_;  ///< dense rows of another type, where they are
    bool reads_once_;
    Scratch gathered_;
    Scratch converted_;
};

/// Writes one, in the same way.
class FibreWriter {
public:
    FibreWriter(const Fibres& fibres, const Tensor& y, DType compute, bool writes_once = false)
        : lines_(fibres, y, compute, writes_once) {}
    /// Where a kernel shall write the group.
    kernels::Panel place(std::int64_t first, std::int64_t count);
    /// Brings it to where it belongs.
    void finish(std::int64_t first, std::int64_t count);

private:
    FibreReader lines_;
    bool in_place_ = false;
};

}  // namespace reel
