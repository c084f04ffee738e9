/// \file
/// Rows of operands that a kernel takes where they are, of `strided_driver.cpp`: dense, a number each, or of elements that share
/// lines of memory.
#pragma once

#include "ops/pointwise/strided_driver.hpp"
#include "tensor/iterate.hpp"

namespace reel {

/// An operand on its way into a kernel: converted from the type stored, by way of another where it is rounded to
/// that one first, to the type wanted.
struct Source {
    const std::byte* base = nullptr;
    DType stored = kBool;
    DType rounded = kBool;
    DType wanted = kBool;
    StridedRuns runs;

    bool is_direct() const { return stored == wanted && rounded == wanted; }
    bool is_rounded() const { return stored != rounded && rounded != wanted; }
    /// Converts elements; `between` holds as many of the type they are rounded to.
    void convert(std::int64_t count, const void* from, void* between, void* to) const {
        if (is_rounded()) {
            kernels::convert(stored, rounded)(count, from, between);
            kernels::convert(rounded, wanted)(count, between, to);
        } else {
            kernels::convert(stored, wanted)(count, from, to);
        }
    }
};

/// Where a kernel's results go.
struct Sink {
    std::byte* base;
    DType computed;
    DType stored;
    StridedRuns runs;
};

/// Writes f of `count` operands to the sink row after row; without a loop, the one operand itself. False, and nothing is done,
/// where they are not rows that are worth it.
bool run_rows(const Sink& sink, const Source* sources, std::size_t count, const Elementwise& f,
              kernels::Loop loop);

}  // namespace reel
