/// \file
/// What the fuzz targets share. A target makes one call of the library out of arbitrary bytes, and throws
/// `Wrong` where something else comes out than an answer that plain arithmetic gives, or a `reel::Error`.
/// libFuzzer drives them (`scripts/fuzz.sh`); `replay_test.cpp` runs what it has found again.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "reel.hpp"

namespace reel::fuzz {

/// What a target found out.
struct Wrong : std::logic_error {
    using std::logic_error::logic_error;
};

template <class... Args>
void expect(bool holds, const Args&... args) {
    if (!holds) throw Wrong(detail::concat(args...));
}

/// Sizes are computed in this: nothing that is made of a few int64 overflows it.
using Wide = __int128;

/// Reads numbers off arbitrary bytes; behind the end there are zeros. Never twice in one expression, whose order
/// compilers choose.
class Bytes {
public:
    explicit Bytes(std::span<const std::uint8_t> data) : data_(data) {}

    std::uint8_t byte();
    bool flag() { return byte() & 1; }
    /// Of two bytes.
    std::size_t word();
    /// Of [low, high].
    std::int64_t between(std::int64_t low, std::int64_t high);
    /// Mostly a small number, sometimes one near a power of two, at the ends of int64, or any.
    std::int64_t number();
    std::optional<std::int64_t> maybe() { return flag() ? std::optional(number()) : std::nullopt; }
    /// Up to `most` sizes from 0 to 4.
    Shape small_shape(std::size_t most);
    /// Up to `most` numbers as `number` gives.
    Shape numbers(std::size_t most);
    DType dtype();
    /// All that is left.
    std::string rest();
    bool empty() const { return data_.empty(); }

private:
    std::span<const std::uint8_t> data_;
};

/// Runs f, a call of the library, and returns whether it has given an answer; an `Error` is none.
bool answers(const std::function<void()>& f);
/// How many calls there have been.
std::uint64_t& calls();

/// The product of sizes, or none where it is negative or beyond 2^63.
std::optional<Wide> elements_of(const std::vector<Wide>& sizes);
/// Throws unless `tensor` has these sizes, and as many elements as they say.
void expect_sizes(const char* what, const Tensor& tensor, const std::vector<Wide>& sizes);
/// A tensor of these sizes with the elements 0, 1, 2, …, at most 4^5 of them.
Tensor counted(const Shape& sizes, DType dtype = kFloat32);
/// Reads every element, so that a sanitizer sees where they are.
void touch(const Tensor& tensor);
/// Replaces the file `name` of this process by these bytes; returns its path.
std::string write_input(const char* name, const std::string& bytes);

struct Target {
    const char* name;
    void (*run)(Bytes bytes);
};
/// All targets, by name.
std::span<const Target> targets();

void npy(Bytes bytes);
void safetensors(Bytes bytes);
void checkpoints(Bytes bytes);
void einsums(Bytes bytes);
void indices(Bytes bytes);
void views(Bytes bytes);
void windows(Bytes bytes);
void factories(Bytes bytes);
void printing(Bytes bytes);

}  // namespace reel::fuzz
