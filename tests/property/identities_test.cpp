// Identities between operations. Where sums are compared the numbers are whole, so that they are exact in any
// order.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/property/calls.hpp"

using namespace reel;
using namespace reel::property;

namespace {

Tensor doubles(Draw& draw, const Shape& sizes) { return draw.wholes(sizes, kFloat64, -4, 4); }

double inner(const Tensor& a, const Tensor& b) { return (a * b).sum().item<double>(); }

/// Throws unless the pullback of a linear `f` is its adjoint: ⟨f(x), y⟩ = ⟨x, x̄⟩.
void demand_adjoint(const std::function<Tensor(const Tensor&)>& f, const Tensor& x, Draw& draw,
                    const std::string& what) {
    const Tensor leaf = x.detach().set_requires_grad();
    const Tape tape;
    const Tensor fx = f(leaf);
    const Tensor y = doubles(draw, fx.sizes());
    const Tensor x_bar = grad({fx}, {leaf}, {.grad_outputs = {y}})[0];
    const NoGradGuard quiet;
    demand(inner(fx.detach(), y) == inner(x, x_bar), what, " and its pullback are no adjoints");
}

/// A tensor, a dimension of it that has elements, and an index for `gather` along it.
struct Lookup {
    explicit Lookup(Draw& draw) {
        Shape sizes = draw.shape(1, 3);
        for (std::int64_t& size : sizes) size = std::max<std::int64_t>(size, 1);
        x = doubles(draw, sizes);
        dim = draw.whole(0, x.dim() - 1);
        sizes[static_cast<std::size_t>(dim)] = draw.whole(0, 7);
        index = draw.wholes(sizes, kInt64, 0, x.size(dim) - 1);
    }
    Tensor x;
    std::int64_t dim = 0;
    Tensor index;
};

}  // namespace

TEST_CASE("property: broadcasting is explicit expansion") {
    constexpr int kCases = 40;
    for (const Binary& function : binary_functions()) {
        for_all("broadcast " + function.name, kCases, [&](Draw& draw) {
            const Shape sizes = draw.shape();
            const DType type = (draw.*function.type)();
            const Tensor a = draw.tensor(draw.narrower(sizes), type);
            const Tensor b = draw.tensor(draw.narrower(sizes), type);
            const Shape both = broadcast_shapes(a.sizes(), b.sizes(), "");
            demand_same(function.f(a, b), function.f(dense(a.expand(both)), dense(b.expand(both))),
                        describe({a, b}));
        });
    }
}

TEST_CASE("property: a sum over dims is the sums over each, in any order") {
    using Reduction = Tensor (*)(const Tensor&, const Shape&, bool);
    const std::pair<const char*, Reduction> reductions[] = {{"sum", sum},   {"prod", prod}, {"amax", amax},
                                                            {"amin", amin}, {"any", any},   {"all", all}};
    constexpr int kCases = 100;
    for (const auto& reduction : reductions) {
        for_all(std::string(reduction.first) + " in any order", kCases, [f = reduction.second](Draw& draw) {
            Shape sizes = draw.shape(1);
            for (std::int64_t& size : sizes) size = std::max<std::int64_t>(size, 1);
            const Tensor x = draw.wholes(sizes, draw.pick({kFloat64, kInt64}), -2, 2);
            Shape dims = draw.dims(x.dim());
            if (dims.empty()) dims = draw.permutation(x.dim());
            const bool keepdim = draw.chance(0.5);
            Tensor one_by_one = x;
            for (const std::int64_t dim : dims) one_by_one = f(one_by_one, {dim}, true);
            const Tensor y = f(x, dims, keepdim);
            demand_same(y, one_by_one.reshape(y.sizes()), "one by one");
            std::reverse(dims.begin(), dims.end());
            demand_same(f(x, dims, keepdim), y, "in reverse order");
        });
    }
}

TEST_CASE("property: softmax does not change when all logits move alike") {
    constexpr double kUlps = 8;  // twice what each may be off
    for_all("shift", 300, [](Draw& draw) {
        // Eighths, moved by whole numbers: no logit is rounded.
        const Tensor x = draw.wholes(draw.shape(1), kFloat32, -200, 200) / 8;
        const std::int64_t dim = draw.dim(x.dim());
        const std::int64_t shift = draw.whole(-5000, 5000);
        demand_close(softmax(x + shift, dim), softmax(x, dim), kUlps, 0, "softmax");
        demand_close(log_softmax(x + shift, dim), log_softmax(x, dim), kUlps, 0, "log_softmax");
        if (x.numel() == 0) return;
        const Tensor sums = softmax(x, dim).sum({dim});
        demand_close(sums, ones_like(sums), 4, 1, "the sum of softmax");
        demand_close(logsumexp(x, {dim}), (x - log_softmax(x, dim)).select(dim, 0), 4, 32, "logsumexp");
    });
}

