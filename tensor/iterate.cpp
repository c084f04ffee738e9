#include "tensor/iterate.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "tensor/copy.hpp"
#include "tensor/transpose.hpp"
#include "tensor/wide.hpp"

namespace reel {

namespace {

/// Eight bytes, so often. The processor's own loop writes whole lines: 4 MB in 54 us, and in 74 by copies of the widest vectors
/// (AMD EPYC, Zen 4).
inline void fill_words(std::uint64_t word, std::int64_t count, std::byte* to) {
#if defined(__x86_64__) && !defined(REEL_SANITIZED)
    asm volatile("rep stosq" : "+D"(to), "+c"(count) : "a"(word) : "memory");
#else
    for (; count > 0; --count, to += sizeof(word)) std::memcpy(to, &word, sizeof(word));
#endif
}

/// Bytes from which that loop is as fast as wide vectors.
constexpr std::int64_t kLongFill = 4096;

template <class Unit>
[[gnu::noinline]] void fill_run(Unit value, std::int64_t count, Unit* dense) {
    constexpr std::int64_t kUnits = sizeof(std::uint64_t) / sizeof(Unit);
    constexpr std::int64_t kLong = 1024 / sizeof(Unit);  // less is written before that loop has begun
    if (count >= kLong) {
        Unit word[kUnits];
        std::fill_n(word, kUnits, value);
        fill_words(std::bit_cast<std::uint64_t>(word), count / kUnits, reinterpret_cast<std::byte*>(dense));
        dense += count / kUnits * kUnits;
        count %= kUnits;
    }
    std::fill_n(dense, count, value);
}

/// Each element `times` over. Whole blocks are written, and what is too much by the next element again; but for the last ones.
template <class Unit>
[[gnu::noinline]] void repeat_each(const Unit* from, std::int64_t step, std::int64_t count,
                                   std::int64_t times, Unit* dense) {
    if (repeat_wide(from, step, count, times, dense)) return;
    constexpr auto kSize = static_cast<std::int64_t>(sizeof(Unit));
    if (times * kSize >= kShortCopy) {
        for (std::int64_t i = 0; i < count; ++i, dense += times) fill_run(from[i * step], times, dense);
        return;
    }
    constexpr std::int64_t kBlock = 16 / kSize;
    const auto write = [](Unit value, Unit* to) {
        Unit block[kBlock];
        std::fill_n(block, kBlock, value);
        std::memcpy(to, block, sizeof(block));
    };
    const std::int64_t whole = count - (kBlock + times - 1) / times;
    std::int64_t i = 0;
    if (times <= kBlock) {
#pragma GCC unroll 4
        for (; i < whole; ++i, dense += times) write(from[i * step], dense);
    }
    for (; i < whole; ++i, dense += times)
        for (std::int64_t k = 0; k < times; k += kBlock) write(from[i * step], dense + k);
    for (; i < count; ++i, dense += times) std::fill_n(dense, times, from[i * step]);
}

/// Elements that are `step` apart. Of a step that the compiler knows it makes vectors; of any other four are read before one is
/// written.
template <class Unit, class Step>
void read_every(const Unit* from, Step step, std::int64_t count, Unit* dense) {
    std::int64_t i = 0;
    if constexpr (std::is_same_v<Step, std::int64_t>) {
        for (; i + 4 <= count; i += 4, from += 4 * step) {
            const Unit four[] = {from[0], from[step], from[2 * step], from[3 * step]};
            std::memcpy(dense + i, four, sizeof(four));
        }
        dense += i;
        count -= i;
    }
    for (i = 0; i < count; ++i) dense[i] = from[i * step];
}

template <class Unit>
void read_run(const Unit* from, std::int64_t step, std::int64_t count, Unit* dense, bool streams) {
    if (step == 1) {
        copy_bytes(dense, from, count * static_cast<std::int64_t>(sizeof(Unit)), streams);
    } else if (step == 0) {
        fill_run(*from, count, dense);
    } else if (step == 2) {
        read_every(from, std::integral_constant<std::int64_t, 2>(), count, dense);
    } else if (step == 4) {
        read_every(from, std::integral_constant<std::int64_t, 4>(), count, dense);
    } else if (step == -1) {
        read_every(from, std::integral_constant<std::int64_t, -1>(), count, dense);
    } else {
        read_every(from, step, count, dense);
    }
}

/// Four are read before one is written: two of them leave at once (4 MB into every second of 8 in 0.30 ms, not 0.37; AMD EPYC,
/// Zen 4).
template <class Unit>
void write_run(Unit* to, std::int64_t step, std::int64_t count, const Unit* dense) {
    for (; count >= 4; count -= 4, dense += 4, to += 4 * step) {
        const Unit a = dense[0], b = dense[1], c = dense[2], d = dense[3];
        to[0] = a;
        to[step] = b;
        to[2 * step] = c;
        to[3 * step] = d;
    }
    for (std::int64_t i = 0; i < count; ++i) to[i * step] = dense[i];
}

/// Rows of `bytes` bytes, so many bytes apart, joined in cache before they are streamed.
[[gnu::noinline]] void join_rows(const std::byte* from, std::int64_t step, std::int64_t rows,
                                 std::int64_t bytes, std::byte* dense) {
    alignas(kLine) std::byte joined[kJoined];
    const std::int64_t block = kJoined / bytes;
    for (std::int64_t row = 0; row < rows; row += block) {
        const std::int64_t many = std::min(block, rows - row);
        copy_rows(joined, bytes, from + row * step, step, many, bytes);
        copy_bytes(dense + row * bytes, joined, many * bytes, true);
    }
}

/// Dense rows that lie `step` bytes apart. Those that overlap, or are one row again and again, are in L1: 4 MB of one row of 4 KB
/// take 57 us by wide vectors, not 75, windows of 256 bytes 60, not 84; but a row four times over is copied before these are
/// under way (AMD EPYC, Zen 4).
void read_rows(const std::byte* from, std::int64_t step, std::int64_t rows, std::int64_t bytes,
               std::byte* dense, bool streams) {
    constexpr std::int64_t kNear = 8192;
    if (streams && bytes < kShortCopy) return join_rows(from, step, rows, bytes, dense);
    const bool are_near = std::abs(step) < bytes && bytes <= kNear && rows * bytes >= kNear;
    if (are_near && !streams && copy_wide(dense, bytes, from, step, rows, bytes)) return;
    copy_rows(dense, bytes, from, step, rows, bytes, streams);
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

void read_apart(std::int64_t itemsize, const std::byte* from, std::int64_t step, std::int64_t count,
                std::byte* dense) {
    with_unit(itemsize, [&](auto unit) {
        using Unit = decltype(unit);
        read_run(reinterpret_cast<const Unit*>(from), step, count, reinterpret_cast<Unit*>(dense), false);
    });
}

void write_apart(std::int64_t itemsize, std::byte* to, std::int64_t step, std::int64_t count,
                 const std::byte* dense) {
    with_unit(itemsize, [&](auto unit) {
        using Unit = decltype(unit);
        write_run(reinterpret_cast<Unit*>(to), step, count, reinterpret_cast<const Unit*>(dense));
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

void StridedRuns::walk(std::int64_t begin, std::int64_t count, const auto& f) const {
    if (sizes_.empty()) {
        if (count > 0) f(Rows{0, 1, 0}, Run{0, 1, 1}, 0);
        return;
    }
    // Where an element is in each dimension; only the first one's place takes divisions.
    Shape index = Shape::filled(sizes_.size(), 0);
    std::int64_t offset = 0;
    std::int64_t rest = begin;
    for (std::size_t d = 0; d < sizes_.size() && rest > 0; ++d) {
        const std::int64_t outer = d + 1 < sizes_.size() ? rest / sizes_[d] : 0;
        index[d] = rest - outer * sizes_[d];
        offset += index[d] * strides_[d];
        rest = outer;
    }
    const auto advance = [&](std::size_t d, std::int64_t places) {
        for (offset += places * strides_[d]; (index[d] += places) == sizes_[d] && d + 1 < sizes_.size();
             places = 1) {
            index[d] = 0;
            offset += strides_[d + 1] - sizes_[d] * strides_[d];
            ++d;
        }
    };
    for (std::int64_t done = 0; done < count;) {
        const std::int64_t left = count - done;
        if (sizes_.size() > 1 && index[0] == 0 && left >= 2 * sizes_[0]) {
            std::int64_t many = sizes_[1] - index[1];
            if (many * sizes_[0] > left) many = left / sizes_[0];
            f(Rows{offset, many, strides_[1]}, Run{offset, sizes_[0], strides_[0]}, done);
            advance(1, many);
            done += many * sizes_[0];
        } else {
            const std::int64_t length = std::min(sizes_[0] - index[0], left);
            f(Rows{offset, 1, 0}, Run{offset, length, strides_[0]}, done);
            advance(0, length);
            done += length;
        }
    }
}

void StridedRuns::offsets(std::int64_t begin, std::int64_t count, std::int64_t* to) const {
    walk(begin, count, [&](const Rows& rows, const Run& row, std::int64_t done) {
        for (std::int64_t i = 0; i < rows.count; ++i)
            for (std::int64_t k = 0; k < row.length; ++k)
                to[done++] = rows.offset + i * rows.stride + k * row.step;
    });
}

void StridedRuns::gather(std::int64_t itemsize, const std::byte* base, std::int64_t begin, std::int64_t count,
                         std::byte* dense) const {
    // A whole tensor, or a thread's part of it; a block to be read at once stays in cache.
    const bool is_large = numel_ * itemsize >= kStreamed && count * itemsize >= kStreamed / 8;
    const bool streams = is_large && (is_transposed() || numel_ * itemsize >= kStreamedCopy);
    with_unit(itemsize, [&](auto unit) {
        using Unit = decltype(unit);
        walk(begin, count, [&](const Rows& rows, const Run& row, std::int64_t done) {
            const Unit* from = reinterpret_cast<const Unit*>(base) + rows.offset;
            Unit* to = reinterpret_cast<Unit*>(dense) + done;
            if (rows.count > 1 && is_transposed()) {
                transpose(from, row.step, rows.count, row.length, to, row.length, streams);
            } else if (rows.count > 1 && row.step == 1) {
                read_rows(reinterpret_cast<const std::byte*>(from), rows.stride * itemsize, rows.count,
                          row.length * itemsize, reinterpret_cast<std::byte*>(to), streams);
            } else if (row.step == 0 && row.length * itemsize < kLongFill) {
                repeat_each(from, rows.stride, rows.count, row.length, to);
            } else {
                for (std::int64_t i = 0; i < rows.count; ++i)
                    read_run(from + i * rows.stride, row.step, row.length, to + i * row.length, streams);
            }
        });
    });
    if (streams) finish_stream();
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
        walk(begin, count, [&](const Rows& rows, const Run& row, std::int64_t done) {
            Unit* to = reinterpret_cast<Unit*>(base) + rows.offset;
            const Unit* from = reinterpret_cast<const Unit*>(dense) + done;
            const std::int64_t bytes = row.length * itemsize;
            if (row.step == 1) {
                copy_rows(reinterpret_cast<std::byte*>(to), rows.stride * itemsize,
                          reinterpret_cast<const std::byte*>(from), bytes, rows.count, bytes);
                return;
            }
            for (std::int64_t i = 0; i < rows.count; ++i, to += rows.stride, from += row.length)
                write_run(to, row.step, row.length, from);
        });
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
