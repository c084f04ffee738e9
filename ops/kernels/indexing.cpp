// Rows at listed offsets: the loops of index, gather, scatter and masks. Offsets and rows count in elements.
#include <algorithm>
#include <cstring>

#include "ops/kernels/simd.hpp"
#include "ops/kernels/wrapping.hpp"
#include "tensor/copy.hpp"

namespace reel::kernels::REEL_SET {

namespace {

using std::int64_t;
using std::uint64_t;

/// offsets[i] = start(i) + stride · index[i]. A stride of 1 is known as one: few machines have vectors of 64-bit
/// products.
int64_t locate_by(auto stride, const auto& start, int64_t n, const int64_t* index, int64_t size, int64_t end,
                  int64_t* offsets) {
    const auto outside = [&](int64_t place) {
        return static_cast<uint64_t>(place) >= static_cast<uint64_t>(size);
    };
    const auto wrapped = [&](int64_t i) { return index[i] + (end & (index[i] >> 63)); };
    uint64_t bad = 0;
    for (int64_t i = 0; i < n; ++i) {
        bad |= static_cast<uint64_t>(outside(wrapped(i)));
        offsets[i] = plus(start(i), times<int64_t>(wrapped(i), stride));  // of a bad index anything
    }
    if (!bad) return n;
    int64_t first = 0;
    while (!outside(wrapped(first))) ++first;
    return first;
}

int64_t locate_from(const auto& start, int64_t n, const int64_t* index, int64_t size, int64_t end,
                    int64_t stride, int64_t* offsets) {
    if (stride != 1) return locate_by(stride, start, n, index, size, end, offsets);
    return locate_by(std::integral_constant<int64_t, 1>(), start, n, index, size, end, offsets);
}

int64_t locate(int64_t n, const int64_t* index, int64_t size, int64_t end, int64_t stride, int64_t first,
               int64_t step, int64_t* offsets) {
    return locate_from([=](int64_t i) { return first + i * step; }, n, index, size, end, stride, offsets);
}

int64_t move_on(int64_t n, const int64_t* index, int64_t size, int64_t end, int64_t stride,
                int64_t* offsets) {
    return locate_from([=](int64_t i) { return offsets[i]; }, n, index, size, end, stride, offsets);
}

bool in_range(int64_t n, const int64_t* index, int64_t size) {
    int64_t signs = 0;  // few machines have vectors of comparisons of 64 bits
    for (int64_t i = 0; i < n; ++i) signs |= index[i] | plus(size, ~index[i]);
    return signs >= 0;
}

/// f(step), where a step of 0 is known as one: along the last dimension, and in one of a single dimension.
void with_still_step(int64_t step, const auto& f) {
    if (step == 0) return f(std::integral_constant<int64_t, 0>());
    f(step);
}

template <class Unit>
void take_each(const IndexedRows& at, const void* from, void* to) {
    with_still_step(at.step, [from, to, at](auto step) {  // a copy: what is written might be `at`
        const int64_t* index = at.index;
        const auto* x = static_cast<const Unit*>(from) + at.first;
        auto* y = static_cast<Unit*>(to);
        for (int64_t r = 0; r < at.rows; ++r, x += at.row_step, index += at.length, y += at.length) {
            // Four are read before one is written, or each store would hold up the loads after it: 2048 rows of 2048 in 1.8
            // ms, not 2.2 (Xeon, model 207). The instructions that gather take 1.65 there, but twice as long on Zen 4.
            const auto read = [&](int64_t i) { return x[i * step + index[i] * at.stride]; };
            int64_t i = 0;
            for (; i + 4 <= at.length; i += 4) {
                const Unit a = read(i), b = read(i + 1), c = read(i + 2), d = read(i + 3);
                y[i] = a, y[i + 1] = b, y[i + 2] = c, y[i + 3] = d;
            }
            for (; i < at.length; ++i) y[i] = read(i);
        }
    });
}

/// f(a place, its element) for one after the other.
template <class T>
void for_each_place(const IndexedRows& at, int64_t step, const void* from, void* to, const auto& f) {
    with_still_step(at.step, [from, to, step, at, &f](auto place) {
        const int64_t* index = at.index;
        const auto* x = static_cast<const T*>(from);
        auto* y = static_cast<T*>(to) + at.first;
        for (int64_t r = 0; r < at.rows; ++r, y += at.row_step, index += at.length)
            for (int64_t i = 0; i < at.length; ++i, x += step) f(y[i * place + index[i] * at.stride], *x);
    });
}

template <class Unit>
void put_each(const IndexedRows& at, int64_t step, const void* from, void* to) {
    for_each_place<Unit>(at, step, from, to, [](Unit& place, Unit value) { place = value; });
}

/// Bools add as PyTorch's do: or.
template <class T>
void add_each(const IndexedRows& at, int64_t step, const void* from, void* to) {
    for_each_place<T>(at, step, from, to, [](T& sum, T term) { sum = plus(sum, term); });
}

/// Listed offsets are indices of elements.
IndexedRows listed(int64_t n, const int64_t* offsets) { return {offsets, 1, n, 0, 0, 0, 1}; }

constexpr int64_t kAhead = 8;     // rows between the one that is copied and the one that is fetched
constexpr int64_t kFetch = 1024;  // bytes of it: the machine sees coming what follows

/// Fetches a row that will be copied, and the lines that it goes to. The machine cannot guess where the next
/// row of a table is; and it does not read on far while lines to be written are missing.
void fetch(const void* from, const void* to, int64_t bytes) {
    for (int64_t i = 0; i < std::min(bytes, kFetch); i += kLine) {
        __builtin_prefetch(static_cast<const char*>(from) + i, 0);
        __builtin_prefetch(static_cast<const char*>(to) + i, 1);
    }
}

/// f(copy), where copy(to, from) copies a row of `bytes` bytes.
void with_copy(int64_t bytes, const auto& f) {
    if (bytes >= kShortCopy) return f([=](void* to, const void* from) { copy_bytes(to, from, bytes); });
    if (bytes == 0) return;
    with_unit_of(
        bytes, [&](auto unit) { f([=](void* to, const void* from) { copy_units<unit>(to, from, bytes); }); });
}

template <class Unit>
void take(int64_t n, int64_t row, int64_t step, const void* from, const int64_t* offsets, void* to) {
    const auto* x = static_cast<const Unit*>(from);
    auto* y = static_cast<Unit*>(to);
    if (row == 1 && step == 1) return take_each<Unit>(listed(n, offsets), from, to);
    const int64_t bytes = row * static_cast<int64_t>(sizeof(Unit));
    with_copy(bytes, [&](const auto& copy) {
        for (int64_t i = 0; i < n; ++i) {
            if (i + kAhead < n) fetch(x + offsets[i + kAhead], y + (i + kAhead) * step, bytes);
            copy(y + i * step, x + offsets[i]);
        }
    });
}

template <class Unit>
void put(int64_t n, int64_t row, int64_t step, const void* from, const int64_t* offsets, void* to) {
    const auto* x = static_cast<const Unit*>(from);
    auto* y = static_cast<Unit*>(to);
    if (row == 1) return put_each<Unit>(listed(n, offsets), step, from, to);
    const int64_t bytes = row * static_cast<int64_t>(sizeof(Unit));
    with_copy(bytes, [&](const auto& copy) {
        for (int64_t i = 0; i < n; ++i) copy(y + offsets[i], x + i * step);
    });
}

template <class T>
void add(int64_t n, int64_t row, int64_t step, const void* from, const int64_t* offsets, void* to) {
    const auto* x = static_cast<const T*>(from);
    auto* y = static_cast<T*>(to);
    if (row == 1) return add_each<T>(listed(n, offsets), step, from, to);
    for (int64_t i = 0; i < n; ++i) {
        T* sum = y + offsets[i];
        const T* term = x + i * step;
        for (int64_t j = 0; j < row; ++j) sum[j] = plus(sum[j], term[j]);
    }
}

#if defined(__AVX2__)
/// For eight bits the numbers of those that are set, then zeros.
struct SetBits {
    consteval SetBits() {
        for (int byte = 0; byte < 256; ++byte)
            for (std::uint8_t bit = 0, found = 0; bit < 8; ++bit)
                if (byte >> bit & 1) at[byte][found++] = bit;
    }
    std::uint8_t at[256][8] = {};
};
constexpr SetBits kSetBits;

/// f(i, numbers of those of the eight elements from i on for which the mask holds, as bytes) while at least eight are still to be
/// found, so that eight may be read and written; `found` counts on after each call. The first element that is left.
int64_t for_eights(int64_t wanted, const Bool* mask, int64_t& found, const auto& f) {
    int64_t i = 0;
    for (; found + 8 <= wanted; i += 8) {
        const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(mask + i));
        const int zeros = _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_setzero_si128()));
        const auto set = static_cast<std::uint8_t>(~zeros);
        f(i, _mm_loadl_epi64(reinterpret_cast<const __m128i*>(kSetBits.at[set])));
        found += __builtin_popcount(set);
    }
    return i;
}
#endif

