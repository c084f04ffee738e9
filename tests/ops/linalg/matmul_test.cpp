// Products against the sums that define them: shapes, layouts, types, errors, threads.
#include <doctest/doctest.h>

#include <cmath>

#include "reel.hpp"

using namespace reel;

namespace {

using std::int64_t;

/// Whole numbers of [-4, 4]: their products and sums are exact in every floating type.
Tensor whole(const Shape& sizes, DType dtype, int64_t salt = 0) {
    Tensor x = empty(sizes, kInt64);
    for (int64_t i = 0; i < x.numel(); ++i)
        x.data_ptr<int64_t>()[i] = ((i + salt) * (i + 7 * salt + 3)) % 9 - 4;
    return x.to(dtype);
}

/// Σ a[i, l] b[l, j] as it is written.
std::vector<double> product(const Tensor& a, const Tensor& b) {
    const auto x = a.to_vector<double>();
    const auto y = b.to_vector<double>();
    const auto m = static_cast<std::size_t>(a.size(0));
    const auto k = static_cast<std::size_t>(a.size(1));
    const auto n = static_cast<std::size_t>(b.size(1));
    std::vector<double> z(m * n, 0);
    for (std::size_t i = 0; i < m; ++i) {
        for (std::size_t l = 0; l < k; ++l) {
            for (std::size_t j = 0; j < n; ++j) z[i * n + j] += x[i * k + l] * y[l * n + j];
        }
    }
    return z;
}

/// The same matrix in other memory: dense, transposed, with a gap, every other column, backwards, repeated.
std::vector<Tensor> layouts(const Tensor& x) {
    const int64_t m = x.size(0);
    const int64_t n = x.size(1);
    const Tensor across = empty({n, m}, x.dtype());
    across.t().copy_(x);
    const Tensor gap = zeros({m, n + 3}, x.dtype());
    gap.narrow(1, 2, n).copy_(x);
    const Tensor apart = zeros({m, 2 * n}, x.dtype());
    const Tensor every_other = apart.slice(1, 0, 2 * n, 2);
    every_other.copy_(x);
    const Tensor backwards = x.flip({0, 1}).contiguous().flip({0, 1});
    return {x, across.t(), gap.narrow(1, 2, n), every_other, backwards};
}

}  // namespace

TEST_CASE("matmul: two matrices of any size, layout and type give the sum of products") {
    const Shape sizes[] = {{1, 1, 1},  {1, 5, 3},    {5, 1, 3},    {4, 3, 1},
                           {7, 9, 13}, {16, 16, 16}, {17, 33, 65}, {70, 65, 70}};
    for (DType dtype : {kFloat32, kFloat64, kInt64, kFloat16, kBFloat16}) {
        for (const Shape& s : sizes) {
            if (is_reduced(dtype) && s[2] > 16) continue;  // larger sums are not exact there
            const Tensor a = whole({s[0], s[2]}, dtype, 1);
            const Tensor b = whole({s[2], s[1]}, dtype, 2);
            const auto expected = product(a, b);
            for (const Tensor& x : layouts(a)) {
                for (const Tensor& y : layouts(b)) {
                    const Tensor z = matmul(x, y);
                    CHECK(z.dtype() == dtype);
                    CHECK(z.sizes() == Shape{s[0], s[1]});
                    CHECK(z.to_vector<double>() == expected);
                }
            }
        }
    }
}

TEST_CASE("matmul: a float16 product is summed in float32") {
    // In float16 the sum of ones stops at 2048.
    const Tensor a = ones({1, 4096}, kFloat16);
    CHECK(matmul(a, ones({4096, 1}, kFloat16)).item<float>() == 4096.0f);
}

TEST_CASE("matmul: a repeated (expanded) operand is read as what it shows") {
    const Tensor row = whole({1, 6}, kFloat32);
    const Tensor b = whole({6, 5}, kFloat32, 3);
    CHECK(matmul(row.expand({4, 6}), b).to_vector<double>() == product(row.expand({4, 6}).contiguous(), b));
    const Tensor column = whole({6, 1}, kFloat32, 5);
    CHECK(matmul(b.t(), column.expand({6, 3})).to_vector<double>() ==
          product(b.t().contiguous(), column.expand({6, 3}).contiguous()));
}

