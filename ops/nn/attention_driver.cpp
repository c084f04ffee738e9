#include "ops/nn/attention_driver.hpp"

#include <algorithm>
#include <limits>

#include "ops/linalg/gemm_driver.hpp"
#include "ops/pointwise/dense_driver.hpp"
#include "ops/softmax/fibre_driver.hpp"
#include "tensor/factory.hpp"
#include "tensor/parallel.hpp"
#include "tensor/scratch.hpp"

namespace reel {

namespace {

using std::int64_t;

// Bytes of a block's scores. 2 × 4 heads of 512 × 64, with gradients, take 13.4 ms; with half as many 14.6, with half as
// many again 18 (Intel, L2 of 2 MB).
constexpr int64_t kBlockBytes = 256 << 10;
constexpr int64_t kLeastRows = 16;
// A causal head has so many blocks at least: the keys after a block's last query are left out (8 × 4 heads of 64 × 32 in 0.77 of
// the time; AMD EPYC, Zen 3).
constexpr int64_t kCausalBlocks = 8;

/// Some queries of a head, and how many keys one of them sees.
struct Block {
    int64_t head, first, rows, keys;

    /// The rows of a head's matrix from `row` on.
    Matrix of(const Tensor& x, int64_t row = 0) const {
        int64_t at = row * x.stride(-2);
        int64_t h = head;
        for (int64_t d = x.dim() - 3; d >= 0; h /= x.size(d--)) at += h % x.size(d) * x.stride(d);
        return {x.raw() + at * x.itemsize(), x.stride(-2), x.stride(-1)};
    }
    Matrix rows_of(const Tensor& x) const { return of(x, first); }
};

Matrix transposed(const Matrix& x) { return {x.data, x.column, x.row}; }
Rows rows(const Matrix& x) { return {const_cast<std::byte*>(x.data), x.row}; }

struct Blocks {
    const AttentionHeads& x;
    DType dtype = x.q.dtype();
    int64_t queries = x.q.size(-2), keys = x.k.size(-2);
    int64_t wanted = x.is_causal ? queries / kCausalBlocks : queries;
    int64_t most = std::clamp<int64_t>(kBlockBytes / (std::max<int64_t>(keys, 1) * itemsize(dtype)),
                                       kLeastRows, std::max(wanted, kLeastRows));
    int64_t of_head = (queries + most - 1) / most;
    int64_t heads = numel(Shape(std::span(x.q.sizes()).first(x.q.sizes().size() - 2)));

