// The generator and what is drawn from it. Samples of given distributions are in `sample.cpp`.
//
// Note [The same numbers everywhere]
// A draw takes as many Philox blocks from the generator as it needs, and each element is a function of its
// own block: so no thread waits for another, and their number does not show. What turns words into normal
// numbers is sums, products, quotients and square roots, which IEEE 754 rounds in one way only: no function
// of libm, whose last bit differs between machines, and no contraction to fused multiply-adds
// (CMakeLists.txt).
#include "tensor/random.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "tensor/factory.hpp"
#include "tensor/parallel.hpp"
#include "tensor/portable_math.hpp"
#include "tensor/wide.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace reel {

namespace {

constexpr std::uint32_t low_word(std::uint64_t value) { return static_cast<std::uint32_t>(value); }
constexpr std::uint32_t high_word(std::uint64_t value) { return static_cast<std::uint32_t>(value >> 32); }
constexpr std::uint64_t join_words(std::uint32_t high, std::uint32_t low) {
    return std::uint64_t{high} << 32 | low;
}

constexpr std::uint32_t kMultiplier0 = 0xD2511F53u;
constexpr std::uint32_t kMultiplier1 = 0xCD9E8D57u;
constexpr std::uint32_t kWeyl0 = 0x9E3779B9u;  // the golden ratio
constexpr std::uint32_t kWeyl1 = 0xBB67AE85u;  // √3 − 1

/// Ten rounds on the four words of a counter, in place.
inline void philox_rounds(std::uint32_t& c0, std::uint32_t& c1, std::uint32_t& c2, std::uint32_t& c3,
                          std::uint32_t k0, std::uint32_t k1) {
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t p0 = std::uint64_t{kMultiplier0} * c0;
        const std::uint64_t p1 = std::uint64_t{kMultiplier1} * c2;
        c0 = high_word(p1) ^ c1 ^ k0;
        c1 = low_word(p1);
        c2 = high_word(p0) ^ c3 ^ k1;
        c3 = low_word(p0);
        k0 += kWeyl0;
        k1 += kWeyl1;
    }
}

#if defined(__x86_64__)
/// The same of four blocks at a time from counter `first` on, until there are `count`: words[k][b] is word k of block b. Each word
/// has 64 bits, whose upper half nobody reads, so that a multiplication takes one instruction (2^20 uniform numbers in 0.9 ms, and
/// in 2.3 by GCC's vectors of 32 bits; AMD EPYC, Zen 4).
template <std::size_t kBlocks>
[[gnu::target("avx2"), gnu::noinline]] void wide_rounds(std::uint64_t seed, std::uint64_t first,
                                                        std::int64_t count, std::uint32_t attempt,
                                                        std::uint32_t (&words)[4][kBlocks]) {
    using Lanes [[gnu::vector_size(32)]] = std::uint64_t;
    const __m256i multiplier0 = _mm256_set1_epi64x(kMultiplier0);
    const __m256i multiplier1 = _mm256_set1_epi64x(kMultiplier1);
    const __m256i low_words = _mm256_setr_epi32(0, 2, 4, 6, 0, 0, 0, 0);
    for (std::int64_t b = 0; b < count; b += 4) {
        const Lanes c0 = Lanes{0, 1, 2, 3} + (first + static_cast<std::uint64_t>(b));
        Lanes c[4] = {c0, c0 >> 32, Lanes{} + attempt, Lanes{}};
        Lanes k0 = Lanes{} + low_word(seed), k1 = Lanes{} + high_word(seed);
        for (int left = 10; left > 0; --left) {
            const auto p0 =
                reinterpret_cast<Lanes>(_mm256_mul_epu32(reinterpret_cast<__m256i>(c[0]), multiplier0));
            const auto p1 =
                reinterpret_cast<Lanes>(_mm256_mul_epu32(reinterpret_cast<__m256i>(c[2]), multiplier1));
            c[0] = p1 >> 32 ^ c[1] ^ k0;
            c[1] = p1;
            c[2] = p0 >> 32 ^ c[3] ^ k1;
            c[3] = p0;
            k0 += kWeyl0;
            k1 += kWeyl1;
        }
        for (std::size_t k = 0; k < 4; ++k) {
            const __m256i packed = _mm256_permutevar8x32_epi32(reinterpret_cast<__m256i>(c[k]), low_words);
            _mm_storeu_si128(reinterpret_cast<__m128i*>(words[k] + b), _mm256_castsi256_si128(packed));
        }
    }
}
#endif