/// Writes every element to the next free place and moves on only where the mask holds: no branch to
/// mispredict.
template <class Unit>
void compact(int64_t wanted, const Bool* mask, const void* from, void* to) {
    const auto* x = static_cast<const Unit*>(from);
    auto* y = static_cast<Unit*>(to);
    int64_t i = 0;
    int64_t found = 0;
#if defined(__AVX2__)
    if constexpr (sizeof(Unit) == 4) {
        i = for_eights(wanted, mask, found, [&](int64_t at, __m128i lanes) {
            const __m256i eight = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + at));
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(y + found),
                                _mm256_permutevar8x32_epi32(eight, _mm256_cvtepu8_epi32(lanes)));
        });
    }
#endif
    for (; found < wanted; ++i) {
        y[found] = x[i];
        found += static_cast<bool>(mask[i]);
    }
}

void positions(int64_t wanted, const Bool* mask, int64_t first, int64_t* to) {
    int64_t i = 0;
    int64_t found = 0;
#if defined(__AVX2__)
    i = for_eights(wanted, mask, found, [&](int64_t at, __m128i lanes) {
        const __m256i start = _mm256_set1_epi64x(first + at);
        auto* eight = reinterpret_cast<__m256i*>(to + found);
        _mm256_storeu_si256(eight, _mm256_add_epi64(start, _mm256_cvtepu8_epi64(lanes)));
        _mm256_storeu_si256(eight + 1,
                            _mm256_add_epi64(start, _mm256_cvtepu8_epi64(_mm_srli_si128(lanes, 4))));
    });
#endif
    for (; found < wanted; ++i) {
        to[found] = first + i;
        found += static_cast<bool>(mask[i]);
    }
}

