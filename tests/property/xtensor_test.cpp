// xtensor as a second opinion: every operation that it has too, on drawn shapes, strides and numbers, in this process. It
// reads the tensors' own memory, of whatever layout, so that the bridge is tried as well.
#include <doctest/doctest.h>

#include "tensor/xtensor.hpp"
#include "tests/property/property.hpp"
#if __has_include(<xtensor/core/xmath.hpp>)
#include <xtensor/core/xmath.hpp>
#include <xtensor/generators/xbuilder.hpp>
#include <xtensor/misc/xmanipulation.hpp>
#include <xtensor/misc/xsort.hpp>
#else
#include <xtensor/xbuilder.hpp>
#include <xtensor/xmanipulation.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xsort.hpp>
#endif

using namespace reel;
using namespace reel::property;

namespace {

using Array = xt::xarray<double>;
using Dims = std::vector<std::size_t>;

Array array(const Tensor& x) { return Array(as_xtensor<const double>(x)); }
Tensor tensor_of(const Array& x) { return from_xtensor(x); }

/// Not xt::variance, which older versions of xtensor do not compute along a dimension; nor do they find the extreme of
/// one that is alone.
Array variance(const Array& x, std::size_t d) {
    const Array mean = xt::mean(x, Dims{d}, xt::keep_dims);
    return xt::mean(xt::square(x - mean), Dims{d});
}

struct Unary {
    const char* name;
    double low, high;
    Tensor (*reels)(const Tensor&);
    Array (*xtensors)(const Array&);
    double ulps = 3;  // 2 of reel's, 1 of the C library's
};

const std::vector<Unary>& unary() {
    static const std::vector<Unary> table = {
        {"neg", -9, 9, [](const Tensor& x) { return -x; }, [](const Array& x) -> Array { return -x; }, 0},
        {"abs", -9, 9, [](const Tensor& x) { return abs(x); },
         [](const Array& x) -> Array { return xt::abs(x); }, 0},
        {"sign", -2, 2, [](const Tensor& x) { return sign(x); },
         [](const Array& x) -> Array { return xt::sign(x); }, 0},
        {"exp", -50, 50, [](const Tensor& x) { return exp(x); },
         [](const Array& x) -> Array { return xt::exp(x); }},
        {"expm1", -5, 5, [](const Tensor& x) { return expm1(x); },
         [](const Array& x) -> Array { return xt::expm1(x); }},
        {"log", 0, 99, [](const Tensor& x) { return log(x); },
         [](const Array& x) -> Array { return xt::log(x); }},
        {"log1p", -1, 9, [](const Tensor& x) { return log1p(x); },
         [](const Array& x) -> Array { return xt::log1p(x); }},
        {"sqrt", 0, 9, [](const Tensor& x) { return sqrt(x); },
         [](const Array& x) -> Array { return xt::sqrt(x); }, 0},
        {"square", -9, 9, [](const Tensor& x) { return square(x); },
         [](const Array& x) -> Array { return xt::square(x); }, 0},
        {"sin", -99, 99, [](const Tensor& x) { return sin(x); },
         [](const Array& x) -> Array { return xt::sin(x); }},
        {"cos", -99, 99, [](const Tensor& x) { return cos(x); },
         [](const Array& x) -> Array { return xt::cos(x); }},
        {"tan", -99, 99, [](const Tensor& x) { return tan(x); },
         [](const Array& x) -> Array { return xt::tan(x); }},
        {"tanh", -9, 9, [](const Tensor& x) { return tanh(x); },
         [](const Array& x) -> Array { return xt::tanh(x); }},
        {"erf", -5, 5, [](const Tensor& x) { return erf(x); },
         [](const Array& x) -> Array { return xt::erf(x); }},
        {"floor", -9, 9, [](const Tensor& x) { return floor(x); },
         [](const Array& x) -> Array { return xt::floor(x); }, 0},
        {"ceil", -9, 9, [](const Tensor& x) { return ceil(x); },
         [](const Array& x) -> Array { return xt::ceil(x); }, 0},
        {"trunc", -9, 9, [](const Tensor& x) { return trunc(x); },
         [](const Array& x) -> Array { return xt::trunc(x); }, 0},
        {"round", -9, 9, [](const Tensor& x) { return round(x); },
         [](const Array& x) -> Array { return xt::rint(x); }, 0},
        {"clamp", -9, 9, [](const Tensor& x) { return clamp(x, -2, 3); },
         [](const Array& x) -> Array { return xt::clip(x, -2., 3.); }, 0},
        {"flatten", -9, 9, [](const Tensor& x) { return x.flatten(); },
         [](const Array& x) -> Array { return xt::ravel<xt::layout_type::row_major>(x); }, 0},
        {"sort", -9, 9, [](const Tensor& x) { return x.flatten().sort().values; },
         [](const Array& x) -> Array { return xt::sort(Array(xt::ravel<xt::layout_type::row_major>(x))); },
         0},
    };
    return table;
}

struct Binary {
    const char* name;
    Tensor (*reels)(const Tensor&, const Tensor&);
    Array (*xtensors)(const Array&, const Array&);
    double ulps = 0;
};

const std::vector<Binary>& binary() {
    static const std::vector<Binary> table = {
        {"add", [](const Tensor& a, const Tensor& b) { return a + b; },
         [](const Array& a, const Array& b) -> Array { return a + b; }},
        {"sub", [](const Tensor& a, const Tensor& b) { return a - b; },
         [](const Array& a, const Array& b) -> Array { return a - b; }},
        {"mul", [](const Tensor& a, const Tensor& b) { return a * b; },
         [](const Array& a, const Array& b) -> Array { return a * b; }},
        {"div", [](const Tensor& a, const Tensor& b) { return a / b; },
         [](const Array& a, const Array& b) -> Array { return a / b; }},
        {"maximum", [](const Tensor& a, const Tensor& b) { return maximum(a, b); },
         [](const Array& a, const Array& b) -> Array { return xt::maximum(a, b); }},
        {"minimum", [](const Tensor& a, const Tensor& b) { return minimum(a, b); },
         [](const Array& a, const Array& b) -> Array { return xt::minimum(a, b); }},
        {"fmod", [](const Tensor& a, const Tensor& b) { return fmod(a, b); },
         [](const Array& a, const Array& b) -> Array { return xt::fmod(a, b); }},
        {"atan2", [](const Tensor& a, const Tensor& b) { return atan2(a, b); },
         [](const Array& a, const Array& b) -> Array { return xt::atan2(a, b); }, 3},
        {"pow", [](const Tensor& a, const Tensor& b) { return pow(abs(a), b); },
         [](const Array& a, const Array& b) -> Array { return xt::pow(xt::abs(a), b); }, 3},
        {"where", [](const Tensor& a, const Tensor& b) { return where(a < b, a, b * 2); },
         [](const Array& a, const Array& b) -> Array { return xt::where(a < b, a, b * 2); }},
        {"eq", [](const Tensor& a, const Tensor& b) { return (round(a) == round(b)).to(kFloat64); },
         [](const Array& a, const Array& b) -> Array {
             return xt::cast<double>(xt::equal(xt::rint(a), xt::rint(b)));
         }},
        {"le", [](const Tensor& a, const Tensor& b) { return (a <= b).to(kFloat64); },
         [](const Array& a, const Array& b) -> Array { return xt::cast<double>(xt::less_equal(a, b)); }},
    };
    return table;
}

struct Along {
    const char* name;
    Tensor (*reels)(const Tensor&, std::int64_t);
    Array (*xtensors)(const Array&, std::size_t);
    double ulps = 0;
    double size = 1;  ///< sums that cancel are judged by the size of what is summed
};

const std::vector<Along>& along() {
    static const std::vector<Along> table = {
        {"sum", [](const Tensor& x, std::int64_t d) { return x.sum(d); },
         [](const Array& x, std::size_t d) -> Array { return xt::sum(x, Dims{d}); }, 8, 64},
        {"mean", [](const Tensor& x, std::int64_t d) { return x.mean(d); },
         [](const Array& x, std::size_t d) -> Array { return xt::mean(x, Dims{d}); }, 8, 16},
        {"prod", [](const Tensor& x, std::int64_t d) { return x.prod(d); },
         [](const Array& x, std::size_t d) -> Array { return xt::prod(x, Dims{d}); }, 40},
        {"var", [](const Tensor& x, std::int64_t d) { return x.var(d, false); },
         [](const Array& x, std::size_t d) -> Array { return variance(x, d); }, 20, 16},
        {"std", [](const Tensor& x, std::int64_t d) { return x.std(d, false); },
         [](const Array& x, std::size_t d) -> Array { return xt::sqrt(variance(x, d)); }, 40, 16},
        {"amax", [](const Tensor& x, std::int64_t d) { return x.amax(d); },
         [](const Array& x, std::size_t d) -> Array { return xt::amax(x, Dims{d}); }},
        {"amin", [](const Tensor& x, std::int64_t d) { return x.amin(d); },
         [](const Array& x, std::size_t d) -> Array { return xt::amin(x, Dims{d}); }},
        {"norm", [](const Tensor& x, std::int64_t d) { return x.norm(2, d); },
         [](const Array& x, std::size_t d) -> Array { return xt::sqrt(xt::sum(x * x, Dims{d})); }, 8},
        {"count_nonzero",
         [](const Tensor& x, std::int64_t d) { return round(x / 8).count_nonzero(d).to(kFloat64); },
         [](const Array& x, std::size_t d) -> Array {
             return xt::sum(xt::cast<double>(xt::not_equal(xt::rint(x / 8), 0.)), Dims{d});
         }},
        {"cumsum", [](const Tensor& x, std::int64_t d) { return x.cumsum(d); },
         [](const Array& x, std::size_t d) -> Array { return xt::cumsum(x, static_cast<std::ptrdiff_t>(d)); },
         8, 64},
        {"cumprod", [](const Tensor& x, std::int64_t d) { return x.cumprod(d); },
         [](const Array& x, std::size_t d) -> Array {
             return xt::cumprod(x, static_cast<std::ptrdiff_t>(d));
         },
         40},
        {"sort", [](const Tensor& x, std::int64_t d) { return x.sort(d).values; },
         [](const Array& x, std::size_t d) -> Array { return xt::sort(x, static_cast<std::ptrdiff_t>(d)); }},
        {"argmax", [](const Tensor& x, std::int64_t d) { return x.argmax(d).to(kFloat64); },
         [](const Array& x, std::size_t d) -> Array {
             return x.dimension() == 1
                        ? Array(xt::cast<double>(xt::argmax(x)))
                        : Array(xt::cast<double>(xt::argmax(x, static_cast<std::ptrdiff_t>(d))));
         }},
        {"argmin", [](const Tensor& x, std::int64_t d) { return x.argmin(d).to(kFloat64); },
         [](const Array& x, std::size_t d) -> Array {
             return x.dimension() == 1
                        ? Array(xt::cast<double>(xt::argmin(x)))
                        : Array(xt::cast<double>(xt::argmin(x, static_cast<std::ptrdiff_t>(d))));
         }},
        {"flip", [](const Tensor& x, std::int64_t d) { return x.flip(d); },
         [](const Array& x, std::size_t d) -> Array { return xt::flip(x, d); }},
        {"roll", [](const Tensor& x, std::int64_t d) { return x.roll(1, d); },
         [](const Array& x, std::size_t d) -> Array {
             return xt::roll(x, 1, static_cast<std::ptrdiff_t>(d));
         }},
        {"unsqueeze", [](const Tensor& x, std::int64_t d) { return x.unsqueeze(d); },
         [](const Array& x, std::size_t d) -> Array { return xt::expand_dims(x, d); }},
        {"cat",
         [](const Tensor& x, std::int64_t d) {
             return cat({x, x * 2}, d);
         },
         [](const Array& x, std::size_t d) -> Array {
             return xt::concatenate(xt::xtuple(x, Array(x * 2)), d);
         }},
        {"stack",
         [](const Tensor& x, std::int64_t d) {
             return stack({x, x * 2}, d);
         },
         [](const Array& x, std::size_t d) -> Array { return xt::stack(xt::xtuple(x, Array(x * 2)), d); }},
        {"repeat_interleave", [](const Tensor& x, std::int64_t d) { return x.repeat_interleave(3, d); },
         [](const Array& x, std::size_t d) -> Array { return xt::repeat(x, 3, d); }},
    };
    return table;
}

Shape filled(Draw& draw, std::int64_t least) {
    Shape sizes = draw.shape(least);
    for (std::int64_t& size : sizes) size = std::max<std::int64_t>(size, 1);
    return sizes;
}

}  // namespace

