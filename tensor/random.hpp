/// \file
/// Random tensors from a counter-based generator: the i-th number of a seed is a function of (seed, i) alone,
/// so it is the same on every machine and at every thread count. Philox4x32-10: Salmon, Moraes, Dror, Shaw,
/// "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <exception>
#include <optional>

#include "tensor.hpp"

#pragma GCC visibility push(default)
namespace reel {

/// One block of Philox4x32-10: four random words for a counter and a key.
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key);

/// Starts the sequence of this thread's generator anew. Every thread has one, which starts with seed 0.
void manual_seed(std::uint64_t seed);

/// The state of a generator: enough to continue bit for bit.
struct GeneratorState {
    std::uint64_t seed = 0;
    std::uint64_t counter = 0;  ///< blocks drawn so far
};
GeneratorState generator_state();
void set_generator_state(GeneratorState state);

namespace detail {
/// Puts the generator back where it was if its scope ends by an exception: what has failed has drawn nothing.
class UndoDraws {
public:
    UndoDraws() = default;
    UndoDraws(const UndoDraws&) = delete;
    UndoDraws& operator=(const UndoDraws&) = delete;
    ~UndoDraws() {
        if (std::uncaught_exceptions() > exceptions_) set_generator_state(before_);
    }

private:
    GeneratorState before_ = generator_state();
    int exceptions_ = std::uncaught_exceptions();
};
}  // namespace detail

/// Uniform on [0, 1): multiples of 2⁻²⁴ in float32, of 2⁻⁵³, 2⁻¹¹ and 2⁻⁸ in float64, float16 and bfloat16.
Tensor rand(const Shape& sizes, DType dtype = kFloat32);
/// Standard normal.
Tensor randn(const Shape& sizes, DType dtype = kFloat32);
// A shape is {2, 3}.
template <std::integral... More>
Tensor rand(std::int64_t, std::integral auto, More...) = delete;
template <std::integral... More>
Tensor randn(std::int64_t, std::integral auto, More...) = delete;
/// Uniform integers of [low, high), without bias.
Tensor randint(std::int64_t low, std::int64_t high, const Shape& sizes, DType dtype = kInt64);
inline Tensor randint(std::int64_t high, const Shape& sizes, DType dtype = kInt64) {
    return randint(0, high, sizes, dtype);
}
/// 0 … n-1 in random order.
Tensor randperm(std::int64_t n, DType dtype = kInt64);
inline Tensor rand_like(const Tensor& like, std::optional<DType> dtype = None) {
    return rand(like.sizes(), dtype.value_or(like.dtype()));
}
inline Tensor randn_like(const Tensor& like, std::optional<DType> dtype = None) {
    return randn(like.sizes(), dtype.value_or(like.dtype()));
}

/// `num_samples` indices drawn from each row of weights (1-d or 2-d, not negative, finite, and enough of them
/// positive: one, or without replacement as many as are drawn). Throws an `Error` for other weights.
Tensor multinomial(const Tensor& probs, std::int64_t num_samples, bool replacement = false);
namespace detail {
/// `bernoulli`, not recorded.
Tensor draw_bernoulli(const Tensor& probs);
}  // namespace detail

}  // namespace reel
#pragma GCC visibility pop
