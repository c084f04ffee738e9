/// \file
/// An independent model of what a program computes: tensors as plain lists of places in memory, derivatives as
/// numbers that carry them forward. Nothing of the library is used, and nothing is optimized.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <vector>

namespace reel::random_programs {

using Sizes = std::vector<std::int64_t>;

/// Slopes along two directions, and the second derivative along both.
struct Slopes {
    double a = 0, b = 0, ab = 0;
};

/// A hyper-dual number: x + a ε₁ + b ε₂ + ab ε₁ε₂ with ε₁² = ε₂² = 0. Exact to the second derivative.
/// Fike, Alonso, "The Development of Hyper-Dual Numbers for Exact Second-Derivative Calculations", 2011.
struct Number {
    double x = 0;
    Slopes d;

    Number() = default;
    Number(double value) : x(value) {}
    Number(double value, Slopes slopes) : x(value), d(slopes) {}
    /// f of this number, given f, f′ and f″ there.
    Number map(double f, double f1, double f2) const {
        return {f, {f1 * d.a, f1 * d.b, f1 * d.ab + f2 * d.a * d.b}};
    }
    friend Number operator+(const Number& p, const Number& q) {
        return {p.x + q.x, {p.d.a + q.d.a, p.d.b + q.d.b, p.d.ab + q.d.ab}};
    }
    friend Number operator*(const Number& p, const Number& q) {
        return {p.x * q.x,
                {p.d.a * q.x + p.x * q.d.a, p.d.b * q.x + p.x * q.d.b,
                 p.d.ab * q.x + p.d.a * q.d.b + p.d.b * q.d.a + p.x * q.d.ab}};
    }
    friend Number operator-(const Number& p, const Number& q) { return p + q * Number(-1); }
    friend Number operator/(const Number& p, const Number& q);
};
Number exp(const Number& p);
Number log(const Number& p);
Number tanh(const Number& p);
Number sin(const Number& p);

/// Where values are too large, or too near to one another, to be compared with anything.
struct OutOfReach : std::exception {};
/// What the library must refuse.
struct Refused : std::exception {};
/// Throws `OutOfReach` unless p and q are so far apart that rounding does not change which is larger.
bool less(const Number& p, const Number& q);

/// What tensors share that show the same elements, be they detached from one another.
struct Values {
    std::vector<double> x;
    int written = 0;  ///< the statement that last wrote to them
};

/// What a statement saved for its derivative, and what had written it by then.
struct Saved {
    std::shared_ptr<Values> values;
    int written;
};

/// The memory of a tensor and of all its views: values, which a detached tensor shares, and their slopes.
struct Memory {
    std::shared_ptr<Values> values;
    std::vector<Slopes> slopes;
    bool leaf = false;
    bool history = false;      ///< it depends on a leaf
    int written = 0;           ///< the statement that last wrote to it
    std::vector<Saved> saved;  ///< by every statement that it may depend on
};

/// A tensor: some places of some memory, in row-major order of its sizes.
struct Array {
    std::shared_ptr<Memory> memory;
    Sizes sizes;
    std::vector<std::size_t> places;
    bool whole = false;  ///< it is no view

    explicit operator bool() const { return memory != nullptr; }
    std::size_t numel() const { return places.size(); }
    std::int64_t dim() const { return static_cast<std::int64_t>(sizes.size()); }
    Number operator[](std::size_t i) const {
        return {memory->values->x[places[i]], memory->slopes[places[i]]};
    }
    void set(std::size_t i, const Number& number) const {
        memory->values->x[places[i]] = number.x;
        memory->slopes[places[i]] = number.d;
    }
    bool depends() const { return memory->leaf || memory->history; }
};
using Arrays = std::vector<Array>;

/// Memory of its own, with element i = f(i), which depends on a leaf if one of `inputs` does.
Array make(const Sizes& sizes, const Arrays& inputs, const std::function<Number(std::size_t)>& f);
/// The same memory seen as `sizes`; element i is element f(i) of `x`.
Array view(const Array& x, const Sizes& sizes, const std::function<std::size_t(std::size_t)>& f);
/// Throws `Refused` unless `x` may be written: it is no leaf, and no two of its elements share a place.
void check_writable(const Array& x);
/// Element i = f(i) written in place, where all f are called before the first element is written.
void write(const Array& x, const Arrays& inputs, int statement, const std::function<Number(std::size_t)>& f);

std::size_t count(const Sizes& sizes);
std::vector<std::int64_t> index_of(std::size_t element, const Sizes& sizes);
std::size_t element_at(const std::vector<std::int64_t>& index, const Sizes& sizes);
/// Whether `x` broadcasts to `sizes`; and the element of `x` that stands at element i of `sizes`.
bool broadcasts(const Sizes& x, const Sizes& sizes);
std::size_t broadcast_element(const Sizes& x, const Sizes& sizes, std::size_t i);
Sizes common(const Sizes& a, const Sizes& b);
/// The elements of `x` along `dim` through its element i with index 0 there.
std::vector<std::size_t> fibre(const Sizes& sizes, std::int64_t dim, std::size_t i);
Sizes without(const Sizes& sizes, std::int64_t dim);

}  // namespace reel::random_programs
