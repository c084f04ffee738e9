// Attention against its formula, written out with loops in double.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "reel.hpp"

using namespace reel;

namespace {

using std::int64_t;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

Tensor spread(const Shape& sizes, int64_t salt) {
    Tensor x = empty(sizes, kFloat64);
    for (int64_t i = 0; i < x.numel(); ++i) {
        x.data_ptr<double>()[i] = 2 * std::sin(static_cast<double>(3 * i + salt) * 1.7);
    }
    return x;
}

/// One head: q (L, E), k (S, E), v (S, V), and what is added to the scores (L, S).
std::vector<double> attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& added,
                              double scale) {
    std::vector<double> y;
    for (int64_t i = 0; i < q.size(0); ++i) {
        std::vector<double> weight;
        double total = 0;
        for (int64_t j = 0; j < k.size(0); ++j) {
            double score = added[i][j].item<double>();
            for (int64_t e = 0; e < q.size(1); ++e) {
                score += scale * q[i][e].item<double>() * k[j][e].item<double>();
            }
            weight.push_back(std::exp(score));
            total += weight.back();
        }
        for (int64_t d = 0; d < v.size(1); ++d) {
            double sum = 0;
            for (int64_t j = 0; j < k.size(0); ++j)
                sum += weight[static_cast<std::size_t>(j)] * v[j][d].item<double>();
            y.push_back(total == 0 ? 0 : sum / total);
        }
    }
    return y;
}

/// The same from operations, of any number of heads.
Tensor composed(const Tensor& q, const Tensor& k, const Tensor& v,
                const ScaledDotProductAttentionOptions& options) {
    const Tensor& mask = options.attn_mask;
    Tensor scores = matmul(q, k.transpose(-2, -1)) / std::sqrt(static_cast<double>(q.size(-1)));
    Tensor seen = options.is_causal ? ones({q.size(-2), k.size(-2)}, kBool).tril() : mask;
    if (seen.defined() && seen.dtype() != kBool) {
        scores = scores + mask;
        seen = ne(mask, -kInfinity);
    }
    return matmul(seen.defined() ? masked_softmax(scores, seen, -1) : softmax(scores, -1), v);
}

/// Several blocks of queries, the last one smaller.
std::vector<Tensor> several_blocks(DType dtype = kFloat64) {
    std::vector<Tensor> x;
    for (const Shape& sizes : {Shape{2, 2, 300, 3}, Shape{2, 1, 260, 3}, Shape{1, 260, 2}})
        x.push_back(spread(sizes, numel(sizes)).to(dtype).set_requires_grad());
    return x;
}
/// What may be seen of them: all, the past, and by masks of both kinds that are shared by heads, queries or keys. Some
/// queries see nothing.
std::vector<ScaledDotProductAttentionOptions> several_masks(DType dtype = kFloat64) {
    const Tensor seen = spread({2, 1, 300, 260}, 7) > -1;
    seen[1][0].narrow(0, 250, 3).fill_(false);
    const Tensor added = where(spread({300, 260}, 8) > 1, -kInfinity, spread({300, 260}, 9)).to(dtype);
    added.narrow(0, 128, 2).fill_(-kInfinity);
    return {{},
            {.is_causal = true},
            {.attn_mask = seen},
            {.attn_mask = seen.slice(-1, 0, 1)},
            {.attn_mask = spread({1, 2, 1, 260}, 6) > 0},
            {.attn_mask = added},
            {.attn_mask = added[0]},
            {.attn_mask = spread({260, 300}, 9).to(dtype).t()}};
}

void check_close(const Tensor& y, const std::vector<double>& expected) {
    const auto values = y.to_vector<double>();
    REQUIRE(values.size() == expected.size());
    for (std::size_t i = 0; i < values.size(); ++i)
        CHECK(values[i] == doctest::Approx(expected[i]).epsilon(1e-12));
}

}  // namespace

