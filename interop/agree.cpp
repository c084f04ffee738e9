// Every word of interop/libtorch.hpp once, values and gradients: built against reel and against libtorch it
// must print the same.
#include <functional>
#include <iomanip>
#include <reel.hpp>

using namespace reel;

namespace {

/// Numbers in (-1, 1) without pattern.
Tensor numbers(const Shape& sizes) {
    std::int64_t count = 1;
    for (const std::int64_t size : sizes) count *= size;
    return sin(square(arange(count).to(kFloat64) + 1) * 0.37).view(sizes);
}

void print(const char* name, const Tensor& x) {
    std::cout << name << " [";
    for (const std::int64_t size : x.sizes()) std::cout << " " << size;
    std::cout << " ]";
    for (const double value : x.to(kFloat64).to_vector<double>()) {
        std::cout << " " << (std::abs(value) < 1e-12 ? 0.0 : value);
    }
    std::cout << "\n";
}

/// y = f(x), and x̄ for ȳ = y.
void show(const char* name, const std::function<Tensor(const Tensor&)>& f, const Shape& sizes = {2, 3}) {
    const Tensor x = numbers(sizes).set_requires_grad();
    const Tape tape;
    const Tensor y = f(x);
    print(name, y.detach());
    print("  its gradient", grad({square(y).sum() / 2}, {x})[0]);
}

void pointwise() {
    show("operators", [](const Tensor& x) { return 2 - (1 + x * 3 - 0.5) / 2 + x * x / (x * x + 1) - -x; });
    show("numbers", [](const Tensor& x) { return 1 / (x + 3) - (x - x * 2); });
    show("exp log", [](const Tensor& x) { return exp(x) + expm1(x) + log(x + 2) + log1p(x); });
    show("roots", [](const Tensor& x) { return sqrt(x + 2) + rsqrt(x + 2) + square(x) + pow(x + 2, 1.5); });
    show("waves", [](const Tensor& x) { return sin(x) + cos(x) + tanh(x) + erf(x) + abs(x); });
    show("activations",
         [](const Tensor& x) { return sigmoid(x) + relu(x) + gelu(x) + silu(x) + softplus(x); });
    show("gelu tanh", [](const Tensor& x) { return gelu(x, "tanh"); });
    show("choice",
         [](const Tensor& x) { return where(x > 0, x, x * 2) + maximum(x, -x) + minimum(x, x * x); });
    show("more waves",
         [](const Tensor& x) { return tan(x) + atan2(x, x + 2) + reciprocal(x + 2) + neg(x) * sign(x); });
    show("more activations", [](const Tensor& x) { return leaky_relu(x) + elu(x, 1.5) + logsigmoid(x); });
    show("logarithms",
         [](const Tensor& x) { return logaddexp(x, x * 2) + xlogy(x, x + 2) + lerp(x, x * x, 0.3); });
    show("remainders", [](const Tensor& x) { return fmod(x * 5, x + 2) + remainder(x * 5, x + 2); });
    show("clamp", [](const Tensor& x) { return clamp(x, -0.5, 0.4) + x.clamp(0.1); });
    show("rounded", [](const Tensor& x) {
        return x * (floor(x * 3) + ceil(x * 3) + round(x * 3) + trunc(x * 3)).detach();
    });
    const Tensor x = numbers({6});
    print("compare", (x < 0.5).to(kInt64) + (x == x).to(kInt64) * 2 + (x != 0).to(kInt64) * 4 +
                         (x <= 0).to(kInt64) * 8 + (x >= x).to(kInt64) * 16 +
                         logical_and(x > 0, logical_not(x > 0.5)).to(kInt64) * 32 +
                         logical_or(x<0, x> 0.5).to(kInt64) * 64 + (x / 0).isinf().to(kInt64) * 128 +
                         logical_xor(x.isfinite(), x.isnan()).to(kInt64) * 256);
    print("whole", tensor({x.allclose(x + 1e-12) ? 1 : 0, x.equal(x + 1) ? 1 : 0,
                           (x > 0).any().item<bool>() ? 1 : 0, (x > 0).all().item<bool>() ? 1 : 0}));
}

void shapes() {
    show("views", [](const Tensor& x) { return x.view({3, 2}).t().transpose(0, 1).reshape(6).unsqueeze(0); });
    show("parts", [](const Tensor& x) { return x.select(1, 2) + x.narrow(1, 0, 1).squeeze(1) + x[1].sum(); });
    show("order", [](const Tensor& x) { return x.permute({2, 0, 1}).flatten(1); }, {2, 3, 2});
    show("expand", [](const Tensor& x) { return x.unsqueeze(1).expand({2, 2, 3}).contiguous(); });
    show("index", [](const Tensor& x) { return x(Ellipsis, None, Slice(0, None, 2)); }, {2, 3});
    show("index tensors", [](const Tensor& x) { return x.index({tensor({0, 1, 0}), tensor({2, 2, 1})}); });
    show("gather", [](const Tensor& x) {
        return x.gather(1, tensor({{0}, {2}})) + x.index_select(1, tensor({1}));
    });
    show("masked_fill", [](const Tensor& x) { return x.masked_fill(x.detach() > 0, 7); });
    show("join", [](const Tensor& x) { return cat({x, x * 2}, 1) + stack({x, x}, 1).flatten(1); });
    show("triangles", [](const Tensor& x) { return tril(x) - triu(x, 1) * 2; }, {3, 3});
    show("more views", [](const Tensor& x) { return x.movedim(0, 1).flip(0).expand_as(zeros({3, 2})); });
    show("windows", [](const Tensor& x) { return x.unfold(1, 2, 1).diagonal(0, 1, 2); });
    show("pieces", [](const Tensor& x) {
        return x.unbind(1)[0] + x.split(2, 1)[0].sum(1) + x.chunk(3, 1)[2].squeeze(1);
    });
    show("scattered", [](const Tensor& x) {
        return x.scatter(1, tensor({{0}, {2}}), x.narrow(1, 1, 1)) +
               x.scatter_add(1, tensor({{1}, {1}}), x.narrow(1, 0, 1));
    });
    show("selected", [](const Tensor& x) { return x.masked_select(x.detach() > 0); });
    show("repeated", [](const Tensor& x) {
        return x.repeat({1, 2}) + pad(x, {1, 2}, "constant", 0.5) + pad(x.roll(1, 1), {0, 3});
    });
    print("nonzero", (numbers({2, 3}) > 0).nonzero());
    const Tensor memory = zeros({2, 2}, kFloat64);
    memory.index_put_({0, Slice()}, ones({2}, kFloat64));
    memory.add_(ones({2, 2}, kFloat64), 3).mul_(2).div_(4).sub_(full({2, 2}, 0.25, kFloat64));
    print("in place", memory);
    print("made", eye(2) + linspace(0, 1, 2) + tensor({{1.0, 2.0}, {3.0, 4.0}}) + zeros_like(eye(2)));
    print("one_hot", one_hot(tensor({0, 2}), 3));
}

void reductions() {
    show("sums",
         [](const Tensor& x) { return x.sum() + x.mean() + x.var() + x.std() + x.amax() - x.amin(); });
    show("along", [](const Tensor& x) { return x.sum(0) + x.mean({0}) + x.var(0, false) + x.logsumexp(0); });
    show("kept", [](const Tensor& x) { return x - x.mean(1, true) + x.amax(1, true); });
    show("max", [](const Tensor& x) {
        const auto [most, where_most] = x.max(1);
        const auto [least, where_least] = x.min(1);
        return most * 2 - least + (where_most + where_least + x.argmax(1)).to(kFloat64) + x.max() + x.min();
    });
    show("cumsum", [](const Tensor& x) { return x.cumsum(1); });
    show("order of size", [](const Tensor& x) {
        const auto [sorted, from] = x.sort(1, true);
        const auto [top, where_top] = x.topk(2, 1);
        return sorted.cumprod(1) + (from + x.argmin(1, true)).to(kFloat64) + top.sum(1, true);
    });
    show("prod, norm", [](const Tensor& x) { return x.prod() + x.prod(0) + x.norm() + x.norm(3, {0}); });
    show("masked_softmax", [](const Tensor& x) {
        return masked_softmax(x, tensor({{true, true, false}, {false, false, false}}), 1);
    });
    show("softmax", [](const Tensor& x) { return softmax(x, 0) + log_softmax(x, 1) + logsumexp(x, {}); });
    show("products", [](const Tensor& x) { return matmul(x, x.t()) + einsum("ij,kj->ik", {x, x}); });
}

void layers() {
    show("linear", [](const Tensor& x) {
        return linear(x, numbers({4, 3}), numbers({4})) + linear(x, numbers({4, 3}));
    });
    show("embedding", [](const Tensor& x) { return embedding(tensor({{1, 0}, {1, 1}}), x); });
    show("layer_norm", [](const Tensor& x) { return layer_norm(x, 3, numbers({3}), numbers({3})); });
    show("conv2d",
         [](const Tensor& x) {
             return conv2d(x, numbers({2, 2, 2, 2}), {}, {.stride = {1, 2}, .padding = 1});
         },
         {1, 2, 3, 4});
    show("max_pool2d", [](const Tensor& x) { return max_pool2d(x, {.kernel_size = 2}); }, {1, 1, 4, 4});
    show("rms_norm", [](const Tensor& x) { return rms_norm(x, 3, numbers({3}), 1e-5); });
    show("avg_pool2d", [](const Tensor& x) { return avg_pool2d(x, {.kernel_size = 2}); }, {1, 1, 4, 4});
    show("attention",
         [](const Tensor& x) { return scaled_dot_product_attention(x, x * 2, x, {.is_causal = true}); },
         {3, 2});
    show("products", [](const Tensor& x) {
        return addmm(x, x, numbers({3, 3}), 0.5, 2) + mm(x, numbers({3, 3}));
    });
    show("vectors",
         [](const Tensor& x) { return mv(x, numbers({3})) + dot(x[0], x[1]) + outer(x[0], x[1]).sum(); });
    show("bmm", [](const Tensor& x) { return bmm(x, x.transpose(1, 2)); }, {2, 2, 2});
    show("dropout", [](const Tensor& x) { return dropout(x, 0.5, false); });
}

void losses() {
    const Tensor classes = tensor({{1, 0}, {2, -100}});
    const Shape sizes = {2, 2, 3};
    show(
        "cross_entropy", [&](const Tensor& x) { return cross_entropy(x, classes); }, sizes);
    show(
        "each", [&](const Tensor& x) { return cross_entropy(x, classes, {.reduction = kNone}); }, sizes);
    show(
        "smoothed, weighted",
        [&](const Tensor& x) {
            return cross_entropy(x, classes,
                                 {.weight = tensor({1.0, 2.0, 3.0}, kFloat64), .label_smoothing = 0.1});
        },
        sizes);
    show("first dim",
         [&](const Tensor& x) {
             return cross_entropy(x, tensor({1, 0, 1}), {.dim = 0});
         },
         {2, 3});
    show("one row", [](const Tensor& x) { return cross_entropy(x, tensor(1)); }, {3});
    show(
        "soft",
        [](const Tensor& x) {
            return cross_entropy(x, softmax(numbers({2, 2, 3}) * 2, -1));
        },
        sizes);
    show(
        "nll_loss", [&](const Tensor& x) { return nll_loss(log_softmax(x, -1), classes); }, sizes);
    show("huber", [](const Tensor& x) { return huber_loss(x, numbers({2, 3}) * 2, kMean, 0.5); });
    show("kl_div", [](const Tensor& x) {
        return kl_div(log_softmax(x, 1), softmax(numbers({2, 3}), 1), kSum);
    });
    show("binary", [](const Tensor& x) {
        return binary_cross_entropy_with_logits(x, square(numbers({2, 3})),
                                                {.pos_weight = tensor({1.0, 2.0, 3.0}, kFloat64)});
    });
    show("distances", [](const Tensor& x) {
        return mse_loss(x, x.detach() * 2) + l1_loss(x, numbers({2, 3}) + 1, kSum);
    });
}

/// A few steps of an optimizer, and what it does to its parameter.
template <class Made, class Options>
void steps(const char* name, const Options& options) {
    const Tensor x = numbers({4}).set_requires_grad();
    Made optimizer({x}, options);
    for (int step = 0; step < 5; ++step) {
        const Tape tape;
        square(x * 3 - 1).sum().backward();
        clip_grad_norm_({x}, 2);
        optimizer.set_lr(optimizer.lr() * 0.9);
        optimizer.step();
        optimizer.zero_grad();
    }
    print(name, x.detach());
}

void training() {
    steps<SGD>("SGD", SGDOptions{.lr = 0.1, .momentum = 0.9, .weight_decay = 0.1, .nesterov = true});
    steps<Adam>("Adam", AdamOptions{.lr = 0.1, .betas = {0.8, 0.99}, .weight_decay = 0.1});
    steps<AdamW>("AdamW", AdamWOptions{.lr = 0.1, .weight_decay = 0.1});
    const Tensor x = numbers({2}).set_requires_grad();
    {
        const NoGradGuard no_grad;
        print("no tape", (x * 2).requires_grad() ? ones({1}) : zeros({1}));
    }
    print("outside", (x * 2).requires_grad() ? ones({1}) : zeros({1}));
    const Tape tape;
    const Tensor first = grad({pow(x, 3).sum()}, {x}, {.create_graph = true})[0];
    print("second order", grad({first.sum()}, {x})[0]);
}

}  // namespace

int main() {
    std::cout << std::setprecision(6);
    pointwise();
    shapes();
    reductions();
    layers();
    losses();
    training();
}
