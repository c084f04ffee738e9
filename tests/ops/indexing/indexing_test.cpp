// index, index_put, gather, scatter and their kin.
#include "indexing_cases.hpp"

#include <doctest/doctest.h>

#include <numeric>
#include <random>
#include <string>

using namespace reel;
using reel::testing::at;
using reel::testing::mask;

namespace {

using Values = std::vector<double>;

/// first, first + step, …
Tensor count_up(const Shape& sizes, double first, double step) {
    return (arange(numel(sizes), kFloat64) * step + first).view(sizes);
}

/// The elements of t in a layout in which nothing lies as row-major order has it.
Tensor scrambled(const Tensor& t) {
    Shape back;
    Shape forth;
    for (std::int64_t d = 0; d < t.dim(); ++d) {
        back.push_back(t.dim() - 1 - d);
        forth.push_back(d);
    }
    return t.dim() == 0 ? t : t.flip(0).permute(back).contiguous().permute(back).flip(0);
}

/// What a loop over the elements of `index` reads, writes or adds along `dim`: the results of gather, scatter and scatter_add.
struct Along {
    Values read, written, added;
};
Along along(const Tensor& x, std::int64_t dim, const Tensor& index, const Tensor& src) {
    const Values from = x.to_vector<double>();
    const Values values = src.to_vector<double>();
    const std::vector<std::int64_t> places = index.to_vector<std::int64_t>();
    Along result{{}, from, from};
    for (std::size_t i = 0; i < places.size(); ++i) {
        std::int64_t rest = static_cast<std::int64_t>(i);
        std::int64_t offset = 0;
        std::int64_t step = 1;
        for (std::int64_t d = x.dim(); d-- > 0; rest /= index.size(d), step *= x.size(d))
            offset += (d == dim ? places[i] : rest % index.size(d)) * step;
        const auto at = static_cast<std::size_t>(offset);
        result.read.push_back(from[at]);
        result.written[at] = values[i];
        result.added[at] =
            x.dtype() == kBool ? result.added[at] != 0 || values[i] != 0 : result.added[at] + values[i];
    }
    return result;
}

}  // namespace

TEST_CASE("index: values, shapes and gradients are PyTorch's") {
    for (const auto& c : reel::testing::index_cases()) {
        CAPTURE(c.sizes);
        CAPTURE(c.result);
        for (const bool dense : {true, false}) {
            CAPTURE(dense);
            const Tensor numbers = count_up(c.sizes, 1, 1);
            const Tensor x = (dense ? numbers : scrambled(numbers)).detach().set_requires_grad();
            Tape tape;
            const Tensor y = x.index(c.index);
            CHECK(y.sizes() == c.result);
            CHECK(y.to_vector<double>() == c.values);
            const Tensor y_bar = count_up(c.result, 1, 0.5);
            y.backward(y_bar);
            CHECK(x.grad().to_vector<double>() == c.x_bar);
        }
    }
}

TEST_CASE("index_put_: accumulating is the adjoint of index") {
    for (const auto& c : reel::testing::index_cases()) {
        CAPTURE(c.sizes);
        for (const bool dense : {true, false}) {
            const Tensor memory = zeros(c.sizes, kFloat64);
            const Tensor x = dense ? memory : scrambled(memory);
            x.index_put_(c.index, count_up(c.result, 1, 0.5), true);
            CHECK(x.to_vector<double>() == c.x_bar);
        }
    }
}

TEST_CASE("index: many elements by threads, element by element and row by row") {
    const std::int64_t rows = 300;
    const std::int64_t columns = 257;
    const Tensor x = arange(rows * columns, kFloat64).view({rows, columns});
    std::vector<std::int64_t> place;
    for (std::int64_t i = 0; i < 5000; ++i) place.push_back(i * 7919 % columns);
    const Tensor at = tensor(place);
    const Tensor by_row = x.index({at});
    const Tensor by_column = x.index({Slice(), at});
    const Tensor transposed = x.t().index({Slice(), at});
    CHECK(by_row.sizes() == Shape{5000, columns});
    for (std::int64_t i = 0; i < 5000; i += 37) {
        const std::int64_t p = place[static_cast<std::size_t>(i)];
        CHECK(by_row[i][100].item<double>() == static_cast<double>(p * columns + 100));
        CHECK(by_column[299][i].item<double>() == static_cast<double>(299 * columns + p));
        CHECK(transposed[100][i].item<double>() == by_row[i][100].item<double>());
    }
}

