// The public interface, word by word: a program that uses each name of it as its documentation spells it.
// What the operations compute is tested beside them.
#include <doctest/doctest.h>

#include <map>
#include <sstream>

#include "reel.hpp"

using namespace reel;

TEST_CASE("interface: making tensors") {
    CHECK(tensor(3).dtype() == kInt64);
    CHECK(tensor(3.0).dtype() == kFloat32);
    CHECK(tensor(true).dtype() == kBool);
    CHECK((Scalar(2) * Scalar(3)).to<double>() == 6);
    CHECK(tensor({1, 2, 3}).sizes() == std::vector<int64_t>{3});
    CHECK(tensor({{1.0, 2.0}, {3.0, 4.0}}).sizes() == Shape{2, 2});
    CHECK(tensor({1, 2}, kFloat64).dtype() == kFloat64);
    CHECK(tensor(std::vector<double>{1, 2}).dtype() == kFloat32);
    CHECK(tensor(std::vector<int64_t>{1, 2}).dtype() == kInt64);
    const std::vector<int64_t> sizes = {2, 3};
    const std::span<const int64_t> span(sizes);
    for (const Tensor& t : {empty({2, 3}), zeros(sizes), ones(span), rand({2, 3}), randn({2, 3})}) {
        CHECK(t.sizes() == sizes);
        CHECK(t.dtype() == kFloat32);
    }
    CHECK(zeros(3).sizes() == Shape{3});
    CHECK(zeros({}).dim() == 0);
    CHECK(full({2}, 3).dtype() == kInt64);
    CHECK(full({2}, 3.0).dtype() == kFloat32);
    CHECK(full({2}, 3, kFloat64).dtype() == kFloat64);
    CHECK(arange(5).to_vector<int64_t>() == std::vector<int64_t>{0, 1, 2, 3, 4});
    CHECK(arange(1, 4).numel() == 3);
    CHECK(arange(0, 1, 0.25).dtype() == kFloat32);
    CHECK(linspace(0, 1, 5).numel() == 5);
    CHECK(eye(3).sizes() == Shape{3, 3});
    CHECK(randint(10, {4}).dtype() == kInt64);
    CHECK(randint(5, 10, {4}).sizes() == Shape{4});
    CHECK(randperm(5).numel() == 5);
    const Tensor like = zeros({2, 2}, kFloat64);
    for (const Tensor& t : {zeros_like(like), ones_like(like), full_like(like, 2), empty_like(like),
                            rand_like(like), randn_like(like)}) {
        CHECK(t.dtype() == kFloat64);
        CHECK(t.sizes() == like.sizes());
    }
    float memory[] = {1, 2, 3, 4};
    CHECK(from_blob(memory, {2, 2}).data_ptr<float>() == memory);
    CHECK(from_blob(memory, {2, 2}, {1, 2}).index({0, 1}).item<float>() == 3);
    CHECK(multinomial(tensor({0.0, 1.0}), 3, true).to_vector<int64_t>() == std::vector<int64_t>{1, 1, 1});
    CHECK(bernoulli(ones({4})).sum().item<float>() == 4);
    CHECK(one_hot(tensor({0, 2}), 3).sizes() == Shape{2, 3});
    manual_seed(7);
    const Tensor first = randn({3});
    manual_seed(7);
    CHECK(randn({3}).equal(first));
}

