// Reductions against the sums that define them (over all dims, layouts and types), and the sharp edges where
// PyTorch has decided.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "reel.hpp"

using namespace reel;

namespace {

using std::int64_t;
using Values = std::vector<double>;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

/// Whole numbers of [-4, 4], some of them equal: sums and comparisons of them are exact in every type.
Tensor whole(const Shape& sizes, DType dtype) {
    Tensor x = empty(sizes, kInt64);
    for (int64_t i = 0; i < x.numel(); ++i) x.data_ptr<int64_t>()[i] = (i * (i + 3)) % 9 - 4;
    return x.to(dtype);
}

/// The same elements in other memory: dense, permuted, with gaps, every other one, backwards, repeated.
std::vector<Tensor> layouts(const Tensor& x) {
    const int64_t last = x.size(-1);
    Shape wide = x.sizes();
    wide.back() = 2 * last + 3;
    const Tensor gap = zeros(wide, x.dtype());
    const Tensor narrow = gap.narrow(-1, 2, last);
    narrow.copy_(x);
    const Tensor apart = zeros(wide, x.dtype());
    const Tensor every_other = apart.slice(-1, 1, 2 * last + 1, 2);
    every_other.copy_(x);
    std::vector<Tensor> all = {x, narrow, every_other, x.flip(-1).contiguous().flip(-1)};
    for (int64_t d = 0; d + 1 < x.dim(); ++d) all.push_back(x.transpose(d, -1).contiguous().transpose(d, -1));
    return all;
}

/// All sets of dims.
std::vector<Shape> subsets(int64_t ndim) {
    std::vector<Shape> sets;
    for (int64_t bits = 1; bits < (1 << ndim); ++bits) {
        Shape dims;
        for (int64_t d = 0; d < ndim; ++d) {
            if (bits >> d & 1) dims.push_back(d % 2 ? d - ndim : d);
        }
        sets.push_back(dims);
    }
    return sets;
}

/// f of the elements that fall together, as it is written; they come in row-major order.
Values reference(const Tensor& x, const Shape& dims, const std::function<double(const Values&)>& f) {
    const Shape kept = reduced_sizes(x.sizes(), wrap_dims(dims, x.dim(), "test"), true);
    const Shape steps = broadcast_strides(kept, contiguous_strides(kept), x.sizes());
    std::vector<Values> groups(static_cast<std::size_t>(numel(kept)));
    const Values values = x.to_vector<double>();
    for (std::size_t i = 0; i < values.size(); ++i) {
        int64_t rest = static_cast<int64_t>(i);
        int64_t place = 0;
        for (std::size_t d = x.sizes().size(); d-- > 0; rest /= x.sizes()[d])
            place += rest % x.sizes()[d] * steps[d];
        groups[static_cast<std::size_t>(place)].push_back(values[i]);
    }
    Values results;
    for (const Values& group : groups) results.push_back(f(group));
    return results;
}

double total(const Values& v) {
    double sum = 0;
    for (double x : v) sum += x;
    return sum;
}
double product(const Values& v) {
    double product = 1;
    for (double x : v) product *= x;
    return product;
}
double largest(const Values& v) { return *std::max_element(v.begin(), v.end()); }
double smallest(const Values& v) { return *std::min_element(v.begin(), v.end()); }
double nonzero_of(const Values& v) {
    return static_cast<double>(v.size()) - static_cast<double>(std::count(v.begin(), v.end(), 0.0));
}
double variance(const Values& v) {
    const double mean = total(v) / static_cast<double>(v.size());
    double squares = 0;
    for (double x : v) squares += (x - mean) * (x - mean);
    return squares / (static_cast<double>(v.size()) - 1);
}

/// Among them many short rows, which are read across.
const Shape kShapes[] = {{7},      {1},       {40000},     {5, 3},       {1, 6},   {6, 1},    {70, 600},
                         {300, 3}, {3, 4, 5}, {40, 2, 70}, {2, 1, 3, 4}, {600, 3}, {523, 10}, {2, 300, 5}};

/// op(x, dims) for every shape, type, set of dims and layout.
void check_folds(const std::function<Tensor(const Tensor&, const Shape&)>& op,
                 const std::function<double(const Values&)>& f, std::initializer_list<DType> dtypes) {
    for (const Shape& sizes : kShapes) {
        for (DType dtype : dtypes) {
            const Tensor x = whole(sizes, dtype);
            for (const Shape& dims : subsets(x.dim())) {
                const Values expected = reference(x, dims, f);
                for (const Tensor& view : layouts(x)) {
                    INFO("shape " << sizes << " dims " << dims << " " << dtype << " strides "
                                  << view.strides());
                    const Tensor y = op(view, dims);
                    CHECK(y.is_contiguous());
                    CHECK(y.sizes() == reduced_sizes(sizes, wrap_dims(dims, x.dim(), "test"), false));
                    CHECK(y.to_vector<double>() == expected);
                }
            }
        }
    }
}

}  // namespace

