#include "tensor/iterate.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "tensor/stream.hpp"
#include "tensor/transpose.hpp"

namespace reel {

namespace {

/// Equal bytes are the library's business: it knows the widest stores, and when to go past the caches.
template <class Unit>
[[gnu::noinline]] void fill_run(Unit value, std::int64_t count, Unit* dense) {
    const auto byte = static_cast<std::uint8_t>(value);
    Unit repeated;
    std::memset(&repeated, byte, sizeof(Unit));
    if (repeated == value) {
        std::memset(dense, byte, static_cast<std::size_t>(count) * sizeof(Unit));
        return;
    }
    constexpr std::int64_t kFirst = 256 / sizeof(Unit);
    constexpr std::int64_t kBlock = 4096 / sizeof(Unit);  // stays in L1 while it is copied
    std::int64_t done = std::min(kFirst, count);
    std::fill_n(dense, done, value);
    while (done < count) {
        const std::int64_t more = std::min({done, kBlock, count - done});
        std::memcpy(dense + done, dense, static_cast<std::size_t>(more) * sizeof(Unit));
        done += more;
    }
}

/// Every `kStep`th element: a step that the compiler knows it can make vectors for.
template <std::int64_t kStep, class Unit>
void read_every(const Unit* from, std::int64_t count, Unit* dense) {
    constexpr std::int64_t kBlock = 2 * kLine / sizeof(Unit);
    std::int64_t i = 0;
    for (; i + kBlock <= count; i += kBlock) {
        const std::int64_t first = kStep > 0 ? i * kStep : (i + kBlock - 1) * kStep - 2 * kReadAhead<Unit>;
        fetch_ahead(from, first, kBlock * std::abs(kStep));
        for (std::int64_t k = i; k < i + kBlock; ++k) dense[k] = from[k * kStep];
    }
    for (; i < count; ++i) dense[i] = from[i * kStep];
}

/// Elements that are any `step` apart. Those in lines of their own are fetched as rows are.
template <class Unit>
void read_apart(const Unit* from, std::int64_t step, std::int64_t count, Unit* dense) {
    const bool shares_lines = std::abs(step) * static_cast<std::int64_t>(sizeof(Unit)) <= kLine;
    const std::int64_t ahead = shares_lines ? kReadAhead<Unit> / std::abs(step) : kRowsAhead;
    for (std::int64_t i = 0; i < count; ++i) {
        prefetch(from, (i + ahead) * step);
        dense[i] = from[i * step];
    }
}

template <class Unit>
void read_run(const Unit* from, std::int64_t step, std::int64_t count, Unit* dense, bool streams) {
    if (step == 1) {
        copy_bytes(dense, from, count * static_cast<std::int64_t>(sizeof(Unit)), streams);
    } else if (step == 0) {
        fill_run(*from, count, dense);
    } else if (step == 2) {
        read_every<2>(from, count, dense);
    } else if (step == -1) {
        read_every<-1>(from, count, dense);
    } else {
        read_apart(from, step, count, dense);
    }
}

template <class Unit>
void write_run(Unit* to, std::int64_t step, std::int64_t count, const Unit* dense) {
    if (step == 1) {
        copy_bytes(to, dense, count * static_cast<std::int64_t>(sizeof(Unit)));
    } else {
        for (std::int64_t i = 0; i < count; ++i) to[i * step] = dense[i];
    }
}

Shape as_they_are(std::size_t dims) {
    Shape order;
    for (std::size_t d = 0; d < dims; ++d) order.push_back(static_cast<std::int64_t>(d));
    return order;
}

}  // namespace

void repeat_element(std::int64_t itemsize, const std::byte* value, std::int64_t count, std::byte* dense) {
    with_unit(itemsize, [&](auto unit) {
        std::memcpy(&unit, value, sizeof(unit));
        fill_run(unit, count, reinterpret_cast<decltype(unit)*>(dense));
    });
}

StridedRuns::StridedRuns(const Shape& sizes, const Shape& strides)
    : StridedRuns(sizes, strides, as_they_are(sizes.size())) {}

StridedRuns::StridedRuns(const Shape& sizes, const Shape& strides, const Shape& order) {
    for (std::size_t i = order.size(); i-- > 0;) {
        const std::int64_t size = sizes[order[i]];
        const std::int64_t stride = strides[order[i]];
        numel_ *= size;
        if (size == 1) continue;
        if (!sizes_.empty() && stride == strides_.back() * sizes_.back()) {
            sizes_.back() *= size;
        } else {
            sizes_.push_back(size);
            strides_.push_back(stride);
        }
    }
    if (numel_ == 0 || sizes_.size() < 2 || strides_[0] <= 1) return;
    const std::int64_t* dense = std::find(strides_.begin(), strides_.end(), 1);
    if (dense != strides_.end()) dense_ = static_cast<std::size_t>(dense - strides_.begin());
}

StridedRuns::Run StridedRuns::run(std::int64_t begin) const {
    if (sizes_.empty()) return {0, 1, 0};
    if (begin == 0) return {0, sizes_[0], strides_[0]};
    // The outermost dimension has nothing outside: no division, which an operation would pay for every block.
    std::int64_t rest = begin;
    std::int64_t inner = begin;
    std::int64_t offset = 0;
    for (std::size_t d = 0; d + 1 < sizes_.size(); ++d) {
        const std::int64_t outer = rest / sizes_[d];
        const std::int64_t index = rest - outer * sizes_[d];
        if (d == 0) inner = index;
        offset += index * strides_[d];
        rest = outer;
    }
    offset += rest * strides_.back();
    return {offset, sizes_[0] - inner, strides_[0]};
}

StridedRuns::Rows StridedRuns::rows(std::int64_t row, std::int64_t length) const {
    const Run here = run(row * length);
    if (here.length > length) return {here.offset, here.length / length, length * here.step};
    if (sizes_.size() < 2 || sizes_[0] != length) return {here.offset, 1, 0};
    return {here.offset, sizes_[1] - row % sizes_[1], strides_[1]};
}

void StridedRuns::gather(std::int64_t itemsize, const std::byte* base, std::int64_t begin, std::int64_t count,
                         std::byte* dense) const {
    with_unit(itemsize, [&](auto unit) {
        using Unit = decltype(unit);
        const auto* from = reinterpret_cast<const Unit*>(base);
        auto* to = reinterpret_cast<Unit*>(dense);
        // A whole tensor, or a thread's part of it; a block to be read at once stays in cache.
        const bool is_large = numel_ * itemsize >= kStreamed && count * itemsize >= kStreamed / 8;
        const bool streams = is_large && (is_transposed() || numel_ * itemsize >= kStreamedCopy);
        const bool fetches =
            is_large && sizes_.size() > 1 && strides_[0] == 1 && sizes_[0] * itemsize <= 1024;
        for (std::int64_t i = begin; i < begin + count;) {
            const Run here = run(i);
            const std::int64_t left = begin + count - i;
            if (here.length == sizes_[0] && left >= 2 * sizes_[0]) {
                // Whole rows, up to the end of the second dimension.
                const Rows whole = rows(i / sizes_[0], sizes_[0]);
                const std::int64_t many = std::min(whole.count, left / sizes_[0]);
                if (is_transposed()) {
                    transpose(from + here.offset, here.step, many, sizes_[0], to + (i - begin), sizes_[0],
                              streams);
                } else {
                    for (std::int64_t row = 0; row < many; ++row) {
                        const Unit* first = from + here.offset + row * whole.stride;
                        if (fetches) fetch_lines(first, kRowsAhead * whole.stride, sizes_[0]);
                        read_run(first, here.step, sizes_[0], to + (i - begin) + row * sizes_[0], streams);
                    }
                }
                i += many * sizes_[0];
                continue;
            }
            const std::int64_t length = std::min(here.length, left);
            read_run(from + here.offset, here.step, length, to + (i - begin), streams);
            i += length;
        }
        if (streams) finish_stream();
    });
}

void StridedRuns::gather_planes(std::int64_t itemsize, const std::byte* base, std::int64_t first,
                                std::int64_t last, std::byte* dense) const {
    Shape steps;  // in dense memory
    std::int64_t step = 1;
    for (std::int64_t size : sizes_) {
        steps.push_back(step);
        step *= size;
    }
    with_unit(itemsize, [&](auto unit) {
        using Unit = decltype(unit);
        for (std::int64_t plane = first; plane < last; ++plane) {
            const auto* from = reinterpret_cast<const Unit*>(base);
            auto* to = reinterpret_cast<Unit*>(dense);
            std::int64_t rest = plane;
            for (std::size_t d = 1; d < sizes_.size(); ++d) {
                if (d == dense_) continue;
                from += rest % sizes_[d] * strides_[d];
                to += rest % sizes_[d] * steps[d];
                rest /= sizes_[d];
            }
            transpose(from, strides_[0], sizes_[dense_], sizes_[0], to, steps[dense_],
                      numel_ * itemsize >= kStreamed);
        }
    });
}

void StridedRuns::scatter(std::int64_t itemsize, std::byte* base, std::int64_t begin, std::int64_t count,
                          const std::byte* dense) const {
    with_unit(itemsize, [&](auto unit) {
        using Unit = decltype(unit);
        auto* to = reinterpret_cast<Unit*>(base);
        const auto* from = reinterpret_cast<const Unit*>(dense);
        for (std::int64_t i = begin; i < begin + count;) {
            const Run here = run(i);
            const std::int64_t left = begin + count - i;
            if (here.length == sizes_[0] && left >= 2 * sizes_[0]) {
                const Rows whole = rows(i / sizes_[0], sizes_[0]);
                const std::int64_t many = std::min(whole.count, left / sizes_[0]);
                for (std::int64_t row = 0; row < many; ++row, i += sizes_[0])
                    write_run(to + whole.offset + row * whole.stride, here.step, sizes_[0],
                              from + (i - begin));
                continue;
            }
            const std::int64_t length = std::min(here.length, left);
            write_run(to + here.offset, here.step, length, from + (i - begin));
            i += length;
        }
    });
}

Shape dims_by_stride(const Shape& sizes, const Shape& strides) {
    Shape order = as_they_are(sizes.size());
    // A dimension of size 1, or one that repeats the same memory, has no place of its own: it stays, and the
    // others are sorted among themselves.
    const auto is_placed = [&](std::size_t d) { return sizes[d] != 1 && strides[d] != 0; };
    bool sorted_already = true;
    std::int64_t before = std::numeric_limits<std::int64_t>::max();
    for (std::size_t d = 0; d < sizes.size() && sorted_already; ++d) {
        if (!is_placed(d)) continue;
        sorted_already = std::abs(strides[d]) <= before;
        before = std::abs(strides[d]);
    }
    if (sorted_already) return order;
    Shape placed;
    for (std::size_t d = 0; d < sizes.size(); ++d) {
        if (is_placed(d)) placed.push_back(static_cast<std::int64_t>(d));
    }
    // The longer stride first, the earlier of equals.
    const auto outer = [&](std::int64_t a, std::int64_t b) {
        const std::int64_t at_a = std::abs(strides[a]);
        const std::int64_t at_b = std::abs(strides[b]);
        return at_a != at_b ? at_a > at_b : a < b;
    };
    Shape sorted = placed;
    std::sort(sorted.begin(), sorted.end(), outer);
    for (std::size_t i = 0; i < placed.size(); ++i) order[placed[i]] = sorted[i];
    return order;
}

}  // namespace reel