TEST_CASE("interface: asking, viewing, indexing, changing") {
    const Tensor undefined;
    CHECK_FALSE(undefined.defined());
    const Tensor t = arange(24, kFloat32).view({2, 3, 4});
    CHECK(t.defined());
    CHECK(t.dim() == 3);
    CHECK(t.size(-1) == 4);
    CHECK(t.numel() == 24);
    CHECK(t.stride(0) == 12);
    CHECK(t.strides() == Shape{12, 4, 1});
    CHECK(t.storage_offset() == 0);
    CHECK(t.is_contiguous());
    CHECK(t[1][2][3].item<double>() == 23);
    CHECK(t.to_vector<double>()[5] == 5);
    CHECK(t.data_ptr<float>()[5] == 5);
    CHECK(t.view({6, -1}).sizes() == Shape{6, 4});
    CHECK(t.reshape({-1}).sizes() == Shape{24});
    CHECK(t.flatten(1).sizes() == Shape{2, 12});
    CHECK(t.unflatten(2, {2, 2}).sizes() == Shape{2, 3, 2, 2});
    CHECK(t.unsqueeze(0).squeeze(0).sizes() == t.sizes());
    CHECK(t.unsqueeze(-1).squeeze().sizes() == t.sizes());
    CHECK(t.transpose(0, 2).sizes() == Shape{4, 3, 2});
    CHECK(t[0].t().sizes() == Shape{4, 3});
    CHECK(t.permute({2, 0, 1}).sizes() == Shape{4, 2, 3});
    CHECK(t.movedim(0, 2).sizes() == Shape{3, 4, 2});
    CHECK(ones({1, 3}).expand({2, -1}).sizes() == Shape{2, 3});
    CHECK(ones({3}).expand_as(ones({2, 3})).sizes() == Shape{2, 3});
    CHECK(ones({3}).broadcast_to({2, 3}).sizes() == Shape{2, 3});
    CHECK(t.select(1, 2).sizes() == Shape{2, 4});
    CHECK(t.narrow(2, 1, 2).sizes() == Shape{2, 3, 2});
    CHECK(t.slice(2, 0, 4, 2).sizes() == Shape{2, 3, 2});
    CHECK(t[0].diagonal().sizes() == Shape{3});
    CHECK(t.unbind(0).size() == 2);
    CHECK(t.split(2, 2).size() == 2);
    CHECK(t.split({1, 3}, 2)[1].size(2) == 3);
    CHECK(t.chunk(2, 2).size() == 2);
    CHECK(t.unfold(2, 2, 1).sizes() == Shape{2, 3, 3, 2});
    CHECK(t.as_strided({2, 2}, {1, 2}, 3).sizes() == Shape{2, 2});
    CHECK(t.flip({0, 2}).shares_storage(t));
    CHECK(t.index({0, Slice(1, None), Ellipsis}).sizes() == Shape{2, 4});
    CHECK(t.index({Slice(None, None, -1)}).shares_storage(t));
    CHECK(t.index({None, "...", 0}).sizes() == Shape{1, 2, 3});
    CHECK(t(0, Slice(1), tensor({true, false, true, false})).sizes() == Shape{2, 2});
    CHECK(t.index({tensor({0, 1}), tensor({0, 1})}).sizes() == Shape{2, 4});
    CHECK(t.index({t > 20}).numel() == 3);
    const Tensor z = zeros({3});
    z.index_put_({tensor({0, 0})}, tensor({1.0, 2.0}), true);
    CHECK(z.to_vector<float>() == std::vector<float>{3, 0, 0});
    CHECK(z.index_put({0}, tensor(5.0))[0].item<float>() == 5);
    CHECK(t.index_select(0, tensor({1})).sizes() == Shape{1, 3, 4});
    CHECK(t[0].gather(1, tensor({{0}, {1}, {2}})).sizes() == Shape{3, 1});
    CHECK(z.scatter(0, tensor({1}), tensor({4.0}))[1].item<float>() == 4);
    CHECK(z.scatter_add(0, tensor({0}), tensor({4.0}))[0].item<float>() == 7);
    CHECK(t[0].take_along_dim(tensor({{0}, {0}, {0}}), 1).sizes() == Shape{3, 1});
    CHECK(t.masked_select(t > 20).numel() == 3);
    CHECK(t.masked_fill(t > 2, 0).sum().item<float>() == 3);
    CHECK(t.nonzero().sizes() == Shape{23, 3});
    CHECK(t.to(kInt64).dtype() == kInt64);
    CHECK_FALSE(t.clone().shares_storage(t));
}

TEST_CASE("interface: in place") {
    const Tensor a = zeros({3});
    a.copy_(ones({3})).add_(1).sub_(0.5).mul_(2).div_(3);
    CHECK(a.to_vector<float>() == std::vector<float>{1, 1, 1});
    a.fill_(4).clamp_(0, 2).masked_fill_(tensor({true, false, false}), 9);
    CHECK(a.to_vector<float>() == std::vector<float>{9, 2, 2});
    Tensor b = a.clone();
    b += a;
    b -= 1;
    b *= 2;
    b /= 2;
    CHECK(b.to_vector<float>() == std::vector<float>{17, 3, 3});
    CHECK(b.zero_().sum().item<float>() == 0);
}