/// The blocks that are made at once, word by word, so that the compiler turns the loops over them into vector
/// code.
struct Tile {
    static constexpr std::int64_t kBlocks = 128;

    Tile(std::uint64_t seed, std::uint64_t first, std::int64_t count, std::uint32_t attempt = 0)
        : seed_(seed), first_(first), count_(count) {
#if defined(__x86_64__)
        if (has_wide()) {
            wide_rounds(seed, first, count, attempt, words);
            return;
        }
#endif
        for (std::int64_t b = 0; b < count; ++b) {
            const std::uint64_t counter = first + static_cast<std::uint64_t>(b);
            std::uint32_t c0 = low_word(counter), c1 = high_word(counter), c2 = attempt, c3 = 0;
            philox_rounds(c0, c1, c2, c3, low_word(seed), high_word(seed));
            words[0][b] = c0;
            words[1][b] = c1;
            words[2][b] = c2;
            words[3][b] = c3;
        }
    }

    std::int64_t count() const { return count_; }
    /// Number `part` of a block: a word, or two of them.
    template <class Word>
    Word word(std::int64_t block, int part) const {
        if constexpr (std::is_same_v<Word, std::uint32_t>) {
            return words[part][block];
        } else {
            return join_words(words[2 * part][block], words[2 * part + 1][block]);
        }
    }
    /// An unbiased number of [0, range): the high half of word · range, unless the low half is among the
    /// 2ⁿ mod range lowest, which some results would have one too many of; then the word at the same place of
    /// the next block under this counter. (Lemire, "Fast Random Integer Generation in an Interval", 2019.)
    template <class Word>
    Word below(Word range, std::int64_t block, int part) const {
        using Product =
            std::conditional_t<std::is_same_v<Word, std::uint32_t>, std::uint64_t, unsigned __int128>;
        const std::uint64_t counter = first_ + static_cast<std::uint64_t>(block);
        Product product = Product{word<Word>(block, part)} * range;
        if (static_cast<Word>(product) < range) [[unlikely]] {
            for (std::uint32_t attempt = 1; static_cast<Word>(product) < -range % range; ++attempt) {
                const Tile again(seed_, counter, 1, attempt);
                product = Product{again.word<Word>(0, part)} * range;
            }
        }
        return static_cast<Word>(product >> std::numeric_limits<Word>::digits);
    }

    std::uint32_t words[4][kBlocks];  ///< word k of block b is words[k][b]

private:
    std::uint64_t seed_;
    std::uint64_t first_;
    std::int64_t count_;
};

thread_local GeneratorState generator;

#if defined(__x86_64__)
/// f, compiled as a whole for processors with vectors of 32 bytes: 2^20 normal numbers take 2.0 ms so, and 3.5 by those of 16
/// (AMD EPYC, Zen 4).
template <class F>
[[gnu::target("avx2"), gnu::flatten]] void run_wide(const F& f) {
    f();
}
#endif

void run(const auto& f) {
#if defined(__x86_64__)
    if (has_wide()) return run_wide(f);
#endif
    f();
}

/// Calls f(tile, i) for tiles that hold the numbers of elements i, i + 1, … of `count`, each block those of
/// `per_block`, on several threads.
void draw(std::int64_t count, std::int64_t per_block, const auto& f) {
    constexpr std::int64_t kCost = 8;  // a number costs about as much as eight additions
    const std::int64_t blocks = (count + per_block - 1) / per_block;
    const GeneratorState start = generator;
    generator.counter += static_cast<std::uint64_t>(blocks);
    parallel_for(blocks, Tile::kBlocks, kCost * per_block, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t b = begin; b < end; b += Tile::kBlocks) {
            const Tile tile(start.seed, start.counter + static_cast<std::uint64_t>(b),
                            std::min(Tile::kBlocks, end - b));
            f(tile, b * per_block);
        }
    });
}