TEST_CASE("sum: any dims, layout and type") {
    const auto sum_of = [](const Tensor& x, const Shape& dims) { return sum(x, dims); };
    check_folds(sum_of, total, {kFloat32, kFloat64, kInt64, kBool});
    CHECK(sum(ones({2}, kBool)).dtype() == kInt64);
    CHECK(sum(ones({2}, kFloat16)).dtype() == kFloat16);
    for (const Shape& sizes : {Shape{5, 3}, Shape{600, 10}}) {
        CHECK(sum(whole(sizes, kBFloat16), 1).to_vector<double>() ==
              reference(whole(sizes, kFloat32), 1, total));
    }
}

TEST_CASE("amax and amin: any dims, layout and type") {
    const auto max_of = [](const Tensor& x, const Shape& dims) { return amax(x, dims); };
    const auto min_of = [](const Tensor& x, const Shape& dims) { return amin(x, dims); };
    check_folds(max_of, largest, {kFloat32, kFloat64, kInt64, kBool, kFloat16, kBFloat16});
    check_folds(min_of, smallest, {kFloat32, kFloat64, kInt64, kBool, kFloat16, kBFloat16});
    CHECK(amax(ones({2}, kBool)).dtype() == kBool);
}

TEST_CASE("any, all and count_nonzero: any dims, layout and type") {
    const auto any_of = [](const Tensor& x, const Shape& dims) { return any(x, dims); };
    const auto all_of = [](const Tensor& x, const Shape& dims) { return all(x, dims); };
    const auto count = [](const Tensor& x, const Shape& dims) { return count_nonzero(x, dims); };
    const auto all_nonzero = [](const Values& v) {
        return nonzero_of(v) == static_cast<double>(v.size()) ? 1.0 : 0.0;
    };
    check_folds(any_of, [](const Values& v) { return nonzero_of(v) > 0 ? 1.0 : 0.0; },
                {kFloat32, kInt64, kBool, kFloat16});
    check_folds(all_of, all_nonzero, {kFloat32, kFloat64, kBool, kBFloat16});
    check_folds(count, nonzero_of, {kFloat32, kInt64, kBool, kFloat16});
    CHECK(any(tensor({kNaN, 0.0})).item<bool>());
    CHECK(all(tensor({kNaN, 1.0})).item<bool>());
    CHECK(any(tensor({0.0, -0.0})).item<bool>() == false);
}

TEST_CASE("prod: any dims and layout") {
    const auto prod_of = [](const Tensor& x, const Shape& dims) { return prod(x, dims); };
    for (const Shape& sizes : {Shape{5, 3}, Shape{3, 4, 5}, Shape{2, 1, 3, 4}}) {
        const Tensor x = whole(sizes, kFloat64);
        for (const Shape& dims : subsets(x.dim())) {
            for (const Tensor& view : layouts(x))
                CHECK(prod_of(view, dims).to_vector<double>() == reference(x, dims, product));
        }
    }
    CHECK(prod(ones({2}, kBool)).dtype() == kInt64);
    CHECK(prod(tensor({2, 3, 7})).item<int64_t>() == 42);
}