TEST_CASE("property: xtensor computes the same elements") {
    for (const Unary& op : unary()) {
        for_all(std::string("xtensor ") + op.name, 60, [&](Draw& draw) {
            const Tensor x = draw.reals(filled(draw, 1), kFloat64, op.low, op.high);
            demand_close(op.reels(x), tensor_of(op.xtensors(array(x))), op.ulps, 0, op.name);
        });
    }
    for (const Binary& op : binary()) {
        for_all(std::string("xtensor ") + op.name, 60, [&](Draw& draw) {
            const Shape sizes = filled(draw, 1);
            const Tensor a = draw.reals(sizes, kFloat64, -9, 9);
            const Tensor b = draw.reals(draw.narrower(sizes), kFloat64, -9, 9);
            demand_close(op.reels(a, b), tensor_of(op.xtensors(array(a), array(b))), op.ulps, 0, op.name);
        });
    }
}

TEST_CASE("property: xtensor reduces and arranges alike") {
    for (const Along& op : along()) {
        for_all(std::string("xtensor ") + op.name, 60, [&](Draw& draw) {
            const Tensor x = draw.reals(filled(draw, 1), kFloat64, -9, 9);
            const std::int64_t dim = draw.whole(0, x.dim() - 1);
            const Tensor y = op.reels(x, dim);
            demand_close(y, tensor_of(op.xtensors(array(x), static_cast<std::size_t>(dim))), op.ulps, op.size,
                         op.name);
        });
    }
}