TEST_CASE("interface: pointwise operations, as functions and methods") {
    const Tensor x = tensor({0.5, 1.5});
    const Tensor y = tensor({2.0, 0.25});
    for (const Tensor& t : {x + y,
                            x - y,
                            x * y,
                            x / y,
                            1 + x,
                            1 - x,
                            2 * x,
                            1 / x,
                            x + 1,
                            -x,
                            neg(x),
                            abs(x),
                            sign(x),
                            exp(x),
                            expm1(x),
                            log(x),
                            log1p(x),
                            sqrt(x),
                            rsqrt(x),
                            square(x),
                            reciprocal(x),
                            pow(x, y),
                            pow(x, 2),
                            pow(2, x),
                            sin(x),
                            cos(x),
                            tan(x),
                            tanh(x),
                            erf(x),
                            sigmoid(x),
                            relu(x),
                            leaky_relu(x),
                            leaky_relu(x, 0.1),
                            elu(x),
                            gelu(x),
                            gelu(x, "tanh"),
                            silu(x),
                            softplus(x),
                            logsigmoid(x),
                            clamp(x, 0, 1),
                            maximum(x, y),
                            minimum(x, y),
                            where(x > y, x, y),
                            where(x > y, x, 0),
                            lerp(x, y, 0.5),
                            fmod(x, y),
                            fmod(x, 2),
                            remainder(x, y),
                            floor(x),
                            ceil(x),
                            round(x),
                            trunc(x),
                            atan2(x, y),
                            logaddexp(x, y),
                            xlogy(x, y),
                            nan_to_num(x),
                            x.add(y, 2),
                            x.sub(y),
                            x.mul(y),
                            x.div(y),
                            x.exp(),
                            x.log(),
                            x.pow(2),
                            x.clamp(0, 1),
                            x.lerp(y, 0.5),
                            x.maximum(y)}) {
        CHECK(t.sizes() == Shape{2});
        CHECK(t.dtype() == kFloat32);
    }
    for (const Tensor& t :
         {x == y, x != y, x<y, x <= y, x> y, x >= y, x == 1, eq(x, y), ne(x, y), lt(x, y), le(x, y), gt(x, y),
          ge(x, y), logical_and(x, y), logical_or(x, y), logical_xor(x, y), logical_not(x), isnan(x),
          isinf(x), isfinite(x), isclose(x, y)}) {
        CHECK(t.dtype() == kBool);
    }
    CHECK(allclose(x, x));
    CHECK(equal(x, x));
}

TEST_CASE("interface: reductions, scans, order, shape") {
    const Tensor x = tensor({{1.0, 3.0, 2.0}, {4.0, 6.0, 5.0}});
    CHECK(sum(x).item<float>() == 21);
    CHECK(x.sum({0, 1}, true).sizes() == Shape{1, 1});
    for (const Tensor& t :
         {x.sum(1),        x.mean(1),      x.prod(1), x.var(1),        x.std(1),     x.amax(1),
          x.amin(1),       x.logsumexp(1), x.any(1),  x.all(1),        x.norm(2, 1), x.count_nonzero(1),
          mean(x, 1),      prod(x, 1),     var(x, 1), reel::std(x, 1), amax(x, 1),   amin(x, 1),
          logsumexp(x, 1), any(x, 1),      all(x, 1), norm(x, 2, 1)}) {
        CHECK(t.sizes() == Shape{2});
    }
    CHECK(x.var(1, false, true).sizes() == Shape{2, 1});
    auto [values, indices] = x.max(1);
    CHECK(values.to_vector<float>() == std::vector<float>{3, 6});
    CHECK(indices.to_vector<int64_t>() == std::vector<int64_t>{1, 1});
    CHECK(min(x, 0, true).values.sizes() == Shape{1, 3});
    CHECK(x.argmax().item<int64_t>() == 4);
    CHECK(argmin(x, 1).to_vector<int64_t>() == std::vector<int64_t>{0, 0});
    CHECK(x.max().item<float>() == 6);
    CHECK(x.cumsum(1).sizes() == x.sizes());
    CHECK(cumprod(x, 0).sizes() == x.sizes());
    auto [sorted, order] = x.sort(1, true);
    CHECK(order[0].to_vector<int64_t>() == std::vector<int64_t>{1, 2, 0});
    CHECK(argsort(x, 1).sizes() == x.sizes());
    CHECK(x.topk(2).values.sizes() == Shape{2, 2});
    CHECK(cat({x, x}).sizes() == Shape{4, 3});
    CHECK(cat({x, x}, 1).sizes() == Shape{2, 6});
    CHECK(stack({x, x}, -1).sizes() == Shape{2, 3, 2});
    CHECK(x.repeat({2, 1}).sizes() == Shape{4, 3});
    CHECK(x.repeat_interleave(2, 1).sizes() == Shape{2, 6});
    CHECK(roll(x, 1, 1).sizes() == x.sizes());
    CHECK(pad(x, {1, 2}).sizes() == Shape{2, 6});
    CHECK(tril(x).index({0, 1}).item<float>() == 0);
    CHECK(x.triu().index({1, 0}).item<float>() == 0);
}

