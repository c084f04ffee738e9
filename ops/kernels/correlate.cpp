// Convolution without columns: a term of the sum is a plane that is read from a shifted place.
// What each array holds, and why rows may be read as one, is in `ops/conv/direct_driver.cpp`.
//
// Both loops keep a block of results in registers and read every operand of a step once for all of them.
#include <algorithm>

#include "ops/kernels/simd.hpp"

namespace reel::kernels::REEL_SET {

namespace {

using std::int64_t;

#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int64_t kOutputs = 8;      ///< a block of the sums has that many rows (outputs) ...
constexpr int64_t kMostVectors = 3;  ///< ... of so many vectors: 24 of 32 registers
constexpr int64_t kFactors = 4;      ///< a block of the products: these outputs ...
constexpr int64_t kTerms = 6;        ///< ... by these terms
#else
constexpr int64_t kOutputs = 6;
constexpr int64_t kMostVectors = 2;
constexpr int64_t kFactors = 3;
// Of 4 terms the compiler keeps one factor in memory (20 ms a step, and 18 so; AMD EPYC, Zen 3).
constexpr int64_t kTerms = 3;
#endif

/// One output has blocks of more vectors (64 channels of 28 x 28, each by itself, take 0.77 of the time), and more terms of its
/// products, those of a window of 3 x 3 (0.8).
constexpr int64_t kLoneVectors = 8;
constexpr int64_t kMostTerms = 9;

/// Terms that are added to all outputs at the positions of some blocks before the next ones are: what they read of x stays in an
/// L1 of 32 KB, and weights come from L2 once for all these blocks (64 to 64 channels take 0.97 of the time; AMD EPYC, Zen 3).
constexpr int64_t kTermsAtOnce = 192;
constexpr int64_t kBlocksAtOnce = 4;

template <class T, int64_t kVectors>
struct Sums {
    int64_t terms;
    int64_t first;  ///< of the terms that are added; sums begun before go on from `y`
    int64_t last;
    const T* x;
    const int64_t* taps;
    const T* w;      ///< of the block, term by term
    const T* start;  ///< null: 0
    T* y;
    int64_t y_stride;
    int64_t blocks;

    /// The results of `kRows` outputs at the `blocks` times kVectors W positions from p on.
    template <int64_t kRows>
    void block(int64_t p) const {
        for (int64_t i = 0; i < blocks; ++i) sum<kRows>(p + i * kVectors * kWidth<T>);
    }
    template <int64_t kRows>
    void sum(int64_t p) const {
        Vec<T> sum[kRows][kVectors];
        for (int64_t o = 0; o < kRows; ++o) {
            for (int64_t i = 0; i < kVectors; ++i)
                sum[o][i] =
                    first > 0 ? load(y + o * y_stride + p + i * kWidth<T>) : Vec<T>(start ? start[o] : T(0));
        }
        for (int64_t k = first; k < last; ++k) {
            const T* from = x + taps[k] + p;
            Vec<T> v[kVectors];
            for (int64_t i = 0; i < kVectors; ++i) v[i] = load(from + i * kWidth<T>);
            for (int64_t o = 0; o < kRows; ++o) {
                const Vec<T> factor(w[k * kRows + o]);
                for (int64_t i = 0; i < kVectors; ++i) sum[o][i] = multiply_add(factor, v[i], sum[o][i]);
            }
        }
        for (int64_t o = 0; o < kRows; ++o) {
            for (int64_t i = 0; i < kVectors; ++i)
                sum[o][i].store_unaligned(y + o * y_stride + p + i * kWidth<T>);
        }
    }

    /// The outputs after the next `rows`.
    Sums after(int64_t rows) const {
        Sums rest = *this;
        rest.w += rows * terms;
        if (start) rest.start += rows;
        rest.y += rows * y_stride;
        return rest;
    }
};

/// A block of `rows` outputs, at most kRows.
template <int64_t kRows, class Block>
[[gnu::always_inline]] inline void for_block(int64_t rows, int64_t p, const Block& block) {
    if constexpr (kRows > 1) {
        if (rows < kRows) return for_block<kRows - 1>(rows, p, block);
    }
    block.template block<kRows>(p);
}

/// All outputs, in blocks that differ by one at most: in a last one of one output, each term would wait for the one before.
template <int64_t kRows, class Block>
void for_outputs(int64_t outputs, int64_t p, Block block) {
    for (int64_t blocks = (outputs + kRows - 1) / kRows; blocks > 0; --blocks) {
        const int64_t rows = (outputs + blocks - 1) / blocks;
        for_block<kRows>(rows, p, block);
        block = block.after(rows);
        outputs -= rows;
    }
}

/// All outputs, kRows at most in a block, at positions [p, n), a block of vectors after the other; what is left takes fewer
/// (128 to 128 channels of 7 x 7 take 2.2 ms, and 2.4 if it takes a whole block; Intel Xeon, model 207, AVX-512).
template <class T, int64_t kRows, int64_t kVectors>
void sum_positions(int64_t outputs, int64_t p, int64_t n, Sums<T, kVectors> all) {
    constexpr int64_t kStep = kVectors * kWidth<T>;
    const int64_t parts = (all.terms + kTermsAtOnce - 1) / kTermsAtOnce;
    const int64_t part = (all.terms + parts - 1) / parts;
    // Blocks, of which a last one needs all its vectors.
    for (int64_t left = std::max<int64_t>(n - p + kWidth<T> - 1, 0) / kStep; left > 0; left -= all.blocks) {
        all.blocks = std::min(left, kBlocksAtOnce);
        for (all.first = 0; all.first < all.terms; all.first = all.last) {
            all.last = std::min(all.terms, all.first + part);
            for_outputs<kRows>(outputs, p, all);
        }
        p += all.blocks * kStep;
    }
    if constexpr (kVectors > 1) {
        sum_positions<T, kRows, kVectors - 1>(
            outputs, p, n, {all.terms, 0, 0, all.x, all.taps, all.w, all.start, all.y, all.y_stride, 0});
    }
}

/// Packs weights: of each block of outputs term by term, so that one pointer finds them (64 to 64 channels in 6.0 ms, not 7.5;
/// AMD EPYC, Zen 3).
template <class T>
struct Packer {
    int64_t terms;
    const T* w;
    T* to;