/// A new tensor of numbers that `make(tile, i, numbers)` computes in T, `per_block` for each block, from the
/// i-th on.
template <class T, class Make>
Tensor generate(const Shape& sizes, DType dtype, std::int64_t per_block, const Make& make) {
    const Tensor result = Tensor::empty(sizes, dtype);
    draw(result.numel(), per_block, [&](const Tile& tile, std::int64_t first) {
        T numbers[4 * Tile::kBlocks];
        const std::int64_t count = std::min(tile.count() * per_block, result.numel() - first);
        const bool in_place = dtype == dtype_of<T>() && count == tile.count() * per_block;
        run([&] { make(tile, first, in_place ? result.data_ptr<T>() + first : numbers); });
        if (in_place) return;
        dispatch(dtype, [&](auto zero) {
            using Stored = decltype(zero);
            std::transform(numbers, numbers + count, reinterpret_cast<Stored*>(result.raw()) + first,
                           convert_element<Stored, T>);
        });
    });
    return result;
}

void check_floating(const char* operation, DType dtype) {
    if (!is_floating_point(dtype)) {
        fail<DTypeError>(operation, ": numbers of a continuous distribution cannot be ", dtype,
                         "; ask for a floating type, or use randint");
    }
}

/// Two independent standard normal numbers: a radius √(−2 ln u) for u of (0, 1] and an angle. `angle` is
/// uniform over all integers: its two highest bits choose the quadrant, the others an angle of ±π/4 in it.
/// (Box and Muller, 1958.)
template <class T, class Word>
void box_muller(T u, Word angle, T* normal) {
    using Signed = std::make_signed_t<Word>;
    constexpr int kBits = std::numeric_limits<Word>::digits;
    const T radius = std::sqrt(T(-2) * portable::log(u));
    const T phi = static_cast<T>(static_cast<Signed>(angle << 2)) *
                  (std::numbers::pi_v<T> / T(4) / T(Word{1} << (kBits - 1)));
    const T x = radius * portable::cos(phi);
    const T y = radius * portable::sin(phi);
    const bool swapped = (angle >> (kBits - 1)) & 1;
    const T sign = (angle >> (kBits - 2)) & 1 ? T(-1) : T(1);
    normal[0] = sign * (swapped ? y : x);
    normal[1] = sign * (swapped ? x : y);
}

/// Element i is `low` plus an unbiased number of [0, range_of(i)), at most `largest_range`.
Tensor integers(const Shape& sizes, DType dtype, std::int64_t low, std::uint64_t largest_range,
                const auto& range_of) {
    const auto with = [&](auto zero) {
        using Word = decltype(zero);
        constexpr int kPerBlock = 4 * sizeof(std::uint32_t) / sizeof(Word);
        return generate<std::int64_t>(
            sizes, dtype, kPerBlock, [&](const Tile& tile, std::int64_t first, std::int64_t* numbers) {
                for (std::int64_t i = 0; i < kPerBlock * tile.count(); ++i) {
                    const auto range = static_cast<Word>(range_of(first + i));
                    const Word above = tile.below(range, i / kPerBlock, static_cast<int>(i % kPerBlock));
                    numbers[i] = static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + above);
                }
            });
    };
    constexpr std::uint64_t kNarrow = std::numeric_limits<std::uint32_t>::max();
    return largest_range <= kNarrow ? with(std::uint32_t{}) : with(std::uint64_t{});
}

}  // namespace

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key) {
    auto [c0, c1, c2, c3] = counter;
    philox_rounds(c0, c1, c2, c3, key[0], key[1]);
    return {c0, c1, c2, c3};
}

void manual_seed(std::uint64_t seed) { generator = {seed, 0}; }
GeneratorState generator_state() { return generator; }
void set_generator_state(GeneratorState state) { generator = state; }