TEST_CASE("index_put_: values broadcast, the last of several writes stays") {
    const Tensor x = zeros({3, 4}, kFloat64);
    x.index_put_({at({3}, {1, 1, 2}), at({3}, {0, 0, 3})}, tensor({1.0, 2.0, 3.0}, kFloat64));
    x.index_put_({0}, 7.0);
    x.index_put_({Slice(), Slice(1, 3)}, tensor({{{5.0, 6.0}}}, kFloat64));
    x.index_put_({at({2}, {-1, -1})}, tensor({{1.0}}, kFloat64), true);
    CHECK(x.to_vector<double>() == Values{7, 5, 6, 7, 2, 5, 6, 0, 2, 7, 8, 5});
    x.index_put_({x > 6.0}, -1.0);
    CHECK(x.to_vector<double>() == Values{-1, 5, 6, -1, 2, 5, 6, 0, 2, -1, -1, 5});
    const Tensor order = arange(4);
    order.index_put_({order}, order.flip(0));
    CHECK(order.to_vector<double>() == Values{3, 2, 1, 0});
}

TEST_CASE("index_put: the last write alone has gradient, added ones all do") {
    const Tensor index = at({4}, {1, 0, 1, 1});
    for (const bool accumulate : {false, true}) {
        const Tensor x = count_up({3}, 1, 1).set_requires_grad();
        const Tensor v = count_up({4}, 10, 1).set_requires_grad();
        Tape tape;
        const Tensor y = x.index_put({index}, v, accumulate);
        CHECK(y.to_vector<double>() == (accumulate ? Values{12, 37, 3} : Values{11, 13, 3}));
        y.backward(tensor({1.0, 10.0, 100.0}, kFloat64));
        CHECK(x.grad().to_vector<double>() == (accumulate ? Values{1, 10, 100} : Values{0, 0, 100}));
        CHECK(v.grad().to_vector<double>() == (accumulate ? Values{10, 1, 10, 10} : Values{0, 1, 0, 10}));
    }
}

TEST_CASE("index_put_: into a view changes what it is a view of, and its history") {
    const Tensor a = count_up({2, 3}, 1, 1).set_requires_grad();
    const Tensor v = count_up({2}, 20, 1).set_requires_grad();
    Tape tape;
    const Tensor y = a * 2;
    y[1].index_put_({at({2}, {2, 0})}, v);
    CHECK(y.to_vector<double>() == Values{2, 4, 6, 21, 10, 20});
    (y * y).sum().backward();
    CHECK(a.grad().to_vector<double>() == Values{8, 16, 24, 0, 40, 0});
    CHECK(v.grad().to_vector<double>() == Values{40, 42});
}

TEST_CASE("index_put_: 16-bit sums are rounded once") {
    const Tensor x = zeros({1}, kFloat16);
    x.index_put_({zeros({4096}, kInt64)}, ones({4096}, kFloat16), true);
    CHECK(x.item<double>() == 4096);  // adding in float16 stops at 2048
}