TEST_CASE("attention is softmax(q kᵀ / √E + mask) v") {
    const Tensor q = spread({3, 4}, 1);
    const Tensor k = spread({5, 4}, 2);
    const Tensor v = spread({5, 2}, 3);
    const Tensor none = zeros({3, 5}, kFloat64);
    check_close(scaled_dot_product_attention(q, k, v), attention(q, k, v, none, 0.5));
    check_close(scaled_dot_product_attention(q, k, v, {.scale = 0.3}), attention(q, k, v, none, 0.3));
    const Tensor added = spread({3, 5}, 4);
    check_close(scaled_dot_product_attention(q, k, v, {.attn_mask = added}), attention(q, k, v, added, 0.5));
    const Tensor seen = added > 0;
    const Tensor hidden = where(seen, 0, full({3, 5}, -kInfinity).to(kFloat64));
    check_close(scaled_dot_product_attention(q, k, v, {.attn_mask = seen}), attention(q, k, v, hidden, 0.5));
    Tensor future = zeros({3, 5}, kFloat64);
    for (int64_t i = 0; i < 3; ++i) future[i].narrow(0, i + 1, 4 - i).fill_(-kInfinity);
    check_close(scaled_dot_product_attention(q, k, v, {.is_causal = true}), attention(q, k, v, future, 0.5));
}

TEST_CASE("attention: heads and batches broadcast, masks too") {
    const Tensor q = spread({2, 3, 4, 8}, 1);
    const Tensor k = spread({2, 1, 5, 8}, 2);
    const Tensor v = spread({2, 1, 5, 6}, 3);
    const Tensor mask = spread({2, 1, 1, 5}, 4) > -1;
    const Tensor y = scaled_dot_product_attention(q, k, v, {.attn_mask = mask});
    CHECK(y.sizes() == Shape{2, 3, 4, 6});
    const Tensor one = scaled_dot_product_attention(q[1][2], k[1][0], v[1][0], {.attn_mask = mask[1][0]});
    CHECK(y[1][2].allclose(one, 1e-12, 1e-14));
}

TEST_CASE("attention: a query that may see nothing gives zeros and passes no gradient") {
    const Tensor q = spread({2, 4}, 1).set_requires_grad();
    const Tensor k = spread({3, 4}, 2).set_requires_grad();
    const Tensor v = spread({3, 2}, 3).set_requires_grad();
    const Tensor seen = tensor({{true, false, true}, {false, false, false}});
    const Tensor added = where(seen, 0, full({2, 3}, -kInfinity).to(kFloat64));
    for (const Tensor& mask : {seen, added}) {
        Tape tape;
        const Tensor y = scaled_dot_product_attention(q, k, v, {.attn_mask = mask});
        CHECK(y[1].equal(zeros({2}, kFloat64)));
        const auto gradients = grad({y.sum()}, {q, k, v});
        CHECK(gradients[0][1].equal(zeros({4}, kFloat64)));
        for (const Tensor& gradient : gradients) CHECK(gradient.isfinite().all().item<bool>());
    }
}

TEST_CASE("attention: dropout falls on the weights") {
    manual_seed(3);
    const Tensor v = eye(64);
    const Tensor weights =
        scaled_dot_product_attention(zeros({64, 2}), zeros({64, 2}), v, {.dropout_p = 0.5});
    const double kept = ne(weights, 0).sum().item<double>();
    CHECK(std::abs(kept - 2048) < 5 * 32);
    CHECK(weights.sum().item<double>() == doctest::Approx(kept * 2 / 64).epsilon(1e-6));
}

TEST_CASE("attention passes the gradient check") {
    const auto report = gradcheck(
        [](const std::vector<Tensor>& x) {
            return scaled_dot_product_attention(x[0], x[1], x[2], {.attn_mask = x[3]});
        },
        {spread({2, 3, 4}, 1), spread({5, 4}, 2), spread({2, 5, 2}, 3), spread({3, 5}, 4)});
    CHECK_MESSAGE(bool(report), report);
}

TEST_CASE("attention by blocks of queries: values, gradients, and gradients of gradients") {
    const auto x = several_blocks();
    const Tensor y_bar = spread({2, 2, 300, 2}, 5).set_requires_grad();
    for (const auto& options : several_masks()) {
        const auto derivatives = [&](const Tensor& y, bool create_graph) {
            auto all = grad({y}, x, {.grad_outputs = {y_bar}, .create_graph = create_graph});
            if (create_graph) {
                Tensor sum = square(all[0]).sum() + square(all[1]).sum() + square(all[2]).sum();
                for (const Tensor& second : grad({sum}, {x[0], x[1], x[2], y_bar})) all.push_back(second);
            }
            all.push_back(y);
            return all;
        };
        for (const bool create_graph : {false, true}) {
            Tape tape;
            const auto found =
                derivatives(scaled_dot_product_attention(x[0], x[1], x[2], options), create_graph);
            const auto expected = derivatives(composed(x[0], x[1], x[2], options), create_graph);
            for (std::size_t i = 0; i < found.size(); ++i) CHECK(found[i].allclose(expected[i], 1e-9, 1e-11));
        }
    }
}