    template <int64_t kRows>
    void block(int64_t) const {
        for (int64_t k = 0; k < terms; ++k) {
            for (int64_t o = 0; o < kRows; ++o) to[k * kRows + o] = w[o * terms + k];
        }
    }
    Packer after(int64_t rows) const { return {terms, w + rows * terms, to + rows * terms}; }
};

template <class T>
void pack(int64_t outputs, int64_t terms, const void* w, void* packed) {
    for_outputs<kOutputs>(outputs, 0, Packer<T>{terms, static_cast<const T*>(w), static_cast<T*>(packed)});
}

template <class T>
void sums(int64_t outputs, int64_t n, int64_t terms, const void* x, const int64_t* taps, const void* w,
          const void* start, void* y, int64_t y_stride) {
    const auto add = [&]<int64_t kRows, int64_t kVectors>() {
        sum_positions<T, kRows>(
            outputs, 0, n,
            Sums<T, kVectors>{terms, 0, 0, static_cast<const T*>(x), taps, static_cast<const T*>(w),
                              static_cast<const T*>(start), static_cast<T*>(y), y_stride, 0});
    };
    if (outputs == 1) return add.template operator()<1, kLoneVectors>();
    add.template operator()<kOutputs, kMostVectors>();
}

template <class T>
struct Products {
    int64_t n;
    int64_t terms;
    const T* y;  ///< of the first output of the block
    int64_t y_stride;
    const T* x;
    const int64_t* taps;
    T* w;

    /// Σ_p y[o][p] x[places[k] + p] of `kRows` outputs and all terms: these rows of y stay in L1 meanwhile.
    template <int64_t kRows>
    void block(int64_t) const {
        constexpr int64_t kCount = std::min(kMostTerms, kFactors * kTerms / kRows);
        for (int64_t k = 0; k < terms; k += kCount) tile<kRows, kCount>(k, std::min(kCount, terms - k));
    }
    /// The same of `count` terms from k on; in registers a term after the last repeats it.
    template <int64_t kRows, int64_t kCount>
    void tile(int64_t k, int64_t count) const {
        const T* from[kCount];
        for (int64_t i = 0; i < kCount; ++i) from[i] = x + taps[k + (i < count ? i : count - 1)];
        Vec<T> sum[kRows][kCount];
        for (auto& row : sum) {
            for (Vec<T>& s : row) s = Vec<T>(T(0));
        }
        for (int64_t p = 0; p < n; p += kWidth<T>) {
            Vec<T> factor[kRows];
            for (int64_t o = 0; o < kRows; ++o) factor[o] = load(y + o * y_stride + p);
            for (int64_t i = 0; i < kCount; ++i) {
                const Vec<T> v = load(from[i] + p);
                for (int64_t o = 0; o < kRows; ++o) sum[o][i] = multiply_add(factor[o], v, sum[o][i]);
            }
        }
        for (int64_t o = 0; o < kRows; ++o) {
            for (int64_t i = 0; i < count; ++i) w[o * terms + k + i] += sum_of_lanes(sum[o][i]);
        }
    }
    Products after(int64_t rows) const {
        return {n, terms, y + rows * y_stride, y_stride, x, taps, w + rows * terms};
    }
};

template <class T>
void products(int64_t outputs, int64_t n, int64_t terms, const void* y, int64_t y_stride, const void* x,
              const int64_t* taps, void* w) {
    const Products<T> all{
        n, terms, static_cast<const T*>(y), y_stride, static_cast<const T*>(x), taps, static_cast<T*>(w)};
    for_outputs<kFactors>(outputs, 0, all);
}

/// A line is short: its last vector overlaps the one before.
template <class T>
void copy_line(int64_t n, const T* x, T* y) {
    if (n < kWidth<T>) {
        for (int64_t i = 0; i < n; ++i) y[i] = x[i];
        return;
    }
    for (int64_t i = 0; i + kWidth<T> < n; i += kWidth<T>) load(x + i).store_unaligned(y + i);
    load(x + n - kWidth<T>).store_unaligned(y + n - kWidth<T>);
}

template <class T>
void copy(const Lines& lines, const void* from, void* to) {
    const int64_t n = lines.width;
    for (int64_t c = 0; c < lines.planes; ++c) {
        const T* x = static_cast<const T*>(from) + c * lines.from_plane;
        T* y = static_cast<T*>(to) + c * lines.to_plane;
        for (int64_t i = 0; i < lines.height; ++i, x += lines.from_line, y += lines.to_line) {
            if (lines.from_step == 1) {
                copy_line(n, x, y);
            } else if (lines.from_step == 2) {  // the compiler has vectors for that
                for (int64_t k = 0; k < n; ++k) y[k] = x[2 * k];
            } else {
                for (int64_t k = 0; k < n; ++k) y[k] = x[k * lines.from_step];
            }
        }
    }
}

template <class T>
void add_correlate(Table& table) {
    table.correlate[static_cast<std::size_t>(dtype_of<T>())] = {kWidth<T>, &pack<T>, &sums<T>, &products<T>,
                                                                &copy<T>};
}

}  // namespace

void install_correlate(Table& table) {
    add_correlate<float>(table);
    add_correlate<double>(table);
}

}  // namespace reel::kernels::REEL_SET
