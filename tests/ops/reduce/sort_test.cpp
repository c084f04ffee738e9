// Order against std::sort, equal elements in the order of their indices, and where PyTorch has decided: NaN, -0, ties.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "reel.hpp"

using namespace reel;

namespace {

using std::int64_t;
using Ints = std::vector<int64_t>;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

/// Numbers with many ties, both zeros, infinities and NaN.
Tensor mixed(const Shape& sizes, DType dtype) {
    const double values[] = {3, -1, kNaN, 0, -0.0, 2, -kInf, 3, kInf, -2, 1, -1, 7};
    const double plain[] = {3, -1, 5, 0, 0, 2, -9, 3, 9, -2, 1, -1, 7};
    std::vector<double> all;
    for (int64_t i = 0; i < numel(sizes); ++i) {
        const auto pick = static_cast<std::size_t>(i * (i + 5) % 13);
        all.push_back(is_floating_point(dtype) ? values[pick] : plain[pick]);
    }
    return tensor(all, kFloat64).reshape(sizes).to(dtype);
}

/// NaN is the greatest.
bool before(double a, double b) { return std::isnan(b) ? !std::isnan(a) : a < b; }

/// The order of one row, by the standard library.
Ints order(const std::vector<double>& row, bool descending) {
    Ints places(row.size());
    std::iota(places.begin(), places.end(), 0);
    std::sort(places.begin(), places.end(), [&](int64_t a, int64_t b) {
        const double x = row[static_cast<std::size_t>(descending ? b : a)];
        const double y = row[static_cast<std::size_t>(descending ? a : b)];
        return before(x, y) || (!before(y, x) && a < b);
    });
    return places;
}

}  // namespace

TEST_CASE("sort and topk: any dim, layout, type and direction") {
    for (const Shape& sizes :
         {Shape{1}, Shape{13}, Shape{2000}, Shape{3, 7}, Shape{20, 3}, Shape{3, 600, 2}, Shape{21, 61}}) {
        for (DType dtype : {kFloat32, kFloat64, kInt64, kBool, kFloat16, kBFloat16}) {
            const Tensor x = mixed(sizes, dtype);
            for (int64_t dim = 0; dim < x.dim(); ++dim) {
                for (bool descending : {false, true}) {
                    INFO("shape " << sizes << " dim " << dim << " " << dtype << " descending " << descending);
                    const Tensor view = x.flip(dim).contiguous().flip(dim);
                    const auto [values, indices] = view.sort(dim - x.dim(), descending);
                    CHECK(values.dtype() == dtype);
                    CHECK(values.sizes() == sizes);
                    CHECK(indices.equal(view.argsort(dim, descending)));
                    CHECK(isclose(values, x.gather(dim, indices), 0, 0, true).all().item<bool>());
                    const Tensor rows = x.movedim(dim, -1).reshape({-1, x.size(dim)});
                    const Tensor places = indices.movedim(dim, -1).reshape({-1, x.size(dim)});
                    for (int64_t r = 0; r < rows.size(0); ++r) {
                        CHECK(places[r].to_vector<int64_t>() ==
                              order(rows[r].to_vector<double>(), descending));
                    }
                    const int64_t n = x.size(dim);
                    for (int64_t k : {int64_t{1}, std::min<int64_t>(n, 3), std::min<int64_t>(n, 8),
                                      (n + 8) / 9, (n + 1) / 2}) {
                        const auto top = view.topk(k, dim, descending);
                        CHECK(top.indices.equal(indices.narrow(dim, 0, k)));
                        CHECK(isclose(top.values, values.narrow(dim, 0, k), 0, 0, true).all().item<bool>());
                    }
                }
            }
        }
    }
}

TEST_CASE("topk of rows in order and in reverse") {
    for (DType dtype : {kFloat32, kFloat64, kInt64}) {
        const Tensor rising = arange(3000, kInt64).to(dtype);
        for (int64_t k : {1, 8, 9, 300}) {
            const Tensor last = 2999 - arange(k);
            CHECK(rising.topk(k).indices.equal(last));
            CHECK(rising.topk(k, 0, false).indices.equal(arange(k)));
            CHECK(rising.flip(0).topk(k).indices.equal(arange(k)));
            CHECK(rising.flip(0).topk(k, 0, false).indices.equal(last));
        }
    }
}

TEST_CASE("sort: NaN, zeros and ties as torch.sort(stable=True)") {
    const Tensor x = tensor({3.0, kNaN, -0.0, 0.0, kNaN, kInf, -1.0});
    CHECK(x.sort().indices.to_vector<int64_t>() == Ints{6, 2, 3, 0, 5, 1, 4});
    CHECK(x.sort(0, true).indices.to_vector<int64_t>() == Ints{1, 4, 5, 0, 2, 3, 6});
    CHECK(x.topk(3).indices.to_vector<int64_t>() == Ints{1, 4, 5});
    CHECK(std::signbit(x.sort().values.select(0, 1).item<double>()));  // elements come through as they were
}

TEST_CASE("sort and topk of nothing, of one number, out of range") {
    CHECK(sort(empty({2, 0})).values.sizes() == Shape{2, 0});
    CHECK(sort(empty({0, 2}), 1).indices.sizes() == Shape{0, 2});
    CHECK(topk(empty({2, 3}), 0).values.sizes() == Shape{2, 0});
    CHECK(tensor(3.0).sort().values.item<double>() == 3);
    CHECK(tensor(3.0).topk(1).indices.sizes() == Shape{});
    CHECK(tensor(3.0).argsort(-1, true).item<int64_t>() == 0);
    CHECK_THROWS_AS(sort(ones({2}), 1), IndexError);
    CHECK_THROWS_AS(topk(ones({2, 3}), 4), IndexError);
    CHECK_THROWS_AS(topk(ones({2, 3}), -1), IndexError);
}

TEST_CASE("sort: the gradient goes back to where the elements stood") {
    const Tensor x = tensor({3.0, 1.0, 3.0, 2.0}, kFloat64).set_requires_grad();
    const Tape tape;
    (x.sort().values * tensor({1.0, 10.0, 100.0, 1000.0}, kFloat64)).sum().backward();
    CHECK(x.grad().to_vector<double>() == std::vector<double>{100, 1, 1000, 10});
}