TEST_CASE("attention: the same bits at every thread count, recorded or not") {
    const auto x = several_blocks(kFloat32);
    const int before = num_threads();
    for (const auto& options : several_masks(kFloat32)) {
        std::vector<Tensor> alone;
        for (const int threads : {1, 2, 3}) {
            set_num_threads(threads);
            Tape tape;
            const Tensor y = scaled_dot_product_attention(x[0], x[1], x[2], options);
            auto found = grad({y}, x, {.grad_outputs = {ones_like(y)}});
            found.push_back(y);
            const NoGradGuard quiet;
            found.push_back(scaled_dot_product_attention(x[0], x[1], x[2], options));
            CHECK(equal(found[3], found[4]));
            if (alone.empty()) alone = found;
            for (std::size_t i = 0; i < alone.size(); ++i) CHECK(equal(alone[i], found[i]));
        }
    }
    set_num_threads(before);
}

TEST_CASE("attention refuses what does not fit") {
    const Tensor q = ones({3, 4});
    CHECK_THROWS_AS(scaled_dot_product_attention(q, ones({5, 3}), ones({5, 2})), ShapeError);
    CHECK_THROWS_AS(scaled_dot_product_attention(q, ones({5, 4}), ones({4, 2})), ShapeError);
    CHECK_THROWS_AS(scaled_dot_product_attention(ones({4}), ones({5, 4}), ones({5, 2})), ShapeError);
    CHECK_THROWS_AS(scaled_dot_product_attention(q, ones({5, 4}, kFloat64), ones({5, 2})), DTypeError);
    const Tensor mask = ones({3, 5}, kBool);
    CHECK_THROWS_AS(
        scaled_dot_product_attention(q, ones({5, 4}), ones({5, 2}), {.attn_mask = mask, .is_causal = true}),
        Error);
    CHECK_THROWS_AS(
        scaled_dot_product_attention(q, ones({5, 4}), ones({5, 2}), {.attn_mask = mask.to(kInt64)}),
        DTypeError);
}

TEST_CASE("attention: in 16 bits what float32 gives, rounded once, with a mask and without") {
    for (const DType dtype : {kFloat16, kBFloat16}) {
        const Tensor q = spread({33, 5}, 1).mul(3).to(dtype);
        const Tensor k = spread({17, 5}, 2).mul(3).to(dtype);
        const Tensor v = spread({17, 4}, 3).to(dtype);
        for (const Tensor& mask : {Tensor(), spread({33, 17}, 4).to(dtype), spread({33, 17}, 5) > -1}) {
            const auto wide = [](const Tensor& x) { return x.to(kFloat32); };
            const Tensor bias = !mask.defined() || mask.dtype() == kBool ? mask : wide(mask);
            const Tensor y = scaled_dot_product_attention(q, k, v, {.attn_mask = mask});
            CHECK(y.dtype() == dtype);
            CHECK(y.equal(
                scaled_dot_product_attention(wide(q), wide(k), wide(v), {.attn_mask = bias}).to(dtype)));
        }
    }
}

TEST_CASE("attention: few queries, many keys") {
    for (const int64_t queries : {1, 2, 3, 16, 17}) {
        for (const Shape& sizes : {Shape{70, 33}, Shape{40, 130}}) {
            CAPTURE(queries);
            const Tensor k = spread(sizes, 1);
            const Tensor v = spread({sizes[0], 3}, 2);
            const Tensor q = spread({queries, sizes[1]}, 3);
            const Tensor none = zeros({queries, sizes[0]}, kFloat64);
            const double scale = 1 / std::sqrt(static_cast<double>(sizes[1]));
            check_close(scaled_dot_product_attention(q, k, v), attention(q, k, v, none, scale));
        }
    }
}
