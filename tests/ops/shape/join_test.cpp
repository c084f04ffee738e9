// Joining: shapes, types, layouts and errors as PyTorch has them.
#include <doctest/doctest.h>

#include <limits>

#include "reel.hpp"

using namespace reel;

namespace {

using std::int64_t;
using Ints = std::vector<int64_t>;

Tensor counted(const Shape& sizes, DType dtype = kInt64, int64_t start = 0) {
    return (arange(numel(sizes)) + start).reshape(sizes).to(dtype);
}

}  // namespace

TEST_CASE("cat: along every dim, of every layout, the parts are its slices") {
    for (DType dtype : {kFloat32, kFloat64, kInt64, kBool, kFloat16}) {
        for (int64_t dim = 0; dim < 3; ++dim) {
            for (int64_t scale : {1, 40}) {
                Shape sizes[3] = {{3, 4, 5 * scale}, {3, 4, 5 * scale}, {3, 4, 5 * scale}};
                std::vector<Tensor> parts;
                for (int64_t i = 0; i < 3; ++i) {
                    sizes[i][static_cast<std::size_t>(dim)] = i * i * scale + 1;
                    parts.push_back(counted(sizes[i], dtype, 100 * i));
                }
                const std::vector<Tensor> turned = {
                    parts[0], parts[1].transpose(0, 2).contiguous().transpose(0, 2), parts[2]};
                for (const auto& given : {parts, turned}) {
                    const Tensor y = cat(given, dim - 3);
                    CHECK(y.dtype() == dtype);
                    int64_t start = 0;
                    for (const Tensor& part : parts) {
                        CHECK(y.narrow(dim, start, part.size(dim)).equal(part));
                        start += part.size(dim);
                    }
                    CHECK(y.size(dim) == start);
                }
            }
        }
    }
}

TEST_CASE("cat: the common type, empty parts") {
    CHECK(cat({counted({2}), counted({1}, kFloat32, 7)}).dtype() == kFloat32);
    CHECK(cat({counted({2}), counted({1}, kFloat32, 7)}).to_vector<double>() == std::vector<double>{0, 1, 7});
    CHECK(cat({ones({1}, kBool), counted({1})}).dtype() == kInt64);
    CHECK(cat({empty({0}), counted({2, 2}, kFloat32)}, 1).sizes() == Shape{2, 2});
    CHECK(cat({empty({0, 2}), counted({2, 2}, kFloat32)}, 0).sizes() == Shape{2, 2});
    CHECK(cat({empty({0}), empty({0})}).sizes() == Shape{0});
    CHECK_THROWS_AS(cat({}), ShapeError);
    CHECK_THROWS_AS(cat({tensor(1.0), tensor(2.0)}), ShapeError);
    CHECK_THROWS_AS(cat({ones({2, 3}), ones({2, 4})}, 0), ShapeError);
    CHECK_THROWS_AS(cat({ones({2, 3}), ones({2})}, 0), ShapeError);
    CHECK_THROWS_AS(cat({empty({0, 2}), ones({2, 3})}, 0), ShapeError);
    CHECK_THROWS_AS(cat({ones({2, 3})}, 2), IndexError);
    // Parts that join with anything join along any dimension.
    CHECK(cat({zeros({0}), ones({2, 3})}, -2).sizes() == Shape{2, 3});
    CHECK(cat({zeros({0}), zeros({0})}, -2).sizes() == Shape{0});
}

TEST_CASE("stack: a new dimension anywhere") {
    const Tensor a = counted({2, 3});
    const Tensor b = counted({2, 3}, kInt64, 6);
    CHECK(stack({a, b}).sizes() == Shape{2, 2, 3});
    CHECK(stack({a, b}, 1).select(1, 0).equal(a));
    CHECK(stack({a, b}, -1).select(-1, 1).equal(b));
    CHECK(stack({tensor(1), tensor(2)}).to_vector<int64_t>() == Ints{1, 2});
    CHECK_THROWS_AS(stack({a, counted({3, 2})}), ShapeError);
    CHECK_THROWS_AS(stack({}), ShapeError);
    CHECK_THROWS_AS(stack({a}, 3), IndexError);
}

TEST_CASE("cat: a part gets its slice of the gradient") {
    const Tensor a = ones({2, 1}, kFloat32).set_requires_grad();
    const Tensor b = ones({2, 2}, kFloat64).set_requires_grad();
    const Tape tape;
    (cat({a, b}, 1) * counted({2, 3}, kFloat64)).sum().backward();
    CHECK(a.grad().dtype() == kFloat32);
    CHECK(a.grad().to_vector<double>() == std::vector<double>{0, 3});
    CHECK(b.grad().to_vector<double>() == std::vector<double>{1, 2, 4, 5});
}