TEST_CASE("gather, scatter, scatter_add, take_along_dim") {
    const Tensor x = count_up({2, 3}, 1, 1);
    const Tensor i = at({2, 2}, {0, 2, 1, 1});
    CHECK(x.gather(1, i).to_vector<double>() == Values{1, 3, 5, 5});
    CHECK(x.gather(0, at({1, 3}, {0, 1, 1})).to_vector<double>() == Values{1, 5, 6});
    CHECK(x.t().gather(0, i).to_vector<double>() == Values{1, 6, 2, 5});
    const Tensor s = count_up({2, 3}, 10, 1);
    CHECK(x.scatter(1, i, s).to_vector<double>() == Values{10, 2, 11, 4, 14, 6});
    CHECK(x.scatter_add(1, i, s).to_vector<double>() == Values{11, 2, 14, 4, 32, 6});
    CHECK(x.scatter(0, at({1, 2}, {1, 0}), -1.0).to_vector<double>() == Values{1, -1, 3, -1, 5, 6});
    CHECK(x.take_along_dim(at({2, 1}, {0, 2}), 1).to_vector<double>() == Values{1, 6});
    CHECK(x.take_along_dim(at({1, 3}, {2, 1, 0}), 1).to_vector<double>() == Values{3, 2, 1, 6, 5, 4});
    CHECK(x.take_along_dim(at({1, 3}, {1, 0, 1}), 0).to_vector<double>() == Values{4, 2, 6});
    CHECK(x.take_along_dim(at({2}, {5, 0})).to_vector<double>() == Values{6, 1});
    CHECK(x.take_along_dim(at({2, 1}, {-1, -3}), 1).to_vector<double>() == Values{3, 4});
    CHECK(x.take_along_dim(at({2}, {-1, 0})).to_vector<double>() == Values{6, 1});
    CHECK_THROWS_WITH_AS(x.take_along_dim(at({2, 1}, {-4, 0}), 1), doctest::Contains("-4"), IndexError);
    // An empty index picks nothing, whatever its shape is.
    for (const Shape& sizes : {Shape{0}, Shape{0, 5}, Shape{3, 0, 7}}) {
        const Tensor none = zeros(sizes, kInt64);
        CHECK(x.gather(0, none).sizes() == sizes);
        CHECK(x.scatter(0, none, zeros(sizes, x.dtype())).equal(x));
        CHECK(x.scatter(0, none, 5.0).equal(x));
        CHECK(x.scatter_add(0, none, zeros(sizes, x.dtype())).equal(x));
        CHECK_FALSE(x.scatter(0, none, 5.0).shares_storage(x));
        CHECK_THROWS_AS(x.gather(7, none), IndexError);
    }
    const Tensor leaf = x.clone().set_requires_grad();
    {
        const Tape tape;
        (leaf.gather(0, zeros({0}, kInt64)).sum() + leaf.scatter(0, zeros({0}, kInt64), 1.0).sum())
            .backward();
    }
    CHECK(leaf.grad().equal(ones({2, 3}, x.dtype())));
    const Tensor number = tensor(3.0);
    CHECK(number.take_along_dim(tensor(-1), 0).item() == 3);
    CHECK(number.gather(0, tensor(0)).sizes() == Shape{});
    CHECK(number.gather(0, at({2}, {0, 0})).sizes() == Shape{2});
    CHECK(number.scatter(0, tensor(0), 5.0).item<double>() == 5);
    try {
        take_along_dim(zeros({3, 2}), full({3, 2}, 4), 0);
        FAIL("an index out of range");
    } catch (const IndexError& error) {
        CHECK(std::string(error.what()).starts_with("take_along_dim: index 4 is out of range"));
    }
}