// The highest bits of a word, as many as a fraction has: every number is exact, and none is rounded up to 1.
Tensor rand(const Shape& sizes, DType dtype) {
    check_floating("rand", dtype);
    const int bits = significand_bits(dtype);
    if (dtype == kFloat64) {
        return generate<double>(sizes, dtype, 2, [](const Tile& tile, std::int64_t, double* numbers) {
            for (std::int64_t b = 0; b < tile.count(); ++b) {
                for (int half = 0; half < 2; ++half) {
                    numbers[2 * b + half] =
                        static_cast<double>(tile.word<std::uint64_t>(b, half) >> 11) * 0x1p-53;
                }
            }
        });
    }
    return generate<float>(sizes, dtype, 4, [bits](const Tile& tile, std::int64_t, float* numbers) {
        const float unit = 1 / static_cast<float>(1 << bits);
        for (std::int64_t b = 0; b < tile.count(); ++b) {
            for (int k = 0; k < 4; ++k) {
                const auto number = static_cast<std::int32_t>(tile.words[k][b] >> (32 - bits));
                numbers[4 * b + k] = static_cast<float>(number) * unit;
            }
        }
    });
}

Tensor randn(const Shape& sizes, DType dtype) {
    check_floating("randn", dtype);
    if (dtype == kFloat64) {
        return generate<double>(sizes, dtype, 2, [](const Tile& tile, std::int64_t, double* numbers) {
            for (std::int64_t b = 0; b < tile.count(); ++b) {
                const double u = static_cast<double>((tile.word<std::uint64_t>(b, 0) >> 11) + 1) * 0x1p-53;
                box_muller(u, tile.word<std::uint64_t>(b, 1), numbers + 2 * b);
            }
        });
    }
    return generate<float>(sizes, dtype, 4, [](const Tile& tile, std::int64_t, float* numbers) {
        for (std::int64_t b = 0; b < tile.count(); ++b) {
            for (int k = 0; k < 4; k += 2) {
                const float u = static_cast<float>(tile.words[k][b]) * 0x1p-32f + 0x1p-33f;
                box_muller(u, tile.words[k + 1][b], numbers + 4 * b + k);
            }
        }
    });
}

Tensor randint(std::int64_t low, std::int64_t high, const Shape& sizes, DType dtype) {
    if (low >= high) fail<Error>("randint: there is no integer in [", low, ", ", high, ")");
    constexpr std::int64_t kLargestHalf = 65504;
    const bool fits = dtype == kBool      ? low >= 0 && high <= 2
                      : dtype == kFloat16 ? low >= -kLargestHalf && high <= kLargestHalf + 1
                                          : true;
    if (!fits) fail<DTypeError>("randint: ", dtype, " does not hold all integers of [", low, ", ", high, ")");
    const std::uint64_t range = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
    return integers(sizes, dtype, low, range, [range](std::int64_t) { return range; });
}

// Fisher and Yates: each place in turn changes its number with that of one not before it.
Tensor randperm(std::int64_t n, DType dtype) {
    if (n < 0) fail<ShapeError>("randperm: ", n, " elements; at least 0 are needed");
    const bool fits =
        dtype != kBool && (dtype == kInt64 || n - 1 <= std::int64_t{1} << significand_bits(dtype));
    if (!fits) fail<DTypeError>("randperm: ", dtype, " does not hold all integers of [0, ", n, ")");
    const auto places_left = [n](std::int64_t i) {  // 1 after the end, in the rest of the last block
        return static_cast<std::uint64_t>(std::max<std::int64_t>(n - i, 1));
    };
    const detail::UndoDraws undo;
    const Tensor steps = integers({n}, kInt64, 0, places_left(0), places_left);
    const Tensor order = arange(n);
    const auto* step = steps.data_ptr<std::int64_t>();
    auto* number = order.data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < n; ++i) std::swap(number[i], number[i + step[i]]);
    return order.to(dtype);
}

}  // namespace reel