TEST_CASE("repeat") {
    const Tensor x = counted({2, 3});
    CHECK(x.repeat({2, 1}).equal(cat({x, x})));
    CHECK(x.repeat({1, 2}).equal(cat({x, x}, 1)));
    CHECK(x.t().repeat({2, 1, 2}).equal(stack({cat({x.t(), x.t()}, 1), cat({x.t(), x.t()}, 1)})));
    CHECK(x.repeat({2, 0, 1}).sizes() == Shape{2, 0, 3});
    CHECK(tensor(2.0).repeat(3).to_vector<double>() == std::vector<double>{2, 2, 2});
    CHECK(tensor(2.0).repeat({}).sizes() == Shape{});
    CHECK_THROWS_AS(x.repeat(2), ShapeError);
    CHECK_THROWS_AS(x.repeat({1, -1}), ShapeError);
}

TEST_CASE("repeat_interleave") {
    const Tensor x = counted({2, 3});
    CHECK(x.repeat_interleave(2).to_vector<int64_t>() == Ints{0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5});
    CHECK(x.repeat_interleave(2, 0).to_vector<int64_t>() == Ints{0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5});
    CHECK(x.repeat_interleave(tensor({1, 0, 2}), 1).to_vector<int64_t>() == Ints{0, 2, 2, 3, 5, 5});
    CHECK(x.repeat_interleave(tensor({2}), -2).equal(x.repeat_interleave(2, 0)));
    CHECK(x.repeat_interleave(tensor(2)).equal(x.repeat_interleave(2)));
    CHECK(x.repeat_interleave(0, 1).sizes() == Shape{2, 0});
    CHECK(tensor(2.0).repeat_interleave(3).to_vector<double>() == std::vector<double>{2, 2, 2});
    CHECK_THROWS_AS(x.repeat_interleave(-1), ShapeError);
    CHECK_THROWS_AS(x.repeat_interleave(tensor({1, 2}), 1), ShapeError);
    CHECK_THROWS_AS(x.repeat_interleave(tensor({-1, 2, 1}), 1), ShapeError);
    CHECK_THROWS_AS(x.repeat_interleave(tensor({1.0, 2.0, 1.0}), 1), DTypeError);
    CHECK_THROWS_AS(x.repeat_interleave(2, 2), IndexError);
}

TEST_CASE("roll") {
    const Tensor x = counted({2, 3});
    CHECK(x.roll(1).to_vector<int64_t>() == Ints{5, 0, 1, 2, 3, 4});
    CHECK(x.roll({1, 1}, {0, 1}).to_vector<int64_t>() == Ints{5, 3, 4, 2, 0, 1});
    CHECK(x.roll(-4, 1).to_vector<int64_t>() == Ints{1, 2, 0, 4, 5, 3});
    CHECK(x.roll(3, 1).equal(x));
    CHECK_FALSE(x.roll(3, 1).shares_storage(x));
    CHECK(tensor(1.0).roll(3).item<double>() == 1);
    CHECK(empty({0, 2}).roll(1, 0).sizes() == Shape{0, 2});
    CHECK_THROWS_AS(x.roll({1, 2}, 0), ShapeError);
    CHECK_THROWS_AS(x.roll({1, 2}), ShapeError);
    CHECK_THROWS_AS(tensor(1.0).roll(3, 0), IndexError);
}

TEST_CASE("pad: what is large is the tensor between its margins, too") {
    for (const Shape& sizes : {Shape{4, 50, 30}, Shape{2, 20, 300}, Shape{7, 3, 400}}) {
        for (const Shape& pads : {Shape{2, 1, 3, 0, 1, 2}, Shape{0, 0, 2, 2, 0, 1}, Shape{-2, 2, 1, -1}}) {
            const Tensor x = randn(sizes);
            const Tensor y = pad(x, pads, "constant", 7);
            Tensor expected = x;
            for (std::size_t i = 0; i < pads.size(); ++i) {
                const std::int64_t dim = 2 - static_cast<std::int64_t>(i / 2);
                const std::int64_t size = expected.size(dim);
                const bool before = i % 2 == 0;
                if (pads[i] <= 0) {
                    expected =
                        before ? expected.slice(dim, -pads[i]) : expected.slice(dim, 0, size + pads[i]);
                    continue;
                }
                Shape margin = expected.sizes();
                margin[dim] = pads[i];
                expected = before ? cat({full(margin, 7, kFloat32), expected}, dim)
                                  : cat({expected, full(margin, 7, kFloat32)}, dim);
            }
            CAPTURE(sizes);
            CAPTURE(pads);
            CHECK(y.equal(expected));
        }
    }
}