TEST_CASE("gather, scatter, scatter_add: rows of every length, in any layout, of every type") {
    std::mt19937 random(5);
    const auto below = [&](std::int64_t n) { return static_cast<std::int64_t>(random()) % n; };
    for (const DType dtype : {kFloat32, kFloat64, kInt64, kBool, kFloat16}) {
        for (const std::int64_t length : {1, 2, 3, 4, 5, 7, 8, 20, 33, 511, 512, 513, 700}) {
            for (const Shape& more : {Shape{}, Shape{1}, Shape{37}, Shape{2, 29}}) {
                for (const std::int64_t from_end : {1, 2}) {
                    const std::int64_t dims = static_cast<std::int64_t>(more.size()) + 1;
                    if (from_end > dims) continue;
                    Shape sizes = more;
                    sizes.push_back(length);
                    const std::int64_t dim = dims - from_end;
                    Shape source = sizes;
                    for (std::int64_t d = 0; d < dims; ++d)
                        source[d] = d == dim ? 1 + below(40) : sizes[d] + below(2);
                    CAPTURE(dtype);
                    CAPTURE(sizes);
                    CAPTURE(source);
                    CAPTURE(dim);
                    const bool holds = dtype == kBool;
                    const Tensor x = randint(0, holds ? 2 : 50, source).to(dtype);
                    const Tensor src = randint(0, holds ? 2 : 3, sizes).to(dtype);
                    const Tensor index = randint(0, source[dim], sizes);
                    const Along expected = along(x, dim, index, src);
                    for (const bool dense : {true, false}) {
                        CAPTURE(dense);
                        const auto lay = [&](const Tensor& t) { return dense ? t : scrambled(t); };
                        CHECK(lay(x).gather(dim, lay(index)).to_vector<double>() == expected.read);
                        CHECK(lay(x).scatter(dim, lay(index), lay(src)).to_vector<double>() ==
                              expected.written);
                        CHECK(lay(x).scatter_add(dim, lay(index), lay(src)).to_vector<double>() ==
                              expected.added);
                    }
                    // One that is out of range, wherever it is.
                    const Tensor bad = index.clone();
                    const std::int64_t wrong = below(2) ? -1 - below(3) : source[dim] + below(3);
                    bad.view(-1).index_put_({below(bad.numel())}, tensor(wrong));
                    const std::string message = "index " + std::to_string(wrong) + " is out of range";
                    CHECK_THROWS_WITH_AS(x.gather(dim, bad), doctest::Contains(message.c_str()), IndexError);
                    CHECK_THROWS_WITH_AS(x.scatter(dim, bad, src), doctest::Contains(message.c_str()),
                                         IndexError);
                    CHECK_THROWS_WITH_AS(x.scatter_add(dim, bad, src), doctest::Contains(message.c_str()),
                                         IndexError);
                }
            }
        }
    }
}

TEST_CASE("index, index_put_: some indices count from the end") {
    const std::int64_t n = 1300;
    const Tensor x = count_up({n}, 0, 1);
    const Tensor index = randint(0, n, {n});
    for (const std::int64_t every : {1, 3, 512, 1299}) {
        CAPTURE(every);
        std::vector<std::int64_t> signs = index.to_vector<std::int64_t>();
        Values expected, written(static_cast<std::size_t>(n));
        for (std::size_t i = 0; i < signs.size(); ++i) {
            expected.push_back(static_cast<double>(signs[i]));
            written[static_cast<std::size_t>(signs[i])] = static_cast<double>(i);
            if (static_cast<std::int64_t>(i) % every == every - 1) signs[i] -= n;
        }
        CHECK(x.index({tensor(signs)}).to_vector<double>() == expected);
        CHECK(zeros({n}, kFloat64).index_put_({tensor(signs)}, x).to_vector<double>() == written);
        signs[static_cast<std::size_t>(every)] = -n - 1;
        CHECK_THROWS_AS(x.index({tensor(signs)}), IndexError);
        const Tensor y = x.clone();
        CHECK_THROWS_AS(y.index_put_({tensor(signs)}, 7.0), IndexError);
        CHECK(y.equal(x));
    }
}

TEST_CASE("index_put_: indices in the memory that is written are those before the write") {
    for (const bool accumulate : {false, true}) {
        std::vector<std::int64_t> memory = {1, 2, 3, 4, 0, 5};
        const Tensor y = from_blob(memory.data(), {6}, kInt64);
        const Tensor index = from_blob(memory.data(), {6}, kInt64);
        y.index_put_({index}, full({6}, std::int64_t{1} << 40, kInt64), accumulate);
        std::vector<std::int64_t> expected = {1, 2, 3, 4, 0, 5};
        for (std::int64_t& each : expected) each = (accumulate ? each : 0) + (std::int64_t{1} << 40);
        CHECK(memory == expected);
    }
}