    Block at(int64_t i) const {
        const int64_t first = i % of_head * most;
        const int64_t end = std::min(first + most, queries);
        return {i / of_head, first, end - first, x.is_causal ? std::min(end, keys) : keys};
    }
    /// What a block costs, forward.
    int64_t cost() const { return product_cost({dtype, most, x.q.size(-1) + x.v.size(-1), keys}); }
    /// A head's matrix as the right operand of its blocks' products: dense where it is read often (32 heads of 4 queries and 512
    /// keys take 0.43 of the time without, 64 heads of 128 and 128 with their gradients 1.18 of it; AMD EPYC, Zen 4).
    Tensor transposed(const Tensor& heads_of) const {
        const Tensor view = heads_of.transpose(-2, -1);
        return of_head > 1 || most > kLeastRows ? dense(view) : view;
    }
    /// Memory for the scores of one.
    Tensor scores() const { return Tensor::empty({most, keys}, dtype); }
    /// c = start + a b: m × n sums of k terms.
    void multiply(int64_t m, int64_t n, int64_t k, const Matrix& a, const Matrix& b, const Rows& c,
                  const Start& start = {}) const {
        gemm({dtype, m, n, k}, a, b, c, start);
    }
};

/// −∞ for the keys after the query.
template <class T>
void hide_future(const Block& b, const Rows& scores) {
    for (int64_t i = 0; i < b.rows; ++i) {
        T* const s = reinterpret_cast<T*>(scores.data) + i * scores.row;
        std::fill(s + std::min(b.first + i + 1, b.keys), s + b.keys, -std::numeric_limits<T>::infinity());
    }
}

/// What is added to the scores, and −∞ for the keys that are not seen.
class ScoreMask {
public:
    explicit ScoreMask(const AttentionHeads& x) : x_(x) {
        if (x.seen.defined())
            hidden_ = full({x.k.size(-2)}, -std::numeric_limits<double>::infinity(), dtype_);
    }
    void apply(const Block& b, const Rows& scores) const {
        if (x_.is_causal) with_floating(dtype_, [&](auto zero) { hide_future<decltype(zero)>(b, scores); });
        for (int64_t i = 0; x_.seen.defined() && i < b.rows; ++i) {
            std::byte* const s = scores.data + i * scores.row * itemsize(dtype_);
            const void* sum[] = {s, nullptr};
            if (x_.added.defined()) {
                sum[1] = b.of(x_.added, b.first + i).data;
                kernels::loop(kernels::Fn::kAdd, dtype_)(b.keys, s, sum, nullptr);
            }
            const void* choice[] = {b.of(x_.seen, b.first + i).data, s, hidden_.raw()};
            kernels::loop(kernels::Fn::kWhere, dtype_)(b.keys, s, choice, nullptr);
        }
    }

private:
    const AttentionHeads& x_;
    DType dtype_ = x_.q.dtype();
    Tensor hidden_;  ///< a row of −∞
};

}  // namespace

Tensor attention_forward(const AttentionHeads& x, const Tensor& weights) {
    const Blocks blocks{x};
    const int64_t width = x.q.size(-1), values = x.v.size(-1);
    const kernels::Softmax& softmax = kernels::softmax(blocks.dtype);
    const ScoreMask mask(x);
    const double unseen = x.is_causal || x.seen.defined() ? 0 : std::numeric_limits<double>::quiet_NaN();
    const Tensor k_t = blocks.transposed(x.k);
    Shape sizes = x.q.sizes();
    sizes.back() = values;
    const Tensor y = Tensor::empty(sizes, blocks.dtype);
    parallel_for(blocks.heads * blocks.of_head, 1, blocks.cost(), [&](int64_t begin, int64_t end) {
        const Tensor scores = weights.defined() ? Tensor() : blocks.scores();
        const Scratch exponentials(kernels::kShortRows *
                                   (blocks.keys * itemsize(blocks.dtype) + kernels::kMaxVector));
        for (int64_t i = begin; i < end; ++i) {
            const Block b = blocks.at(i);
            const Rows s =
                rows(weights.defined() ? b.rows_of(weights) : Matrix{scores.raw(), blocks.keys, 1});
            blocks.multiply(b.rows, b.keys, width, b.rows_of(x.q), b.of(k_t), s);
            mask.apply(b, s);
            if (b.keys > 0) {
                softmax.probabilities[kernels::kRows](b.keys, b.rows, {s.data, s.row}, unseen,
                                                      exponentials.data(), {s.data, s.row});
            }
            blocks.multiply(b.rows, values, b.keys, {s.data, s.row, 1}, b.of(x.v), rows(b.rows_of(y)));
        }
    });
    return y;
}

AttentionGradients attention_backward(const AttentionHeads& x, const Tensor& weights, const Tensor& y_bar) {
    const Blocks blocks{x};
    const int64_t width = x.q.size(-1), values = x.v.size(-1);
    const kernels::Softmax& softmax = kernels::softmax(blocks.dtype);
    const Tensor v_t = blocks.transposed(x.v);
    const AttentionGradients found{Tensor::empty(x.q.sizes(), blocks.dtype), zeros(x.k.sizes(), blocks.dtype),
                                   zeros(x.v.sizes(), blocks.dtype)};
    // A head's blocks add to its k̄ and v̄ one after the other.
    const auto visit = [&](int64_t begin, int64_t end) {
        const Tensor scores = blocks.scores();
        const Matrix s_bar{scores.raw(), blocks.keys, 1};
        for (int64_t i = begin * blocks.of_head; i < end * blocks.of_head; ++i) {
            const Block b = blocks.at(i);
            const Matrix p = b.rows_of(weights), g = b.rows_of(y_bar);
            blocks.multiply(b.rows, b.keys, values, g, b.of(v_t), rows(s_bar));
            softmax.backward[kernels::kRows](b.keys, b.rows, {s_bar.data, s_bar.row}, {p.data, p.row},
                                             {rows(s_bar).data, s_bar.row});
            const Rows q_bar = rows(b.rows_of(found.q)), k_bar = rows(b.of(found.k)),
                       v_bar = rows(b.of(found.v));
            blocks.multiply(b.rows, width, b.keys, s_bar, b.of(x.k), q_bar);
            blocks.multiply(b.keys, width, b.rows, transposed(s_bar), b.rows_of(x.q), k_bar,
                            {k_bar.data, width});
            blocks.multiply(b.keys, values, b.rows, transposed(p), g, v_bar, {v_bar.data, values});
        }
    };
    if (blocks.heads < num_threads()) {
        visit(0, blocks.heads);  // threads share the products
    } else {
        parallel_for(blocks.heads, 1, 2 * blocks.of_head * blocks.cost(), visit);
    }
    return found;
}

}  // namespace reel