TEST_CASE("var and std: any dims and layout") {
    for (const Shape& sizes : kShapes) {
        const Tensor x = whole(sizes, kFloat64);
        for (const Shape& dims : subsets(x.dim())) {
            const Values expected = reference(x, dims, variance);
            for (const Tensor& view : layouts(x)) {
                INFO("shape " << sizes << " dims " << dims << " strides " << view.strides());
                const Values got = var(view, dims).to_vector<double>();
                const Values root = reel::std(view, dims).to_vector<double>();
                for (std::size_t i = 0; i < got.size(); ++i) {
                    if (std::isnan(expected[i])) {  // one element
                        CHECK(std::isnan(got[i]));
                        continue;
                    }
                    CHECK(got[i] == doctest::Approx(expected[i]).epsilon(1e-12));
                    CHECK(root[i] == doctest::Approx(std::sqrt(expected[i])).epsilon(1e-12));
                }
            }
        }
    }
}

TEST_CASE("max and min along a dim: values, and the index of the first of equals") {
    for (const Shape& sizes : kShapes) {
        for (DType dtype : {kFloat32, kFloat64, kInt64, kBool, kFloat16}) {
            const Tensor x = whole(sizes, dtype);
            for (int64_t dim = 0; dim < x.dim(); ++dim) {
                const Values top = reference(x, dim, largest);
                const Values place = reference(x, dim, [](const Values& v) {
                    return static_cast<double>(std::max_element(v.begin(), v.end()) - v.begin());
                });
                const Values least_place = reference(x, dim, [](const Values& v) {
                    return static_cast<double>(std::min_element(v.begin(), v.end()) - v.begin());
                });
                for (const Tensor& view : layouts(x)) {
                    INFO("shape " << sizes << " dim " << dim << " " << dtype << " strides "
                                  << view.strides());
                    const auto [values, indices] = max(view, dim, true);
                    CHECK(values.dtype() == dtype);
                    CHECK(indices.sizes() == reduced_sizes(sizes, dim, true));
                    CHECK(values.to_vector<double>() == top);
                    CHECK(indices.to_vector<double>() == place);
                    CHECK(min(view, dim).indices.to_vector<double>() == least_place);
                    if (dtype == kBool) continue;
                    CHECK(argmax(view, dim).to_vector<double>() == place);
                    CHECK(argmin(view, dim).to_vector<double>() == least_place);
                }
            }
            if (dtype == kBool) continue;  // argmax refuses bools, as PyTorch does
            const Values all = x.to_vector<double>();
            for (const Tensor& view : layouts(x)) {
                CHECK(argmax(view).item<int64_t>() == std::max_element(all.begin(), all.end()) - all.begin());
                CHECK(argmin(view).item<int64_t>() == std::min_element(all.begin(), all.end()) - all.begin());
            }
        }
    }
}

TEST_CASE("NaN wins every choice, wherever it stands") {
    for (int64_t n : {1, 2, 7, 33, 1500, 40000}) {
        for (int64_t place : {int64_t{0}, n / 2, n - 1}) {
            const Tensor x = arange(0, n, 1, kFloat32);
            x.data_ptr<float>()[place] = std::numeric_limits<float>::quiet_NaN();
            const Tensor column = x.reshape({n, 1}).expand({n, 5}).contiguous();
            CHECK(std::isnan(amax(x).item<double>()));
            CHECK(std::isnan(amin(x).item<double>()));
            CHECK(argmax(x).item<int64_t>() == place);
            CHECK(argmin(x).item<int64_t>() == place);
            CHECK(std::isnan(max(x, 0).values.item<double>()));
            CHECK(argmax(column, 0).to_vector<int64_t>() == std::vector<int64_t>(5, place));
            CHECK(std::isnan(amin(column, 0).select(0, 4).item<double>()));
        }
    }
    CHECK(argmax(tensor({1.0, kNaN, kInf, kNaN})).item<int64_t>() == 1);  // the first NaN
}