TEST_CASE("scatter: the last write alone has gradient; scatter_add is the adjoint of gather") {
    const Tensor i = at({2, 2}, {0, 2, 1, 1});
    const Tensor y_bar = tensor({{1.0, 10.0, 100.0}, {2.0, 20.0, 200.0}}, kFloat64);
    for (const bool adds : {false, true}) {
        const Tensor x = count_up({2, 3}, 1, 1).set_requires_grad();
        const Tensor s = count_up({3, 2}, 10, 1).set_requires_grad();
        Tape tape;
        (adds ? x.scatter_add(1, i, s) : x.scatter(1, i, s)).backward(y_bar);
        CHECK(x.grad().to_vector<double>() ==
              (adds ? Values{1, 10, 100, 2, 20, 200} : Values{0, 10, 0, 2, 0, 200}));
        CHECK(s.grad().to_vector<double>() ==
              (adds ? Values{1, 100, 20, 20, 0, 0} : Values{1, 100, 0, 20, 0, 0}));
    }
    const Tensor x = count_up({2, 3}, 1, 1).set_requires_grad();
    Tape tape;
    x.gather(1, i).backward(tensor({{1.0, 2.0}, {3.0, 4.0}}, kFloat64));
    CHECK(x.grad().to_vector<double>() == Values{1, 0, 2, 0, 7, 0});
}

TEST_CASE("masked_select and nonzero, also of many elements") {
    const Tensor x = count_up({2, 3}, 1, 1);
    CHECK(x.masked_select(mask({3}, {1, 0, 1})).to_vector<double>() == Values{1, 3, 4, 6});
    CHECK(count_up({2}, 1, 1).masked_select(mask({2, 2}, {1, 0, 1, 1})).to_vector<double>() ==
          Values{1, 1, 2});
    CHECK(tensor({{0, 1, 2}, {3, 0, 0}}).nonzero().to_vector<double>() == Values{0, 1, 0, 2, 1, 0});
    CHECK(tensor(5.0).nonzero().sizes() == Shape{1, 0});
    CHECK(tensor(0.0).nonzero().sizes() == Shape{0, 0});
    CHECK(zeros({0, 3}).nonzero().sizes() == Shape{0, 2});

    const Tensor many = arange(100000).view({100, 1000});
    std::vector<bool> third;
    for (int i = 0; i < 100000; ++i) third.push_back(i % 7 == 3);
    const Tensor odd = tensor(third).view({100, 1000});
    const Tensor chosen = many.masked_select(odd);
    const Tensor places = odd.nonzero();
    CHECK(chosen.numel() == 14286);
    CHECK(chosen[5].item<int>() == 38);
    CHECK(equal(places.select(1, 0) * 1000 + places.select(1, 1), chosen));
    CHECK(equal(many.t().masked_select(odd.t()), many.t().contiguous().masked_select(odd.t().contiguous())));
    for (DType dtype : {kBool, kFloat16, kFloat32, kFloat64})
        CHECK(equal(many.to(dtype).masked_select(odd), chosen.to(dtype)));
    const Tensor most = logical_not(odd).view({10, 10, 1000});
    const Tensor at_most = most.nonzero();
    CHECK(at_most.size(0) == 100000 - 14286);
    CHECK(equal(at_most.select(1, 0) * 10000 + at_most.select(1, 1) * 1000 + at_most.select(1, 2),
                many.view({10, 10, 1000}).masked_select(most)));
    CHECK(equal(ones({77}, kBool).nonzero().view({-1}), arange(77)));
    const Tensor w = many.to(kFloat64).set_requires_grad();
    Tape tape;
    w.index({odd}).sum().backward();
    CHECK(equal(w.grad(), odd.to(kFloat64)));
}

