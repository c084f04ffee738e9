#include "tensor/iterate.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <numeric>

namespace reel {

namespace {

/// What an element is to a copy: its bytes.
template <class F>
void with_unit(std::int64_t itemsize, const F& f) {
    switch (itemsize) {
        case 1:
            return f(std::uint8_t{});
        case 2:
            return f(std::uint16_t{});
        case 4:
            return f(std::uint32_t{});
        default:
            return f(std::uint64_t{});
    }
}

template <class Unit>
void read_run(const Unit* from, std::int64_t step, std::int64_t count, Unit* dense) {
    if (step == 1) {
        std::memcpy(dense, from, static_cast<std::size_t>(count) * sizeof(Unit));
    } else if (step == 0) {
        std::fill_n(dense, count, *from);
    } else {
        for (std::int64_t i = 0; i < count; ++i) dense[i] = from[i * step];
    }
}

template <class Unit>
void write_run(Unit* to, std::int64_t step, std::int64_t count, const Unit* dense) {
    if (step == 1) {
        std::memcpy(to, dense, static_cast<std::size_t>(count) * sizeof(Unit));
    } else {
        for (std::int64_t i = 0; i < count; ++i) to[i * step] = dense[i];
    }
}

/// dense[r][c] = from[r + c · step] for whole rows: neighbours in memory become neighbours of a column. A
/// tile of 16 × 16 keeps the cache lines of both sides in L1.
template <class Unit>
void read_transposed(const Unit* from, std::int64_t step, std::int64_t rows, std::int64_t columns,
                     Unit* dense) {
    constexpr std::int64_t kTile = 16;
    for (std::int64_t r0 = 0; r0 < rows; r0 += kTile) {
        const std::int64_t r1 = std::min(rows, r0 + kTile);
        std::int64_t c0 = 0;
        for (; r1 - r0 == kTile && c0 + kTile <= columns; c0 += kTile) {
            Unit tile[kTile][kTile];
            for (std::int64_t c = 0; c < kTile; ++c) {
                const Unit* line = from + r0 + (c0 + c) * step;
                for (std::int64_t r = 0; r < kTile; ++r) tile[r][c] = line[r];
            }
            for (std::int64_t r = 0; r < kTile; ++r) {
                std::memcpy(dense + (r0 + r) * columns + c0, tile[r], sizeof(tile[r]));
            }
        }
        for (; c0 < columns; ++c0) {
            for (std::int64_t r = r0; r < r1; ++r) dense[r * columns + c0] = from[r + c0 * step];
        }
    }
}

}  // namespace

Walk::Walk(const Shape& sizes, const Shape& strides) {
    for (std::size_t i = sizes.size(); i-- > 0;) {
        numel_ *= sizes[i];
        if (sizes[i] == 1) continue;
        if (!sizes_.empty() && strides[i] == strides_.back() * sizes_.back()) {
            sizes_.back() *= sizes[i];
        } else {
            sizes_.push_back(sizes[i]);
            strides_.push_back(strides[i]);
        }
    }
    transposed_ = numel_ > 0 && sizes_.size() >= 2 && strides_[0] > 1 && strides_[1] == 1;
}

Walk::Run Walk::run(std::int64_t begin) const {
    if (sizes_.empty()) return {0, 1, 0};
    std::int64_t rest = begin / sizes_[0];
    const std::int64_t inner = begin - rest * sizes_[0];
    std::int64_t offset = inner * strides_[0];
    for (std::size_t d = 1; d < sizes_.size(); ++d) {
        const std::int64_t outer = rest / sizes_[d];
        offset += (rest - outer * sizes_[d]) * strides_[d];
        rest = outer;
    }
    return {offset, sizes_[0] - inner, strides_[0]};
}

void Walk::gather(std::int64_t itemsize, const std::byte* base, std::int64_t begin, std::int64_t count,
                  std::byte* dense) const {
    with_unit(itemsize, [&](auto unit) {
        using Unit = decltype(unit);
        const auto* from = reinterpret_cast<const Unit*>(base);
        auto* to = reinterpret_cast<Unit*>(dense);
        for (std::int64_t i = begin; i < begin + count;) {
            const Run here = run(i);
            const std::int64_t left = begin + count - i;
            if (transposed_ && here.length == sizes_[0] && left >= 2 * sizes_[0]) {
                // Whole rows, up to the end of the second dimension.
                const std::int64_t rows = std::min(left / sizes_[0], sizes_[1] - (i / sizes_[0]) % sizes_[1]);
                read_transposed(from + here.offset, here.step, rows, sizes_[0], to + (i - begin));
                i += rows * sizes_[0];
                continue;
            }
            const std::int64_t length = std::min(here.length, left);
            read_run(from + here.offset, here.step, length, to + (i - begin));
            i += length;
        }
    });
}

void Walk::scatter(std::int64_t itemsize, std::byte* base, std::int64_t begin, std::int64_t count,
                   const std::byte* dense) const {
    with_unit(itemsize, [&](auto unit) {
        using Unit = decltype(unit);
        auto* to = reinterpret_cast<Unit*>(base);
        const auto* from = reinterpret_cast<const Unit*>(dense);
        for (std::int64_t i = begin; i < begin + count;) {
            const Run here = run(i);
            const std::int64_t length = std::min(here.length, begin + count - i);
            write_run(to + here.offset, here.step, length, from + (i - begin));
            i += length;
        }
    });
}

Shape memory_order(const Shape& sizes, const Shape& strides) {
    Shape order = Shape::filled(sizes.size(), 0);
    std::iota(order.begin(), order.end(), 0);
    // A dimension of size 1 has no stride of its own: it goes with its right neighbour.
    Shape reach = strides;
    for (std::size_t i = sizes.size(); i-- > 0;) {
        reach[i] = sizes[i] != 1 ? std::abs(strides[i]) : i + 1 < sizes.size() ? reach[i + 1] : 0;
    }
    if (std::is_sorted(reach.begin(), reach.end(), std::greater<>())) return order;
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
        return reach[static_cast<std::size_t>(a)] > reach[static_cast<std::size_t>(b)];
    });
    return order;
}

}  // namespace reel