TEST_CASE("pad: values of torch.nn.functional.pad") {
    const Tensor x = counted({2, 3});
    CHECK(pad(x, {1, 2}).to_vector<int64_t>() == Ints{0, 0, 1, 2, 0, 0, 0, 3, 4, 5, 0, 0});
    CHECK(pad(x, {-1, 1, 1, 0}, "constant", 9).to_vector<int64_t>() == Ints{9, 9, 9, 1, 2, 9, 4, 5, 9});
    CHECK(pad(x, {1, 1}, "reflect").to_vector<int64_t>() == Ints{1, 0, 1, 2, 1, 4, 3, 4, 5, 4});
    CHECK(pad(x, {2, 1}, "replicate").to_vector<int64_t>() == Ints{0, 0, 0, 1, 2, 2, 3, 3, 3, 4, 5, 5});
    CHECK(pad(x, {2, 1}, "circular").to_vector<int64_t>() == Ints{1, 2, 0, 1, 2, 0, 4, 5, 3, 4, 5, 3});
    const Tensor row = counted({5});  // cropped first, then wrapped; mirrored and repeated as it was
    CHECK(pad(row, {2, -1}, "circular").to_vector<int64_t>() == Ints{2, 3, 0, 1, 2, 3});
    CHECK(pad(row, {-2, 3}, "circular").to_vector<int64_t>() == Ints{2, 3, 4, 2, 3, 4});
    CHECK(pad(row, {2, -1}, "reflect").to_vector<int64_t>() == Ints{2, 1, 0, 1, 2, 3});
    CHECK(pad(row, {-2, 3}, "reflect").to_vector<int64_t>() == Ints{2, 3, 4, 3, 2, 1});
    CHECK(pad(row, {-2, 3}, "replicate").to_vector<int64_t>() == Ints{2, 3, 4, 4, 4, 4});
    constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
    for (const int64_t wide : {int64_t{5}, int64_t{7}, kMost - 1, kMost}) {  // cropped away, but for the edge
        CHECK(pad(row, {-wide, wide}, "replicate").to_vector<int64_t>() == Ints{4, 4, 4, 4, 4});
        CHECK(pad(row, {wide, -wide}, "replicate").to_vector<int64_t>() == Ints{0, 0, 0, 0, 0});
    }
    CHECK_THROWS_AS(pad(row, {-5, 3}, "circular"), ShapeError);
    CHECK_THROWS_AS(pad(row, {-2, 4}, "circular"), ShapeError);
    CHECK(pad(x, {0, 0, 1, 0}, "replicate").to_vector<int64_t>() == Ints{0, 1, 2, 0, 1, 2, 3, 4, 5});
    CHECK(pad(x.t(), {0, 1}).to_vector<int64_t>() == Ints{0, 3, 0, 1, 4, 0, 2, 5, 0});
    CHECK(pad(x, {-2, -1}).sizes() == Shape{2, 0});
    CHECK(pad(x, {-3, 2}).to_vector<int64_t>() == Ints{0, 0, 0, 0});
    CHECK(pad(x, {}).equal(x));
    CHECK_FALSE(pad(x, {}).shares_storage(x));
    CHECK(pad(tensor({1, 2}), {1, 1}, "constant", 1.5).to_vector<int64_t>() == Ints{1, 1, 2, 1});
    CHECK_THROWS_AS(pad(x, 1), ShapeError);
    CHECK_THROWS_AS(pad(x, {1, 1, 1, 1, 1, 1}), ShapeError);
    CHECK_THROWS_AS(pad(x, {-2, -2}), ShapeError);
    CHECK_THROWS_AS(pad(x, {3, 0}, "reflect"), ShapeError);
    CHECK_THROWS_AS(pad(x, {4, 0}, "circular"), ShapeError);
    CHECK_THROWS_AS(pad(x, {1, 1}, "mirror"), Error);
}

TEST_CASE("tril and triu") {
    const Tensor x = counted({2, 3, 4}, kFloat32, 1);
    for (int64_t diagonal = -4; diagonal <= 5; ++diagonal) {
        const auto all = x.to_vector<double>();
        const auto low = x.tril(diagonal).to_vector<double>();
        const auto high =
            x.permute({0, 2, 1}).contiguous().permute({0, 2, 1}).triu(diagonal).to_vector<double>();
        for (std::size_t i = 0; i < all.size(); ++i) {
            const auto above = static_cast<int64_t>(i % 4) - static_cast<int64_t>(i / 4 % 3);
            CHECK(low[i] == (above <= diagonal ? all[i] : 0));
            CHECK(high[i] == (above >= diagonal ? all[i] : 0));
        }
    }
    using Limits = std::numeric_limits<int64_t>;
    for (int64_t far : {Limits::max(), Limits::max() - 2, Limits::min(), Limits::min() + 1}) {
        CHECK(x.triu(far).equal(far > 0 ? zeros({2, 3, 4}) : x));
        CHECK(x.tril(far).equal(far > 0 ? x : zeros({2, 3, 4})));
    }
    CHECK(empty({0, 3}).tril().sizes() == Shape{0, 3});
    CHECK(empty({3, 0}).triu().sizes() == Shape{3, 0});
    CHECK_THROWS_AS(ones({3}).tril(), ShapeError);
}