TEST_CASE("matmul: the shapes of vectors, matrices and batches") {
    const auto shape = [](const Shape& a, const Shape& b) { return matmul(ones(a), ones(b)).sizes(); };
    CHECK(shape({4}, {4}) == Shape{});
    CHECK(shape({3, 4}, {4}) == Shape{3});
    CHECK(shape({4}, {4, 3}) == Shape{3});
    CHECK(shape({2, 3, 4}, {4}) == Shape{2, 3});
    CHECK(shape({4}, {2, 4, 3}) == Shape{2, 3});
    CHECK(shape({2, 3, 4}, {4, 5}) == Shape{2, 3, 5});
    CHECK(shape({3, 4}, {2, 4, 5}) == Shape{2, 3, 5});
    CHECK(shape({7, 1, 3, 4}, {6, 4, 5}) == Shape{7, 6, 3, 5});
    CHECK(shape({0, 3, 4}, {4, 5}) == Shape{0, 3, 5});
}

TEST_CASE("matmul: every matrix of a batch is the product of its matrices") {
    const Tensor a = whole({3, 1, 5, 4}, kFloat32, 1);
    const Tensor b = whole({2, 4, 6}, kFloat32, 2);
    const Tensor y = matmul(a, b);
    for (int64_t i = 0; i < 3; ++i) {
        for (int64_t j = 0; j < 2; ++j) CHECK(y[i][j].to_vector<double>() == product(a[i][0], b[j]));
    }
    const Tensor turned = a.transpose(0, 2);  // no rows to fold
    const Tensor rows = matmul(turned, b[0]);
    for (int64_t i = 0; i < 5; ++i) {
        CHECK(rows[i][0].to_vector<double>() == product(turned[i][0].contiguous(), b[0]));
    }
    const Tensor folded = matmul(b.transpose(1, 2), whole({4, 2}, kFloat32));
    CHECK(folded[1].to_vector<double>() == product(b[1].t().contiguous(), whole({4, 2}, kFloat32)));
}

TEST_CASE("dot: a long sum of products loses nothing to its length") {
    const Tensor x = full({1 << 22}, 0.1);  // one after the other: 4% too small
    const double expected = (1 << 22) * static_cast<double>(0.1f) * static_cast<double>(0.1f);
    CHECK(dot(x, x).item<float>() == doctest::Approx(expected).epsilon(1e-6));
    CHECK(dot(x.flip({0}), x).item<float>() == doctest::Approx(expected).epsilon(1e-6));
    CHECK(linear(x, x.unsqueeze(0), ones({1})).item<float>() == doctest::Approx(expected + 1).epsilon(1e-6));
}

TEST_CASE("matmul: an inner size of 0 gives zeros") {
    CHECK(matmul(ones({2, 0}), ones({0, 3})).to_vector<float>() == std::vector<float>(6, 0));
    CHECK(dot(ones({0}), ones({0})).item<float>() == 0);
    CHECK(linear(ones({2, 0}), ones({3, 0}), tensor({1.0, 2.0, 3.0})).to_vector<float>() ==
          std::vector<float>{1, 2, 3, 1, 2, 3});
}

TEST_CASE("matmul: int64 products are exact beyond 2^53") {
    const int64_t large = (int64_t{1} << 60) + 1;
    CHECK(dot(tensor(std::vector<int64_t>{large}), tensor(std::vector<int64_t>{3})).item<int64_t>() ==
          3 * large);
}

TEST_CASE("matmul: NaN reaches its row, and no other") {
    Tensor a = ones({3, 4});
    a[1][2].fill_(std::nan(""));
    const auto y = matmul(a, ones({4, 2})).to_vector<float>();
    CHECK(y[0] == 4);
    CHECK(std::isnan(y[2]));
    CHECK(std::isnan(y[3]));
    CHECK(y[4] == 4);
}

