// Joining: shapes, types, layouts and errors as PyTorch has them.
#include <doctest/doctest.h>

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