TEST_CASE("index_select and one_hot and embedding") {
    const Tensor x = count_up({2, 3}, 1, 1);
    CHECK(x.index_select(1, at({2}, {2, 0})).to_vector<double>() == Values{3, 1, 6, 4});
    CHECK(x.index_select(0, tensor(1)).sizes() == Shape{1, 3});
    CHECK(one_hot(at({2, 2}, {0, 2, 1, 1})).to_vector<double>() ==
          Values{1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 0});
    CHECK(one_hot(at({2}, {1, 0}), 3).sizes() == Shape{2, 3});
    const Tensor weight = count_up({4, 2}, 1, 1).set_requires_grad();
    Tape tape;
    const Tensor rows = embedding(at({2, 2}, {3, 0, 3, 3}), weight);
    CHECK(rows.sizes() == Shape{2, 2, 2});
    CHECK(rows.to_vector<double>() == Values{7, 8, 1, 2, 7, 8, 7, 8});
    rows.backward(count_up({2, 2, 2}, 1, 1));
    CHECK(weight.grad().to_vector<double>() == Values{3, 4, 0, 0, 0, 0, 13, 16});
}

TEST_CASE("indexing: misuse throws and changes nothing") {
    const Tensor x = count_up({2, 3}, 1, 1);
    const Tensor ints = at({2}, {0, 5});
    CHECK_THROWS_WITH_AS(x.index({0, 3}), "index: index 3 is out of range for dimension 1 of size 3",
                         IndexError);
    CHECK_THROWS_WITH_AS(x.index({Slice(), ints}), "index: index 5 is out of range for dimension 1 of size 3",
                         IndexError);
    CHECK_THROWS_WITH_AS(x.index({1, ints}), "index: index 5 is out of range for dimension 1 of size 3",
                         IndexError);
    CHECK_THROWS_AS(x.index({0, 0, 0}), IndexError);
    CHECK_THROWS_AS(x.index({Ellipsis, Ellipsis}), IndexError);
    CHECK_THROWS_AS(x.index({mask({3}, {1, 0, 0})}), IndexError);
    CHECK_THROWS_AS(x.index({tensor({1.0})}), DTypeError);
    CHECK_THROWS_AS(x.index({at({2}, {0, 0}), at({3}, {0, 0, 0})}), ShapeError);
    CHECK_THROWS_AS(x.index_put_({ints}, 1.0), IndexError);
    CHECK_THROWS_AS(x.index_put_({0}, tensor({1, 2, 3})), DTypeError);
    CHECK_THROWS_AS(x.index_put_({at({1}, {0})}, zeros({2}, kFloat64)), ShapeError);
    CHECK_THROWS_AS(x.expand({2, 2, 3}).index_put_({at({1}, {0})}, 0.0), ShapeError);
    CHECK_THROWS_AS(x.gather(1, at({1, 1}, {-1})), IndexError);
    CHECK_THROWS_AS(x.gather(1, at({3, 1}, {0, 0, 0})), ShapeError);
    CHECK_THROWS_AS(x.gather(1, tensor({{1.0}})), DTypeError);
    CHECK_THROWS_AS(x.scatter(1, at({1, 2}, {0, 3}), x), IndexError);
    CHECK_THROWS_AS(x.scatter(1, at({1, 1}, {0}), x.to(kFloat32)), DTypeError);
    CHECK_THROWS_AS(x.scatter_add(1, at({2, 3}, {0, 0, 0, 0, 0, 0}), ones({2, 2}, kFloat64)), ShapeError);
    CHECK_THROWS_AS(x.index_select(0, at({1}, {-1})), IndexError);
    CHECK_THROWS_AS(x.index_select(0, at({1, 1}, {0})), ShapeError);
    CHECK_THROWS_AS(x.take_along_dim(at({3}, {0, 0, 0}), 1), ShapeError);
    CHECK_THROWS_AS(x.masked_select(x), DTypeError);
    CHECK_THROWS_AS(embedding(at({1}, {-1}), x), IndexError);
    CHECK_THROWS_AS(embedding(at({1}, {0}), x[0]), ShapeError);
    CHECK_THROWS_AS(one_hot(at({1}, {3}), 2), IndexError);
    CHECK_THROWS_AS(one_hot(at({1}, {-1})), IndexError);
    CHECK_THROWS_AS(one_hot(x), DTypeError);
    CHECK(x.to_vector<double>() == Values{1, 2, 3, 4, 5, 6});
}