template <class Unit>
void install_unit(Indexing& table) {
    const std::size_t unit = unit_of(sizeof(Unit));
    table.take[unit] = &take<Unit>;
    table.put[unit] = &put<Unit>;
    table.take_each[unit] = &take_each<Unit>;
    table.put_each[unit] = &put_each<Unit>;
    table.compact[unit] = &compact<Unit>;
}

template <class T>
void install_add(Indexing& table, DType dtype) {
    table.add[static_cast<std::size_t>(dtype)] = &add<T>;
    table.add_each[static_cast<std::size_t>(dtype)] = &add_each<T>;
}

}  // namespace

void install_indexing(Table& table) {
    Indexing& indexing = table.indexing;
    indexing.locate = &locate;
    indexing.move_on = &move_on;
    indexing.in_range = &in_range;
    indexing.count = &count_true;
    indexing.positions = &positions;
    install_unit<std::uint8_t>(indexing);
    install_unit<std::uint16_t>(indexing);
    install_unit<std::uint32_t>(indexing);
    install_unit<std::uint64_t>(indexing);
    install_add<Bool>(indexing, kBool);
    install_add<int64_t>(indexing, kInt64);
    install_add<float>(indexing, kFloat32);
    install_add<double>(indexing, kFloat64);
}

}  // namespace reel::kernels::REEL_SET