TEST_CASE("matmul: the same bits at every thread count") {
    const auto fractions = [](const Shape& sizes, DType dtype) {
        return whole(sizes, dtype, 4) / 7.0 + whole(sizes, dtype, 9) / 11.0;
    };
    const int threads = num_threads();
    for (DType dtype : {kFloat32, kFloat64}) {
        for (const Shape& s : {Shape{301, 257, 333}, Shape{64, 256, 784}, Shape{1000, 1, 777},
                               Shape{1, 1000, 777}, Shape{16, 17, 40000}, Shape{600, 900, 8}}) {
            const Tensor a = fractions({s[0], s[2]}, dtype);
            const Tensor b = fractions({s[2], s[1]}, dtype);
            set_num_threads(1);
            const auto alone = matmul(a, b).to_vector<double>();
            for (int count : {2, 3, 4}) {
                set_num_threads(count);
                CHECK(matmul(a, b).to_vector<double>() == alone);
            }
        }
    }
    set_num_threads(threads);
}

TEST_CASE("mm, bmm, mv, dot and outer are matmul for one number of dimensions") {
    const Tensor a = whole({3, 4}, kFloat64, 1);
    const Tensor b = whole({4, 5}, kFloat64, 2);
    const Tensor x = whole({4}, kFloat64, 3);
    CHECK(a.mm(b).to_vector<double>() == product(a, b));
    CHECK(a.unsqueeze(0).bmm(b.unsqueeze(0)).to_vector<double>() == product(a, b));
    CHECK(a.mv(x).to_vector<double>() == product(a, x.unsqueeze(1)));
    CHECK(x.dot(x).item<double>() == product(x.unsqueeze(0), x.unsqueeze(1))[0]);
    CHECK(x.outer(a[0]).to_vector<double>() == product(x.unsqueeze(1), a[0].unsqueeze(0)));
}

TEST_CASE("addmm is beta input + alpha mat1 mat2, and does not read the input where beta is 0") {
    const Tensor a = whole({2, 3}, kFloat64, 1);
    const Tensor b = whole({3, 4}, kFloat64, 2);
    const Tensor c = whole({4}, kFloat64, 3);
    const auto ab = product(a, b);
    const auto row = c.to_vector<double>();
    const auto plain = addmm(c, a, b).to_vector<double>();
    const auto scaled = c.addmm(a, b, 0.5, -2.0).to_vector<double>();
    for (std::size_t i = 0; i < ab.size(); ++i) {
        CHECK(plain[i] == row[i % 4] + ab[i]);
        CHECK(scaled[i] == 0.5 * row[i % 4] - 2 * ab[i]);
    }
    CHECK(addmm(full({4}, std::nan("")).to(kFloat64), a, b, 0, 1).to_vector<double>() == ab);
    // With alpha = 0 the matrices are not read, neither forward nor back.
    const Tensor nothing = full({2, 2}, std::numeric_limits<double>::quiet_NaN()).set_requires_grad();
    const Tape tape;
    const Tensor y = addmm(ones({2, 2}), nothing, ones({2, 2}), 1, 0);
    CHECK(y.to_vector<double>() == std::vector<double>(4, 1));
    y.sum().backward();
    CHECK(nothing.grad().to_vector<double>() == std::vector<double>(4, 0));
}

TEST_CASE("linear and addmm add what the product is added to once, whatever the size, layout and type") {
    for (DType dtype : {kFloat32, kFloat64, kInt64, kFloat16, kBFloat16}) {
        for (const Shape& s :
             {Shape{1, 5, 3}, Shape{5, 1, 3}, Shape{4, 7, 0}, Shape{33, 40, 16}, Shape{3, 33, 1100}}) {
            if (is_reduced(dtype) && s[2] > 16) continue;  // larger sums are not exact there
            const Tensor x = whole({s[0], s[2]}, dtype, 1);
            const Tensor weight = whole({s[1], s[2]}, dtype, 2);
            const auto n = static_cast<std::size_t>(s[1]);
            for (const Tensor& c : layouts(whole({s[0], s[1]}, dtype, 3))) {
                auto of_matrix = product(x, weight.t());
                auto of_row = of_matrix;
                for (std::size_t i = 0; i < of_row.size(); ++i) {
                    of_matrix[i] += c.to_vector<double>()[i];
                    of_row[i] += c[0].to_vector<double>()[i % n];
                }
                CHECK(addmm(c, x, weight.t()).to_vector<double>() == of_matrix);
                CHECK(linear(x, weight, c[0]).to_vector<double>() == of_row);
                const Tensor apart = x.expand({2, s[0], s[2]}).transpose(0, 1);  // a batch that is no matrix
                CHECK(linear(apart, weight, c[0]).select(1, 1).to_vector<double>() == of_row);
            }
        }
    }
}