TEST_CASE("property: writing by adding is the adjoint of reading") {
    constexpr int kCases = 200;
    for_all("scatter_add and gather", kCases, [](Draw& draw) {
        const Lookup at(draw);
        const Tensor y = doubles(draw, at.index.sizes());
        const Tensor back = zeros(at.x.sizes(), kFloat64).scatter_add(at.dim, at.index, y);
        demand(inner(at.x.gather(at.dim, at.index), y) == inner(at.x, back), "not adjoint");
    });
    for_all("index_put and index", kCases, [](Draw& draw) {
        const Lookup at(draw);
        const Tensor rows = draw.wholes({draw.whole(0, 5)}, kInt64, 0, at.x.size(at.dim) - 1);
        TensorIndices words(static_cast<std::size_t>(at.dim), Slice());
        words.emplace_back(rows);
        const Tensor read = at.x.index(words);
        const Tensor y = doubles(draw, read.sizes());
        const Tensor back = zeros(at.x.sizes(), kFloat64).index_put(words, y, true);
        demand(inner(read, y) == inner(at.x, back), "not adjoint");
        demand_same(at.x.index_select(at.dim, rows), read, "index_select");
    });
    for_all("the pullbacks of reading", kCases, [](Draw& draw) {
        const Lookup at(draw);
        demand_adjoint([&](const Tensor& x) { return x.gather(at.dim, at.index); }, at.x, draw, "gather");
        const Tensor rows = draw.wholes({draw.whole(0, 5)}, kInt64, 0, at.x.size(at.dim) - 1);
        demand_adjoint([&](const Tensor& x) { return x.index_select(at.dim, rows); }, at.x, draw,
                       "index_select");
        const Tensor mask = draw.tensor(at.x.sizes(), kBool);
        demand_adjoint([&](const Tensor& x) { return x.masked_select(mask); }, at.x, draw, "masked_select");
    });
}

TEST_CASE("property: the pullback of a linear operation is its adjoint") {
    using Linear = std::pair<const char*, std::function<Tensor(const Tensor&, std::int64_t)>>;
    const std::vector<Linear> operations = {
        {"sum", [](const Tensor& x, std::int64_t d) { return x.sum(d); }},
        {"cumsum", [](const Tensor& x, std::int64_t d) { return x.cumsum(d); }},
        {"flip", [](const Tensor& x, std::int64_t d) { return x.flip(d); }},
        {"slice", [](const Tensor& x, std::int64_t d) { return x.slice(d, 1, None, 2); }},
        {"slice back", [](const Tensor& x, std::int64_t) { return x.index({Slice(None, 1, -2)}); }},
        {"transpose", [](const Tensor& x, std::int64_t d) { return x.transpose(0, d); }},
        {"diagonal", [](const Tensor& x, std::int64_t) { return x.unsqueeze(0).diagonal(1, 0, -1); }},
        {"unfold", [](const Tensor& x, std::int64_t d) { return x.unfold(d, (x.size(d) + 1) / 2, 1); }},
        {"as_strided",
         [](const Tensor& x, std::int64_t) {
             return x.clone().as_strided({x.numel() / 2 + 1, 2}, {1, 0});
         }},
        {"expand",
         [](const Tensor& x, std::int64_t d) {
             return x.unsqueeze(d).expand([&] {
                 Shape sizes = x.unsqueeze(d).sizes();
                 sizes[static_cast<std::size_t>(d)] = 3;
                 return sizes;
             }());
         }},
        {"repeat",
         [](const Tensor& x, std::int64_t) { return x.repeat(Shape::filled(x.sizes().size() + 1, 2)); }},
        {"repeat_interleave", [](const Tensor& x, std::int64_t d) { return x.repeat_interleave(3, d); }},
        {"roll", [](const Tensor& x, std::int64_t d) { return roll(x, 2, d); }},
        {"pad",
         [](const Tensor& x, std::int64_t) {
             return pad(x, {2, -1});
         }},
        {"pad circular",
         [](const Tensor& x, std::int64_t) {
             return pad(x, {1, 1}, "circular");
         }},
        {"pad replicate",
         [](const Tensor& x, std::int64_t) {
             return pad(x, {3, 2}, "replicate");
         }},
        {"tril", [](const Tensor& x, std::int64_t) { return tril(x.unsqueeze(0)); }},
        {"cat",
         [](const Tensor& x, std::int64_t d) {
             return cat({x, x * 2, x.flip(d)}, d);
         }},
        {"stack",
         [](const Tensor& x, std::int64_t d) {
             return stack({x, x * 2}, d);
         }},
        {"split", [](const Tensor& x, std::int64_t d) { return x.split(2, d).back(); }},
        {"matmul",
         [](const Tensor& x, std::int64_t d) {
             return x.transpose(d, -1).matmul(arange(2 * x.size(d), kFloat64).view({-1, 2}));
         }},
        {"to float32", [](const Tensor& x, std::int64_t) { return x.to(kFloat32).to(kFloat64); }},
    };
    for (const auto& operation : operations) {
        for_all(std::string("adjoint of ") + operation.first, 40,
                [name = operation.first, &f = operation.second](Draw& draw) {
                    Shape sizes = draw.shape(1, 3);
                    for (std::int64_t& size : sizes) size = std::max<std::int64_t>(size, 1);
                    const std::int64_t dim = draw.whole(0, static_cast<std::int64_t>(sizes.size()) - 1);
                    demand_adjoint([&](const Tensor& x) { return f(x, dim); }, doubles(draw, sizes), draw,
                                   name);
                });
    }
}