TEST_CASE("interface: linear algebra, softmax, losses, layers") {
    const Tensor a = randn({2, 3});
    const Tensor b = randn({3, 4});
    const Tensor v = randn({3});
    CHECK(matmul(a, b).sizes() == Shape{2, 4});
    CHECK(a.mm(b).sizes() == Shape{2, 4});
    CHECK(randn({5, 2, 3}).bmm(randn({5, 3, 4})).sizes() == Shape{5, 2, 4});
    CHECK(a.mv(v).sizes() == Shape{2});
    CHECK(dot(v, v).dim() == 0);
    CHECK(outer(v, v).sizes() == Shape{3, 3});
    CHECK(addmm(randn({4}), a, b).sizes() == Shape{2, 4});
    CHECK(einsum("ij,jk->ik", {a, b}).sizes() == Shape{2, 4});
    CHECK(softmax(a, -1).sizes() == a.sizes());
    CHECK(log_softmax(a, 1).sizes() == a.sizes());
    CHECK(masked_softmax(a, a > 0, 1).sizes() == a.sizes());
    const Tensor t = tensor({0, 2});
    CHECK(cross_entropy(a, t).dim() == 0);
    CHECK(cross_entropy(
              a, t,
              {.weight = ones({3}), .ignore_index = 1, .reduction = kSum, .label_smoothing = 0.1, .dim = 1})
              .dim() == 0);
    CHECK(cross_entropy(a, softmax(a, 1), {.reduction = kNone}).sizes() == Shape{2});
    CHECK(nll_loss(log_softmax(a, 1), t).dim() == 0);
    CHECK(mse_loss(a, a).dim() == 0);
    CHECK(mse_loss(a, a, kSum).dim() == 0);
    CHECK(l1_loss(a, a).dim() == 0);
    CHECK(huber_loss(a, a).dim() == 0);
    CHECK(binary_cross_entropy_with_logits(a, sigmoid(a)).dim() == 0);
    CHECK(kl_div(log_softmax(a, 1), softmax(a, 1)).dim() == 0);
    CHECK(linear(a, randn({4, 3}), randn({4})).sizes() == Shape{2, 4});
    CHECK(linear(a, randn({4, 3})).sizes() == Shape{2, 4});
    CHECK(linear_cross_entropy(a, randn({4, 3}), t).dim() == 0);
    CHECK(embedding(t, randn({5, 7})).sizes() == Shape{2, 7});
    CHECK(layer_norm(a, {3}, ones({3}), zeros({3}), 1e-5).sizes() == a.sizes());
    CHECK(layer_norm(a, {3}).sizes() == a.sizes());
    CHECK(rms_norm(a, {3}, ones({3})).sizes() == a.sizes());
    CHECK(dropout(a, 0.5, true).sizes() == a.sizes());
    const Tensor x = randn({1, 2, 6, 6});
    const Tensor w = randn({3, 2, 3, 3});
    CHECK(conv2d(x, w).sizes() == Shape{1, 3, 4, 4});
    CHECK(conv2d(x, w, randn({3}), {.stride = 2, .padding = 1}).sizes() == Shape{1, 3, 3, 3});
    CHECK(max_pool2d(x, {.kernel_size = 2}).sizes() == Shape{1, 2, 3, 3});
    CHECK(avg_pool2d(x, {.kernel_size = 2, .stride = 1}).sizes() == Shape{1, 2, 5, 5});
    const Tensor q = randn({2, 4, 5, 8});
    CHECK(scaled_dot_product_attention(q, q, q, {.is_causal = true}).sizes() == q.sizes());
}