TEST_CASE("linear is x weightᵀ + bias in one node on the tape") {
    const Tensor x = whole({2, 3, 4}, kFloat64, 1).set_requires_grad();
    const Tensor weight = whole({5, 4}, kFloat64, 2).set_requires_grad();
    const Tensor bias = whole({5}, kFloat64, 3).set_requires_grad();
    Tape tape;
    const Tensor y = linear(x, weight, bias);
    CHECK(tape.size() == 1);
    CHECK(y.sizes() == Shape{2, 3, 5});
    const auto expected = product(x.detach().view({6, 4}), weight.detach().t().contiguous());
    const auto values = y.to_vector<double>();
    for (std::size_t i = 0; i < values.size(); ++i)
        CHECK(values[i] == expected[i] + bias.to_vector<double>()[i % 5]);
    y.sum().backward();
    CHECK(bias.grad().to_vector<double>() == std::vector<double>(5, 6));
    CHECK(x.grad()[1][2].to_vector<double>() == weight.detach().sum({0}).to_vector<double>());
    CHECK(weight.grad()[3].to_vector<double>() == x.detach().sum({0, 1}).to_vector<double>());
    // A bias of one element is that of every output, as in PyTorch.
    for (const Tensor& one : {tensor(1.0), tensor({1.0})})
        CHECK(linear(ones({2, 3}), ones({4, 3}), one.to(kFloat32)).to_vector<double>() ==
              std::vector<double>(8, 4));
}

TEST_CASE("products refuse what does not fit, and say why") {
    const Tensor a = ones({2, 3});
    CHECK_THROWS_WITH_AS(
        matmul(a, a),
        "matmul: shapes [2, 3] and [2, 3] do not fit: 3 columns on the left, 2 rows on the right",
        ShapeError);
    CHECK_THROWS_AS(matmul(a, ones({})), ShapeError);
    CHECK_THROWS_AS(matmul(ones({2, 2, 3}), ones({3, 3, 2})), ShapeError);
    CHECK_THROWS_AS(matmul(a, ones({3, 2}, kFloat64)), DTypeError);
    CHECK_THROWS_AS(matmul(ones({2, 2}, kBool), ones({2, 2}, kBool)), DTypeError);
    CHECK_THROWS_AS(mm(a, ones({3})), ShapeError);
    CHECK_THROWS_AS(mv(a, ones({3, 1})), ShapeError);
    CHECK_THROWS_AS(dot(a, a), ShapeError);
    CHECK_THROWS_AS(outer(a, ones({3})), ShapeError);
    CHECK_THROWS_AS(bmm(a, a), ShapeError);
    CHECK_THROWS_AS(bmm(ones({1, 2, 3}), ones({2, 3, 2})), ShapeError);
    CHECK_THROWS_AS(addmm(ones({3, 2, 2}), a, a.t()), ShapeError);
    CHECK_THROWS_AS(addmm(ones({2, 2}, kInt64), a.to(kInt64), a.t().to(kInt64), 0.5), DTypeError);
    CHECK_THROWS_AS(linear(a, ones({4, 2})), ShapeError);
    CHECK_THROWS_AS(linear(a, ones({4, 3}), ones({3})), ShapeError);
    CHECK_THROWS_AS(linear(a, ones({4, 3}, kFloat64)), DTypeError);
}
