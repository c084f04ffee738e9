// Writes in place and the views that see them: whoever asks last, wherever he asks, gets the newest history;
// and asking changes nothing.
#include <doctest/doctest.h>

#include <sstream>

#include "reel.hpp"

using namespace reel;

namespace {

using List = std::vector<Tensor>;
using Values = std::vector<double>;

Tensor leaf(const TensorData& data) { return tensor(data, kFloat64).set_requires_grad(); }
Values values(const Tensor& t) { return t.defined() ? t.to_vector<double>() : Values{}; }

}  // namespace

TEST_CASE("a view of a tensor that was written follows it, from wherever it is asked first") {
    const Tensor x = leaf({1.0, 2.0});
    Tape tape;
    const Tensor y = x * 2.0;
    const Tensor v = y[0];
    y.mul_(3.0);
    SUBCASE("from under a NoGradGuard") {
        const NoGradGuard guard;
        v.backward();
        CHECK(values(x.grad()) == Values{6, 0});
    }
    SUBCASE("grad under a NoGradGuard") {
        const NoGradGuard guard;
        CHECK(values(grad({v}, {x})[0]) == Values{6, 0});
    }
    SUBCASE("questions under an inner tape") {
        {
            Tape inner;
            CHECK(v.requires_grad());
            CHECK(!v.is_leaf());
            CHECK(inner.size() == 0);
        }
        v.backward();
        CHECK(values(x.grad()) == Values{6, 0});
    }
    SUBCASE("use under an inner tape") {
        {
            Tape inner;
            v * 2.0;
        }
        v.backward();
        CHECK(values(x.grad()) == Values{6, 0});
    }
    SUBCASE("use in functions that hide the tape") {
        const auto f = [&](const Tensor& t) { return (t * v).sum(); };
        const Tensor at = tensor({1.0, 2.0}, kFloat64);
        jacobian(f, at);
        hessian(f, at);
        hvp(f, at, at);
        vjp(f, at);
        CHECK(gradcheck(f, at).passed);
        v.backward();
        CHECK(values(x.grad()) == Values{6, 0});
    }
    SUBCASE("use in a checkpoint") {
        const Tensor z = checkpoint([&](const Tensor& t) { return t * v; }, y);
        z.sum().backward();  // z = 6 x (6 x_0), where v is y_0
        CHECK(values(x.grad()) == Values{36 + 36 * 3, 36});
    }
}

TEST_CASE("an inner tape does not write to a view of an outer value") {
    const Tensor x = leaf({1.0, 2.0, 3.0});
    Tape outer;
    const Tensor y = x * 2.0;
    const Tensor v = y.narrow(0, 0, 2);
    {
        Tape inner;
        CHECK_THROWS_AS(y[0].mul_(5), AutogradError);
        CHECK_THROWS_AS(v.mul_(5), AutogradError);
        CHECK_THROWS_AS(v[0].fill_(5), AutogradError);
        CHECK_THROWS_AS(y.index_put_({0}, 5), AutogradError);
        CHECK_THROWS_AS(y.view({3, 1}).copy_(ones({3, 1})), AutogradError);
    }
    CHECK(values(y) == Values{2, 4, 6});
    (y + x).sum().backward();
    CHECK(values(x.grad()) == Values{3, 3, 3});
}

TEST_CASE("asking changes nothing") {
    const Tensor x = leaf({1.0, 2.0});
    Tape tape;
    const Tensor y = x * 2.0;
    const Tensor v = y[0];
    y.mul_(3.0);
    const std::size_t before = tape.size();
    std::ostringstream text;
    text << v;
    CHECK(text.str() == "tensor(6., dtype=float64, grad_fn=<as_strided>)");
    CHECK(v.requires_grad());
    CHECK(!v.is_leaf());
    CHECK(std::string(v.grad_fn()) == "as_strided");
    CHECK_THROWS_AS(v.grad(), AutogradError);
    CHECK_THROWS_AS(v.set_requires_grad(), AutogradError);
    CHECK(tape.size() == before);
}

TEST_CASE("a retained gradient and hooks follow the newest value of a view") {
    const Tensor x = leaf({1.0, 2.0});
    Tape tape;
    const Tensor y = x * 2.0;
    const Tensor v = y[0];
    v.retain_grad();
    y.mul_(3.0);
    (y.sum() + v).backward();
    CHECK(values(v.grad()) == Values{1});
    CHECK(values(x.grad()) == Values{12, 6});
}