TEST_CASE("interface: autograd and training") {
    const Tensor x = randn({5, 3});
    const Tensor y = randint(4, {5});
    auto w = randn({3, 4}).set_requires_grad(true);
    SGD sgd({w}, {.lr = 0.1, .momentum = 0.9, .weight_decay = 1e-4, .nesterov = true});
    Adam adam({w}, {.lr = 1e-3, .betas = {0.9, 0.99}, .eps = 1e-8, .weight_decay = 0});
    AdamW adamw({w}, {.lr = 1e-3, .weight_decay = 0.1});
    for (int step = 0; step < 3; ++step) {
        reel::Tape tape;
        sgd.zero_grad();
        auto loss = reel::cross_entropy(x.matmul(w), y);
        loss.backward();
        clip_grad_norm_({w}, 1.0);
        sgd.set_lr(cosine_lr(step, 3, 0.1));
        sgd.step();
        adam.step();
        adamw.step();
    }
    std::map<std::string, Tensor> state = adam.state();
    adam.load_state(state);
    CHECK(adam.lr() == 1e-3);
    CHECK(w.grad().defined());

    Tape tape({.detect_anomaly = true});
    const Tensor z = (w * w).sum();
    const std::vector<Tensor> g = grad({z}, {w}, {.create_graph = true});
    CHECK(grad({g[0].sum()}, {w}, {.grad_outputs = {}, .retain_graph = true, .allow_unused = true})[0]
              .defined());
    const Tensor cube =
        record("cube", w * w * w, {{w, [w](const Tensor& y_bar) { return 3 * w * w * y_bar; }}});
    const Tensor root =
        record("root", w.detach().abs().sqrt(),
               {{w, [](const Tensor& y_bar, const Tensor& out) { return y_bar / (2 * out); }}});
    root.register_hook([](const Tensor& gradient) { return gradient * 2; });
    root.retain_grad();
    (cube.sum() + root.sum()).backward({}, true);
    CHECK(root.grad().defined());
    {
        NoGradGuard quiet;
        CHECK_FALSE((w * 2).requires_grad());
    }
    std::ostringstream out;
    out << tape;
    CHECK(out.str().find("cube") != std::string::npos);
    CHECK(tape.to_dot().find("digraph") != std::string::npos);
    std::size_t count = 0;
    for (const auto& node : tape) {
        CHECK_FALSE(node.operation.empty());
        CHECK(node.number == static_cast<int64_t>(count));
        CHECK(node.bytes_kept >= 0);
        ++count;
    }
    CHECK(count == tape.size());
    const Tensor twice = checkpoint([](const std::vector<Tensor>& in) { return in[0].exp().exp(); }, {w});
    CHECK(twice.sizes() == w.sizes());
}

TEST_CASE("interface: gradcheck and derivatives") {
    const Tensor x = rand({3}, kFloat64) + 0.5;
    const auto f = [](const std::vector<Tensor>& in) { return (in[0].exp() * in[0]).sum(); };
    const GradcheckReport report = gradcheck(f, {x});
    CHECK(report);
    CHECK(gradgradcheck(f, {x}));
    const bool passed = gradcheck(f, {x}, {.seed = 3});
    CHECK(passed);
    std::ostringstream out;
    out << report;
    CHECK(out.str().find("match") != std::string::npos);
    const auto g = [](const Tensor& in) { return in.exp(); };
    const auto s = [](const Tensor& in) { return in.exp().sum(); };
    CHECK(jacobian(g, x).sizes() == Shape{3, 3});
    CHECK(hessian(s, x).sizes() == Shape{3, 3});
    auto [value, product] = hvp(s, x, ones({3}, kFloat64));
    CHECK(product.sizes() == Shape{3});
    auto [output, pulled] = vjp(g, x, ones({3}, kFloat64));
    CHECK(pulled.sizes() == Shape{3});
}

TEST_CASE("interface: printing and files") {
    set_printoptions({.precision = 4, .threshold = 1000, .edgeitems = 3, .linewidth = 80});
    std::ostringstream out;
    out << tensor({1.0, 2.0});
    CHECK(out.str() == "tensor([1., 2.])");
    const std::string npy = "/tmp/reel_interface_test.npy";
    save_npy(npy, arange(3));
    CHECK(load_npy(npy).equal(arange(3)));
    const std::string safetensors = "/tmp/reel_interface_test.safetensors";
    save_safetensors(safetensors, {{"a", arange(3)}, {"b", ones({2}, kFloat16)}});
    CHECK(load_safetensors(safetensors).at("b").dtype() == kFloat16);
    std::remove(npy.c_str());
    std::remove(safetensors.c_str());
}