TEST_CASE("reductions of nothing") {
    const Tensor x = empty({0, 3});
    CHECK(sum(x).item<double>() == 0);
    CHECK(sum(x, 0).to_vector<double>() == Values{0, 0, 0});
    CHECK(sum(x, 1).sizes() == Shape{0});
    CHECK(prod(x, 0).to_vector<double>() == Values{1, 1, 1});
    CHECK(std::isnan(mean(x).item<double>()));
    CHECK(std::isnan(mean(x, 0).select(0, 2).item<double>()));
    CHECK(std::isnan(var(x).item<double>()));
    CHECK(std::isnan(reel::std(x, 0, false).select(0, 1).item<double>()));
    CHECK_FALSE(any(x).item<bool>());
    CHECK(all(x).item<bool>());
    CHECK(count_nonzero(x, 0).to_vector<int64_t>() == std::vector<int64_t>{0, 0, 0});
    CHECK(amax(x, 1).sizes() == Shape{0});
    CHECK(max(x, 1).indices.sizes() == Shape{0});
    CHECK(sum(empty({3, 0, 2}), {0, 1}).to_vector<double>() == Values{0, 0});
    CHECK(sum(empty({0, 3, 2}), {0, 2}).to_vector<double>() == Values{0, 0, 0});
    CHECK_THROWS_AS(amax(x), ShapeError);
    CHECK_THROWS_AS(amin(x, 0), ShapeError);
    CHECK_THROWS_AS(max(x), ShapeError);
    CHECK_THROWS_AS(max(x, 0), ShapeError);
    CHECK_THROWS_AS(argmax(x), ShapeError);
    CHECK_THROWS_AS(argmin(x, 0), ShapeError);
}

TEST_CASE("reductions of a 0-d tensor take dim 0 and -1") {
    const Tensor x = tensor(3.0);
    for (int64_t dim : {0, -1}) {
        CHECK(sum(x, dim).sizes() == Shape{});
        CHECK(sum(x, dim, true).item<double>() == 3);
        CHECK(amax(x, dim).item<double>() == 3);
        CHECK(prod(x, dim).item<double>() == 3);
        CHECK(var(x, dim, false).item<double>() == 0);
        CHECK(max(x, dim).indices.item<int64_t>() == 0);
        CHECK(argmin(x, dim, true).sizes() == Shape{});
        CHECK(all(x, dim).item<bool>());
    }
    CHECK_THROWS_AS(sum(x, 1), IndexError);
}

TEST_CASE("reductions refuse what PyTorch refuses") {
    const Tensor x = ones({2, 3});
    CHECK_THROWS_AS(sum(x, {0, 0}), ShapeError);
    CHECK_THROWS_AS(sum(x, {1, -1}), ShapeError);
    CHECK_THROWS_AS(amax(x, 2), IndexError);
    CHECK_THROWS_AS(argmax(x, -3), IndexError);
    CHECK_THROWS_AS(mean(ones({2}, kInt64)), DTypeError);
    CHECK_THROWS_AS(mean(ones({2}, kBool)), DTypeError);
    CHECK_THROWS_AS(var(ones({2}, kInt64)), DTypeError);
    CHECK_THROWS_AS(reel::std(ones({2}, kBool)), DTypeError);
}

TEST_CASE("keepdim leaves 1; max and min of two tensors are maximum and minimum") {
    const Tensor x = whole({2, 3, 4}, kFloat32);
    CHECK(x.sum({0, 2}, true).sizes() == Shape{1, 3, 1});
    CHECK(x.std(1, true, true).sizes() == Shape{2, 1, 4});
    CHECK(x.argmax(None, true).sizes() == Shape{1, 1, 1});
    CHECK(x.max(0, true).values.sizes() == Shape{1, 3, 4});
    CHECK(x.max().sizes() == Shape{});
    CHECK(tensor({1.0, 5.0}).max(tensor({3.0, 2.0})).to_vector<double>() == Values{3, 5});
    CHECK(tensor({1.0, 5.0}).min(tensor({3.0, 2.0})).to_vector<double>() == Values{1, 2});
}