TEST_CASE("what a view is of is upstream of it after the view was written") {
    const Tensor x = leaf({1.0, 2.0, 3.0});
    Tape tape;
    const Tensor b = x * 2.0;
    const Tensor v = b.narrow(0, 0, 2);
    v.mul_(3.0);
    SUBCASE("grad") { CHECK(values(grad({v.sum()}, {b})[0]) == Values{1, 1, 0}); }
    SUBCASE("retain_grad") {
        b.retain_grad();
        v.sum().backward();
        CHECK(values(b.grad()) == Values{1, 1, 0});
    }
    SUBCASE("a hook") {
        b.register_hook([](const Tensor& g) { return g * 10.0; });
        v.sum().backward();
        CHECK(values(x.grad()) == Values{60, 60, 0});
    }
    SUBCASE("through views of views, written in turn") {
        const Tensor w = v[1];
        w.mul_(5.0);
        v.add_(1.0);
        b.mul_(2.0);
        CHECK(values(b) == Values{14, 122, 12});
        (w + v.sum()).backward();
        CHECK(values(x.grad()) == Values{12, 120, 0});
    }
}

TEST_CASE("a view of a constant that was given a history is followed into a checkpoint") {
    const Tensor w = leaf({1.0, 2.0});
    const Tensor b = zeros({2}, kFloat64);
    const Tensor v = b.view({2});
    Tape tape;
    b.add_(w);
    const Tensor y = checkpoint([](const List& a) { return a[0] * 3.0; }, List{v});
    y.sum().backward();
    CHECK(values(w.grad()) == Values{3, 3});
}

TEST_CASE("what an operation records is not a view of what it has made for itself") {
    const auto check = [](const auto& f, const Values& expected) {
        const Tensor x = leaf({1.0, 2.0, 3.0});
        Tape tape;
        const Tensor v = f(x);
        v[0].mul_(10.0);
        v.sum().backward();
        CHECK(values(x.grad()) == expected);
    };
    check([](const Tensor& x) { return x.sort().values; }, {10, 1, 1});
    check([](const Tensor& x) { return x.sort(0, true).values; }, {1, 1, 10});
    check([](const Tensor& x) { return x.topk(2).values; }, {0, 1, 10});
    check([](const Tensor& x) { return x.max(0, true).values; }, {0, 0, 10});
    check(
        [](const Tensor& x) {
            return record("mine", x.detach().clone().flip({0}),
                          {{x, [](const Tensor& g) { return g.flip({0}); }}});
        },
        {1, 1, 10});
}

TEST_CASE("index with nothing to pick is a view, not the tensor itself") {
    const Tensor x = leaf({{1.0, 2.0}, {3.0, 4.0}});
    for (const TensorIndices& indices :
         {TensorIndices{Ellipsis}, TensorIndices{Slice()}, TensorIndices{Slice(), Slice()}}) {
        x.zero_grad();
        Tape tape;
        const Tensor v = x.index(indices);
        CHECK(!v.is_same(x));
        CHECK(v.shares_storage(x));
        v.register_hook([](const Tensor& g) { return g * 5.0; });
        (v + x).sum().backward();
        CHECK(values(x.grad()) == Values{6, 6, 6, 6});
    }
    const Tensor number = leaf(2.0);
    CHECK(!number.index({Ellipsis}).is_same(number));
}

TEST_CASE("a divisor that is overwritten with what it divides is refused") {
    const Tensor x = leaf({1.0, 2.0, 4.0});
    Tape tape;
    const Tensor y = x * 1.0;
    const Tensor d = y.detach();
    d.div_(y);
    CHECK(values(d) == Values{1, 1, 1});
    d.sum().backward();  // d = c / y with c = y: the derivative is -1 / y
    CHECK(values(x.grad()) == Values{-1, -0.5, -0.25});
}

TEST_CASE("a hook is removed by its number, whatever was written since") {
    const Tensor x = leaf({1.0, 2.0});
    int calls = 0;
    const auto count = [&](const Tensor&) { ++calls; };
    Tape tape;
    const Tensor y = x * 2.0;
    std::int64_t hook = y.register_hook(count);
    SUBCASE("in place") { y += 1; }
    SUBCASE("through a view") { y[0].mul_(2.0); }
    SUBCASE("twice") {
        y += 1;
        y.mul_(2.0);
    }
    y.remove_hook(hook);
    y.sum().backward();
    CHECK(calls == 0);
}
