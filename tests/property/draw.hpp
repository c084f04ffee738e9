/// \file
/// What the property tests are fed with: random shapes, values and layouts, all from one seed. What is done
/// with them is in the tests beside; how a failing case is run again says `property.hpp`.
#pragma once

#include <functional>
#include <initializer_list>
#include <vector>

#include "reel.hpp"

namespace reel::property {

/// A sequence of random choices.
class Draw {
public:
    /// How large tensors are: small ones find a wrong stride, large ones are shared out among threads.
    enum class Size { kSmall, kLarge };

    explicit Draw(std::uint64_t seed, Size size = Size::kSmall) : state_(seed), size_(size) {}

    /// A whole number in [low, high].
    std::int64_t whole(std::int64_t low, std::int64_t high);
    /// A number in [low, high).
    double real(double low, double high);
    bool chance(double probability) { return real(0, 1) < probability; }
    template <class T>
    T pick(std::initializer_list<T> choices) {
        return choices.begin()[whole(0, static_cast<std::int64_t>(choices.size()) - 1)];
    }
    /// 0 … count − 1 in any order.
    std::vector<std::int64_t> permutation(std::int64_t count);

    /// The size of a dimension, at least 1.
    std::int64_t extent();
    /// Between `least` and `most` dimensions; where tensors are small, some are empty and some a bit longer.
    Shape shape(std::int64_t least = 0, std::int64_t most = 4);
    /// A shape that broadcasts to `sizes`: with fewer dimensions, or with 1 in place of some.
    Shape narrower(const Shape& sizes);
    /// Some of the dimensions, counted from either end, in any order; perhaps none.
    Shape dims(std::int64_t dim);
    /// One of the dimensions, counted from either end; 0 or -1 where there is none.
    std::int64_t dim(std::int64_t dim) { return dim == 0 ? whole(-1, 0) : whole(-dim, dim - 1); }

    DType floating() { return pick({kFloat32, kFloat32, kFloat64, kFloat16, kBFloat16}); }
    DType number() { return chance(0.25) ? kInt64 : floating(); }
    DType any_type() { return chance(0.15) ? kBool : number(); }

    /// Any values in any layout: small whole numbers, so that some are equal, or real ones, or among them
    /// zeros of both signs, infinities and NaN.
    Tensor tensor(const Shape& sizes, DType dtype);
    /// Finite numbers in [low, high).
    Tensor reals(const Shape& sizes, DType dtype, double low, double high);
    /// Whole numbers in [low, high].
    Tensor wholes(const Shape& sizes, DType dtype, std::int64_t low, std::int64_t high);
    /// Memory in which no two elements share a place, as is needed for writing.
    Tensor writable(const Shape& sizes, DType dtype);

private:
    using Value = std::function<double()>;

    std::uint64_t next();
    Value values(DType dtype);
    Tensor laid_out(const Shape& sizes, DType dtype, const Value& value, bool may_share = true);
    Shape strides(const Shape& sizes, bool may_share);

    std::uint64_t state_;
    Size size_;
};

}  // namespace reel::property