TEST_CASE("the maximum over dim 0 of 1…8, as in the source") {
    const auto [values, indices] = (arange(8) + 1).reshape({2, 2, 2}).max(0);
    CHECK(values.to_vector<int64_t>() == std::vector<int64_t>{5, 6, 7, 8});
    CHECK(indices.to_vector<int64_t>() == std::vector<int64_t>{1, 1, 1, 1});
}

TEST_CASE("sums are as exact as pairwise summation") {
    // 0.1 is not a binary fraction: a running float32 sum of 10 million is off by 8 %, in pairs by 1e-7.
    const Tensor x = full({10'000'000}, 0.1);
    const double exact = 1e7 * static_cast<double>(0.1f);
    CHECK(sum(x).item<double>() == doctest::Approx(exact).epsilon(1e-7));
    CHECK(mean(x).item<double>() == doctest::Approx(static_cast<double>(0.1f)).epsilon(1e-7));
    const Tensor columns = full({1'000'000, 3}, 0.1);
    CHECK(sum(columns, 0).select(0, 2).item<double>() == doctest::Approx(exact / 10).epsilon(2e-7));
    const Tensor wide = full({20'000, 40, 2}, 0.1);
    CHECK(sum(wide, {0, 2}).select(0, 7).item<double>() == doctest::Approx(exact / 250).epsilon(2e-7));
}

TEST_CASE("the variance of small noise on a large mean") {
    // 1e8 + {0, 8, 16, 24}: all are float32 numbers, and the deviations are exact.
    const int64_t n = 50'000;
    const Tensor noise = (arange(0, 4, 1, kFloat64) * 8).reshape({1, 4}).expand({n / 4, 4}).reshape({n});
    const Tensor x = (noise + 1e8).to(kFloat32);
    const double expected = 80.0 * static_cast<double>(n) / static_cast<double>(n - 1);
    CHECK(var(x).item<double>() == doctest::Approx(expected).epsilon(1e-6));
    CHECK(reel::std(x).item<double>() == doctest::Approx(std::sqrt(expected)).epsilon(1e-6));
    const Tensor columns = x.reshape({n, 1}).expand({n, 3}).contiguous();
    CHECK(var(columns, 0).select(0, 1).item<double>() == doctest::Approx(expected).epsilon(1e-6));
    CHECK(var(x.to(kFloat64) * 1e6).item<double>() == doctest::Approx(expected * 1e12).epsilon(1e-12));
    // One far outlier in front must not become the centre of all others.
    const Tensor shifted = cat({tensor({-1e8}), x.to(kFloat32)});
    const Values values = shifted.to_vector<double>();
    CHECK(var(shifted).item<double>() == doctest::Approx(variance(values)).epsilon(1e-5));
}

TEST_CASE("the variance at the ends of float32's range") {
    const Tensor tiny = tensor({1e-30, 2e-30, 3e-30, 4e-30});
    CHECK(reel::std(tiny).item<double>() == doctest::Approx(1.2909944e-30).epsilon(1e-6));
    CHECK(reel::std(full({3000, 2}, 3e38), 0).to_vector<double>() == Values{0, 0});
    CHECK(std::isnan(var(tensor({1.0, kInf})).item<double>()));
    CHECK(std::isnan(var(tensor({1.0, kNaN, 2.0})).item<double>()));
    CHECK(std::isnan(var(tensor({5.0})).item<double>()));
    CHECK(var(tensor({5.0}), false).item<double>() == 0);
    CHECK(var(tensor({1.0, 2.0, 4.0}, kFloat16)).dtype() == kFloat16);
}

TEST_CASE("a reduction does not depend on the number of threads") {
    const Tensor x = randn({300, 700});
    const int before = num_threads();
    std::vector<Values> results;
    for (int threads : {1, 2, 3, 7}) {
        set_num_threads(threads);
        Values all;
        for (const Tensor& y : {x.sum(), x.sum(0), x.sum(1), x.var(), x.var(0), x.mean({0, 1}), x.prod(0),
                                x.t().contiguous().sum(0), x.reshape({30, 10, 700}).sum({0, 2})}) {
            for (double value : y.to_vector<double>()) all.push_back(value);
        }
        results.push_back(all);
    }
    set_num_threads(before);
    for (const Values& other : results) CHECK(other == results[0]);
}

TEST_CASE("ties: amax and max() share the gradient, max(dim) sends it to the first") {
    const auto gradient = [](const std::function<Tensor(const Tensor&)>& f,
                             const std::vector<double>& values) {
        const Tensor x = tensor(values, kFloat64).set_requires_grad();
        const Tape tape;
        f(x).backward();
        return x.grad().to_vector<double>();
    };
    const std::vector<double> tied = {1, 3, 2, 3};
    CHECK(gradient([](const Tensor& x) { return amax(x); }, tied) == Values{0, 0.5, 0, 0.5});
    CHECK(gradient([](const Tensor& x) { return max(x); }, tied) == Values{0, 0.5, 0, 0.5});
    CHECK(gradient([](const Tensor& x) { return max(x, 0).values; }, tied) == Values{0, 1, 0, 0});
    CHECK(gradient([](const Tensor& x) { return min(x, 0).values; }, {2, 1, 1}) == Values{0, 1, 0});
    CHECK(gradient([](const Tensor& x) { return max(x, 0).values; }, {1, kNaN, 3}) == Values{0, 1, 0});
    CHECK(gradient([](const Tensor& x) { return prod(x); }, {2, 0, 3}) == Values{0, 6, 0});
    CHECK(gradient([](const Tensor& x) { return prod(x); }, {0, 0, 3}) == Values{0, 0, 0});
    CHECK(gradient([](const Tensor& x) { return reel::std(x); }, {3, 3}) == Values{0, 0});
    CHECK(std::isnan(gradient([](const Tensor& x) { return var(x); }, {3})[0]));
}

TEST_CASE("norm: every p over any dims and layout") {
    for (double p : {0.0, 1.0, 2.0, 3.0, 1.5, 0.5, -1.0, kInf, -kInf}) {
        const auto written = [p](const Values& v) {
            double sum = 0;
            double high = 0;
            double low = kInf;
            for (double x : v) {
                high = std::max(high, std::abs(x));
                low = std::min(low, std::abs(x));
                sum += p == 0 ? (x != 0 ? 1 : 0) : std::pow(std::abs(x), p);
            }
            return p == kInf ? high : p == -kInf ? low : p == 0 ? sum : std::pow(sum, 1 / p);
        };
        for (const Shape& sizes : {Shape{7}, Shape{5, 3}, Shape{40, 2, 70}}) {
            const Tensor x = whole(sizes, kFloat64);
            for (const Shape& dims : subsets(x.dim())) {
                const Values expected = reference(x, dims, written);
                for (const Tensor& view : layouts(x)) {
                    INFO("p " << p << " shape " << sizes << " dims " << dims << " strides "
                              << view.strides());
                    const Values got = norm(view, p, dims).to_vector<double>();
                    for (std::size_t i = 0; i < got.size(); ++i) {
                        CHECK(got[i] == doctest::Approx(expected[i]).epsilon(1e-12));
                    }
                }
            }
        }
        if (p < 0 || p == kInf) {
            CHECK_THROWS_AS(norm(empty({0}), p), ShapeError);
            CHECK_THROWS_AS(norm(empty({2, 0}), p, 1), ShapeError);
        } else {
            CHECK(norm(empty({0}), p).item<double>() == 0);  // as torch.norm
            CHECK(norm(empty({0, 2}), p, 0).to_vector<double>() == Values{0, 0});
        }
        CHECK(norm(empty({2, 0}), p, 0).sizes() == Shape{0});
    }
    CHECK(norm(tensor({3.0, 4.0}, kFloat16)).dtype() == kFloat16);
    CHECK(std::isnan(norm(tensor({3.0, kNaN})).item<double>()));
    CHECK_THROWS_AS(norm(ones({2}, kInt64)), DTypeError);
    CHECK_THROWS_AS(norm(ones({2, 2}), 2, {0, 0}), ShapeError);
}

TEST_CASE("norm: squares leave float32's range before their root does") {
    CHECK(norm(full({4}, 1e30)).item<double>() == doctest::Approx(2e30).epsilon(1e-6));
    CHECK(norm(full({4}, 1e-30)).item<double>() * 1e30 == doctest::Approx(2).epsilon(1e-6));
    CHECK(norm(tensor({1.0, kInf})).item<double>() == kInf);
    CHECK(norm(zeros({3})).item<double>() == 0);
}

TEST_CASE("norm: neither a power nor its sum leaves the range before its root does") {
    for (const auto& [dtype, high] : {std::pair{kFloat32, 1e30}, {kFloat64, 1e200}, {kFloat16, 1e3}}) {
        for (double p : {2.0, 3.0, 2.5, 0.5, 40.0, -2.0, -30.0}) {
            for (double size : {high, 1 / high, 1.0}) {
                CAPTURE(dtype);
                CAPTURE(p);
                CAPTURE(size);
                const Tensor x = full({2, 3}, size, dtype);
                const double expected = size * std::pow(3, 1 / p);
                const Tensor y = norm(x, p, {1});
                if (expected > 65504 && dtype == kFloat16) continue;
                const double tolerance = dtype == kFloat64 ? 1e-15 : dtype == kFloat32 ? 1e-7 : 1e-3;
                CHECK(y[1].item() / expected == doctest::Approx(1).epsilon(4 * tolerance));
                const Tensor leaf = x.clone().set_requires_grad();
                const Tape tape;
                norm(leaf, p, {1}).sum().backward();
                CHECK(leaf.grad().isfinite().all().item<bool>());
                CHECK(leaf.grad()[0][0].item() ==
                      doctest::Approx(std::pow(3, 1 / p - 1)).epsilon(100 * tolerance));
            }
        }
    }
    const Tensor mixed = tensor({{1e200, 1e200}, {0.0, 0.0}, {3.0, 4.0}, {kInf, 1.0}}, kFloat64);
    const Values rows = norm(mixed, 2, {1}).to_vector<double>();
    CHECK(rows[0] == doctest::Approx(std::sqrt(2) * 1e200));
    CHECK(rows[1] == 0);
    CHECK(rows[2] == 5);
    CHECK(rows[3] == kInf);
    CHECK(std::isnan(norm(tensor({1e200, kNaN}, kFloat64), 3).item()));
}

template <class T>
concept SaysUnbiased = requires(const Tensor& x, T unbiased) {
    x.var(Shape{1}, unbiased);
    x.std(Shape{1}, unbiased);
    var(x, Shape{1}, unbiased);
    reel::std(x, Shape{1}, unbiased);
};

TEST_CASE("var and std take unbiased as a bool, nothing else") {
    CHECK(SaysUnbiased<bool>);
    CHECK_FALSE(SaysUnbiased<int>);
    CHECK_FALSE(SaysUnbiased<double>);
    const Tensor x = arange(6.0).view({2, 3});
    CHECK(x.var({1}, false, true).sizes() == Shape{2, 1});
    CHECK(x.var(0).sizes() == Shape{3});
    CHECK(x.var(false).dim() == 0);
}

TEST_CASE("var: the error does not grow with the length") {
    manual_seed(3);
    const Tensor x = randn({1 << 20}, kFloat64);
    long double sum = 0;
    for (double v : x.to_vector<double>()) sum += static_cast<long double>(v);
    const long double mean = sum / x.numel();
    long double squares = 0;
    for (double v : x.to_vector<double>())
        squares += (static_cast<long double>(v) - mean) * (static_cast<long double>(v) - mean);
    const auto expected = static_cast<double>(squares / (x.numel() - 1));
    CHECK(std::abs(x.var().item() - expected) <= 8 * 0x1p-53 * expected);
    CHECK(std::abs(x.view({-1, 16}).var(Shape{0, 1}).item() - expected) <= 8 * 0x1p-53 * expected);
    CHECK(std::abs(x.view({-1, 1}).expand({-1, 2}).contiguous().var(0)[1].item() - expected) <=
          8 * 0x1p-53 * expected);
}

TEST_CASE("norm: the gradient at 0 and at ties") {
    const auto gradient = [](double p, const std::vector<double>& values) {
        const Tensor x = tensor(values, kFloat64).set_requires_grad();
        const Tape tape;
        norm(x, p).backward();
        return x.grad().to_vector<double>();
    };
    const Values zero = {0, 0, 0};
    for (double p : {0.5, 1.0, 1.5, 2.0, 3.0, -1.0, kInf, -kInf}) CHECK(gradient(p, {0, 0, 0}) == zero);
    // torch.tensor([0., 1, -2]).norm(p) and [1., -2, 2].norm(p)
    CHECK(gradient(1, {0, 1, -2}) == Values{0, 1, -1});
    CHECK(gradient(2, {1, -2, 2})[1] == doctest::Approx(-2.0 / 3));
    CHECK(gradient(0.5, {0, 1, -2})[2] == doctest::Approx(-1.7071067811865472));
    CHECK(gradient(3, {0, 1, -2})[0] == 0);
    CHECK(gradient(-1, {0, 1, -2}) == zero);
    CHECK(gradient(kInf, {1, -2, 2}) == Values{0, -0.5, 0.5});
    CHECK(gradient(-kInf, {1, -2, 2}) == Values{1, 0, 0});
    const Tensor x = ones({2}).set_requires_grad();
    const Tape tape;
    CHECK(norm(x, 0).requires_grad());  // it counts: the gradient is zero
}

TEST_CASE("strided: rows of elements a step apart have the reductions of dense ones, to the last bit") {
    for (const DType dtype : {kFloat32, kFloat64, kInt64, kFloat16, kBool}) {
        for (const int64_t step : {-1, 1, 2, 3, 4, 5}) {
            for (const int64_t n : {1, 2, 7, 8, 9, 17, 31, 64, 100, 257, 1027, 40003}) {
                CAPTURE(dtype);
                CAPTURE(step);
                CAPTURE(n);
                const int64_t rows = n > 10000 ? 2 : 3;
                const int64_t reach = (n - 1) * std::abs(step) + 1;
                // Memory that ends with the last element.
                const Tensor dense =
                    is_floating_point(dtype) ? randn({rows, n}).to(dtype) : whole({rows, n}, dtype);
                std::vector<double> memory(
                    static_cast<std::size_t>((rows * reach * itemsize(dtype) + 7) / 8));
                void* end = reinterpret_cast<std::byte*>(memory.data() + memory.size()) -
                            rows * reach * itemsize(dtype);
                Tensor x = from_blob(end, {rows, n}, {reach, std::abs(step)}, dtype);
                if (step < 0) x = x.flip(1);
                x.copy_(dense);
                for (const auto& f : std::initializer_list<std::function<Tensor(const Tensor&)>>{
                         [](const Tensor& a) { return a.sum(1); }, [](const Tensor& a) { return a[0].sum(); },
                         [](const Tensor& a) { return a.amax(1); }, [](const Tensor& a) { return a.amin(1); },
                         [](const Tensor& a) { return a.sum(0); }, [](const Tensor& a) { return a.amax(); }})
                    CHECK(f(x).equal(f(dense)));
                if (dtype == kBool) continue;
                CHECK(x.prod(1).equal(dense.prod(1)));
                if (is_floating_point(dtype)) {
                    CHECK(norm(x, 2, {1}).equal(norm(dense, 2, {1})));
                    CHECK(x.mean(1).equal(dense.mean(1)));
                }
                const Tensor exact = whole({rows, n}, dtype);  // in any order
                x.copy_(exact);
                CHECK(x.sum().equal(exact.sum()));
            }
        }
    }
}
