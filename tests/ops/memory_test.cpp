// How results lie in memory, and those that are so large that they are written past the caches: each part
// must be what it is when it is computed alone.
#include <doctest/doctest.h>

#include "reel.hpp"

using namespace reel;

namespace {

/// Whether f of `x` is, at its beginning, at its end and between, f of the part of x that stands there (along
/// dim 0).
void check_parts(const Tensor& x, std::int64_t length, Tensor (*f)(const Tensor&)) {
    const Tensor y = f(x);
    CHECK(y.numel() * 4 > 8 << 20);
    for (const std::int64_t start : {std::int64_t{0}, x.size(0) / 3, x.size(0) - length}) {
        CHECK(y.narrow(0, start, length).equal(f(x.narrow(0, start, length).clone())));
    }
}

}  // namespace

TEST_CASE("a large result is that of its parts") {
    manual_seed(3);
    const Tensor x = randn({2'500'003});
    check_parts(x, 10'007, [](const Tensor& part) { return part + part; });
    check_parts(x, 10'007, [](const Tensor& part) { return part * 1.5; });
    check_parts(x, 10'007, [](const Tensor& part) { return part.exp(); });
    const Tensor rows = randn({51, 50'257});  // no row but the first begins at a line of the cache
    check_parts(rows, 1, [](const Tensor& part) { return softmax(part, -1); });
    check_parts(rows, 1, [](const Tensor& part) { return log_softmax(part, -1); });
}

TEST_CASE("a large transpose has every element in its place") {
    for (const auto& [rows, columns] : {std::pair{1600, 1408}, std::pair{1601, 1407}}) {
        const Tensor x = arange(rows * columns).to(kFloat32).view({rows, columns});
        const Tensor y = x.t().contiguous();
        CHECK(y.is_contiguous());
        CHECK(y.equal(arange(columns).unsqueeze(1).to(kFloat32) + arange(rows).to(kFloat32) * columns));
    }
}

TEST_CASE("dimensions that repeat do not decide the layout of a result, as in PyTorch") {
    const Tensor repeated = rand({4, 3}).expand({5, 2, 4, 3});
    CHECK((repeated + 1).is_contiguous());
    CHECK(where(repeated > 0.5, repeated, 0).is_contiguous());
    CHECK((rand({4, 3}).t().expand({5, 3, 4}) + 1).strides() == Shape{12, 1, 3});
}
