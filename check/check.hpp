/// \file
/// Is a derivative right? For any C++ code: a function of `double`s, what is claimed to be its gradient,
/// Jacobian, Hessian or Hessian-vector product, and a point. The claim is held against numeric derivatives
/// that know their own error, so there is no tolerance to choose. Needs the standard library alone.
///
///     check::Report report = check::gradient(f, g, x);
///     if (!report) std::cout << report;
///
/// How it works is in `derivative.hpp` and `judge.hpp`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "report.hpp"

#pragma GCC visibility push(default)
namespace reel {
namespace check {

using verdicts::Element;
using verdicts::kDirection;
using verdicts::Report;
using verdicts::to_string;
using verdicts::Verdict;

struct Options {
    double accuracy = 0;  ///< what f can be trusted to, relative; 0: it is measured
    std::vector<double> scale = {}, lower = {}, upper = {};  ///< of x, element by element; empty: none
    std::size_t budget = 0;                                  ///< evaluations of f; 0: as many as it takes
    std::uint64_t seed = 0;                                  ///< of steps and directions
    std::string name = {};                                   ///< for the report
    std::function<void(std::size_t done, std::size_t all)> progress = {};  ///< lines looked at, of how many
};

struct Triplet {
    std::size_t row, column;
    double value;
};

namespace detail {

using Span = std::span<const double>;
using ScalarFunction = std::function<double(Span)>;
using VectorFunction = std::function<std::vector<double>(Span)>;
using TripletFunction = std::function<std::vector<Triplet>(Span)>;
using ProductFunction = std::function<std::vector<double>(Span, Span)>;

Report gradient(const ScalarFunction& f, const VectorFunction& g, Span x, const Options& options,
                const char* call);
Report taylor(const ScalarFunction& f, const VectorFunction& g, Span x, const Options& options);
Report jacobian(const VectorFunction& r, const VectorFunction& j, Span x, const Options& options);
Report jacobian(const VectorFunction& r, const TripletFunction& j, Span x, const Options& options);
Report hessian(const VectorFunction& g, const VectorFunction& h, Span x, const Options& options);
Report hessian(const VectorFunction& g, const TripletFunction& h, Span x, const Options& options);
Report hvp(const VectorFunction& g, const ProductFunction& hv, Span x, const Options& options);

/// A gradient that writes into its second argument, as one that returns it.
template <class G>
VectorFunction returning(G g) {
    if constexpr (std::is_invocable_v<G&, Span, std::span<double>>) {
        return [g = std::move(g)](Span x) mutable {
            std::vector<double> out(x.size());
            g(x, std::span<double>(out));
            return out;
        };
    } else {
        return VectorFunction(std::move(g));
    }
}

template <class J>
auto matrix(J j) {
    if constexpr (std::is_convertible_v<std::invoke_result_t<J&, Span>, std::vector<Triplet>>) {
        return TripletFunction(std::move(j));
    } else {
        return VectorFunction(std::move(j));
    }
}

}  // namespace detail

/// The gradient of f: double(span). g is void(span x, std::span<double> out) or std::vector<double>(span x).
template <class F, class G>
Report gradient(F f, G g, std::span<const double> x, const Options& options = {}) {
    return detail::gradient(detail::ScalarFunction(std::move(f)), detail::returning(std::move(g)), x, options,
                            "gradient(f, g");
}

/// Both from one function, double(span x, std::span<double> gradient); an empty gradient asks for the value
/// alone.
template <class F>
Report value_and_gradient(F fg, std::span<const double> x, const Options& options = {}) {
    const detail::ScalarFunction f = [fg](detail::Span at) mutable { return fg(at, std::span<double>()); };
    const detail::VectorFunction g = [fg](detail::Span at) mutable {
        std::vector<double> out(at.size());
        fg(at, std::span<double>(out));
        return out;
    };
    return detail::gradient(f, g, x, options, "value_and_gradient(fg");
}

/// The Jacobian of r: std::vector<double>(span). j returns it as m × n numbers, row by row, or as
/// std::vector<Triplet>, where what is not among them is claimed to be zero.
template <class R, class J>
Report jacobian(R r, J j, std::span<const double> x, const Options& options = {}) {
    return detail::jacobian(detail::VectorFunction(std::move(r)), detail::matrix(std::move(j)), x, options);
}

/// The Hessian of a function whose gradient is g: the Jacobian of g, which must be symmetric.
template <class G, class H>
Report hessian(G g, H h, std::span<const double> x, const Options& options = {}) {
    return detail::hessian(detail::returning(std::move(g)), detail::matrix(std::move(h)), x, options);
}

/// The product of that Hessian with a vector, hv: std::vector<double>(span x, span v). The report's columns are
/// random vectors v.
template <class G, class H>
Report hvp(G g, H hv, std::span<const double> x, const Options& options = {}) {
    return detail::hvp(detail::returning(std::move(g)), detail::ProductFunction(std::move(hv)), x, options);
}

/// The gradient along random directions d, with the table of Taylor remainders |f(x + h d) − f(x)| and
/// |f(x + h d) − f(x) − h g·d|, which fall like h and, where g is right, like h². The report's columns are the
/// directions.
template <class F, class G>
Report taylor(F f, G g, std::span<const double> x, const Options& options = {}) {
    return detail::taylor(detail::ScalarFunction(std::move(f)), detail::returning(std::move(g)), x, options);
}

}  // namespace check
}  // namespace reel
#pragma GCC visibility pop
