// Convolution as a product of matrices whose columns are not made.
//
// Note [Columns by offsets]
// What place k = (channel, a, b) of the window shows at result p is an element of the framed planes, the image
// with its padding of zeros, at
//
//     positions[p] + taps[k]      positions: (line · stride · row + column · stride) of a result
//                                 taps: channel · plane + a · dilation · row + b · dilation of a place
//
// whatever strides and dilations are. So the matrix of columns, which has every element of the image as often as windows
// show it, is two lists and the frame. Vectors are of outputs: no position but those of results is computed, where
// shifted planes pay for the padding (a third of the sums of 7 x 7 planes).
//
//     y[p][o] = Σ_k x[positions[p] + taps[k]] w[k][o]     w̄[k][o] = Σ_p x[taps[k] + positions[p]] ȳ[p][o]
//
// A few lines of an image at a time, or a stack of small images, a panel of outputs after the other.
#include <algorithm>
#include <cstring>

#include "ops/conv/pieces_driver.hpp"
#include "tensor/scratch.hpp"

namespace reel {

namespace {

using std::int64_t;

/// Panels of the weights of all groups, and biases of as many outputs. Only a group's last panel is written beyond its end,
/// where the next group comes after it.
class PackedWeight {
public:
    PackedWeight(const Pieces& p, const Tensor& w, const Tensor& bias)
        : p_(p), weights_(Tensor::empty({p.c.groups * group() + kernels::kMaxVector}, p.dtype)) {
        if (bias.defined()) biases_ = zeros({p.c.groups * p.panels * p.columns}, p.dtype);
        for (int64_t g = 0; g < p.c.groups; ++g) {
            const int64_t panel = p.columns * p.c.depth();
            parallel_for(p.panels, 1, panel, [&](int64_t begin, int64_t end) {
                for (int64_t j = begin; j < end; ++j) {
                    p.kernel.pack(p.c.depth(), p.outputs(j), p.c.weight(w, g) + j * panel * p.size, 1,
                                  p.c.depth(), p.columns,
                                  weights_.raw() + (g * group() + j * panel) * p.size);
                }
            });
            if (!bias.defined()) continue;
            const int64_t row = p.c.out * p.size;
            std::memcpy(biases_.raw() + g * p.panels * p.columns * p.size, bias.raw() + g * row,
                        static_cast<std::size_t>(row));
        }
    }
    const std::byte* weight(int64_t g, int64_t j) const {
        return weights_.raw() + (g * group() + j * p_.columns * p_.c.depth()) * p_.size;
    }
    const std::byte* bias(int64_t g, int64_t j) const {
        return biases_.defined() ? biases_.raw() + (g * p_.panels + j) * p_.columns * p_.size : nullptr;
    }

private:
    int64_t group() const { return p_.panels * p_.columns * p_.c.depth(); }

    const Pieces& p_;
    Tensor weights_, biases_;
};

/// A stack has no more images than a thread gets.
int64_t images_for_each(const Convolution& c, DType dtype) {
    const int64_t threads = threads_for(c.images * c.groups * c.cost(dtype));
    return (c.images + threads - 1) / threads;
}

/// The way through the images of a convolution, piece by piece, which threads share, or panel by panel of each if there are too few.
struct OffsetSums {
    const Convolution& c;
    Pieces pieces;
    PackedWeight packed;
    std::vector<int64_t> taps = pieces.taps();
    std::vector<int64_t> positions = pieces.positions();

    OffsetSums(const Convolution& convolution, const Tensor& w, const Tensor& bias)
        : c(convolution), pieces(c, w.dtype(), images_for_each(c, w.dtype())), packed(pieces, w, bias) {}

    void run(const Tensor& x, const Tensor& y) const {
        const auto pass = [&](int64_t begin, int64_t end) {
            const Tensor framed = pieces.empty_frame();
            for (int64_t i = begin; i < end; ++i) {
                const Piece piece = pieces.piece(0, c.images, i / c.groups);
                pieces.frame(x, piece, i % c.groups, framed.raw());
                sum(framed, y, piece, i % c.groups);
            }
        };
        const int64_t count = pieces.count(c.images) * c.groups;
        if (count < threads_for(count * pieces.cost())) return pass(0, count);
        parallel_for(count, 1, pieces.cost(), pass);
    }
    void sum(const Tensor& framed, const Tensor& y, const Piece& piece, int64_t g) const {
        const int64_t results = pieces.results(piece);
        parallel_for(pieces.panels, 1, pieces.cost() / pieces.panels, [&](int64_t begin, int64_t end) {
            const Scratch sums(pieces.most_results() * pieces.columns * pieces.size);
            for (int64_t j = begin; j < end; ++j) {
                pieces.multiply({piece.images * results, pieces.outputs(j), c.depth(), framed.raw(),
                                 positions.data(), taps.data(), packed.weight(g, j), packed.bias(g, j),
                                 sums.data()});
                for (int64_t n = 0; n < piece.images; ++n) {
                    pieces.turn(pieces.outputs(j), results,
                                sums.data() + n * results * pieces.columns * pieces.size,
                                pieces.result(y, piece, n, g, j), c.results());
                }
            }
        });
    }
};

/// One thread's way through the images of a weight's gradient, piece by piece; threads share the panels where all images
/// are one's.
struct OffsetProducts {
    const Convolution& c;
    Pieces pieces;
    std::vector<int64_t> taps = pieces.taps();
    std::vector<int64_t> positions = pieces.positions();
    Tensor framed = pieces.empty_frame();
    int64_t panel = c.depth() * pieces.columns * pieces.size;  ///< bytes of sums
    Tensor sums = Tensor::empty({pieces.panels * c.depth() * pieces.columns}, pieces.dtype);

    OffsetProducts(const Convolution& convolution, DType dtype, int64_t images)
        : c(convolution), pieces(c, dtype, images) {}

    /// w̄ = Σ ȳ x of images [begin, end).
    void run(const Tensor& y_bar, const Tensor& x, int64_t begin, int64_t end, const Tensor& w_bar) const {
        for (int64_t g = 0; g < c.groups; ++g) {
            for (int64_t i = 0; i < pieces.count(end - begin); ++i) {
                const Piece piece = pieces.piece(begin, end, i);
                pieces.frame(x, piece, g, framed.raw());
                add(y_bar, piece, g, i == 0);
            }
            for (int64_t j = 0; j < pieces.panels; ++j) {
                pieces.turn(pieces.outputs(j), c.depth(), sums.raw() + j * panel,
                            c.weight(w_bar, g) + j * panel, c.depth());
            }
        }
    }
    /// Adds what a piece gives, or begins with it.
    void add(const Tensor& y_bar, const Piece& piece, int64_t g, bool begins) const {
        const int64_t results = pieces.results(piece);
        parallel_for(pieces.panels, 1, pieces.cost() / pieces.panels, [&](int64_t begin, int64_t end) {
            const Scratch packed(pieces.most_results() * pieces.columns * pieces.size + kernels::kMaxVector);
            for (int64_t j = begin; j < end; ++j) {
                for (int64_t n = 0; n < piece.images; ++n) {
                    pieces.kernel.pack(results, pieces.outputs(j), pieces.result(y_bar, piece, n, g, j), 1,
                                       c.results(), pieces.columns,
                                       packed.data() + n * results * pieces.columns * pieces.size);
                }
                std::byte* const to = sums.raw() + j * panel;
                pieces.multiply({c.depth(), pieces.outputs(j), piece.images * results, framed.raw(),
                                 taps.data(), positions.data(), packed.data(), begins ? nullptr : to, to});
            }
        });
    }
};

/// Whether there is a window to speak of, and a frame is not mostly padding.
bool can_frame(const Convolution& c) {
    const kernels::Sliding& w = c.window;
    return c.in > 0 && c.out > 0 && w.kernel_height * w.kernel_width > 1 && w.padding_height <= w.height &&
           w.padding_width <= w.width;
}

// What ways take for a result and a term of all outputs, in multiplications of this one (float32, AMD EPYC, Zen 4, AVX2).

/// Panels are whole; tiles of few rows read them too often (SSE2, 64 to 64 channels of 32 x 32: the result takes 50 ms, by shifts
/// 43, the weight's gradient 51, by shifts 37).
double cost_by_offsets(const Convolution& c, DType dtype) {
    const kernels::Gemm& kernel = kernels::kernels().gemm[static_cast<std::size_t>(dtype)];
    const int64_t outputs = (c.out + kernel.columns - 1) / kernel.columns * kernel.columns;
    return static_cast<double>(outputs) * (kernel.rows < 6 ? 1.4 : 1);
}
/// Shifts have positions for the padding; columns are made, which takes as long as some outputs do.
double cost_otherwise(const Convolution& c) {
    constexpr double kUnfold = 20;
    const auto out = static_cast<double>(c.out);
    if (!can_shift(c)) return out + kUnfold;
    return out * static_cast<double>(shifted_positions(c)) / static_cast<double>(c.results());
}

}  // namespace

bool offsets_pay(const Convolution& c, DType dtype) {
    constexpr double kTurn = 24;  // to turn a result into place takes as long as so many terms
    if (!can_frame(c)) return false;
    return cost_by_offsets(c, dtype) * (1 + kTurn / static_cast<double>(c.depth())) <= cost_otherwise(c);
}

bool offset_products_pay(const Convolution& c, DType dtype) {
    constexpr double kProducts = 1.2;  // a smaller tile in registers
    return can_frame(c) && cost_by_offsets(c, dtype) <= kProducts * cost_otherwise(c);
}

Tensor convolve_by_offsets(const Convolution& c, const Tensor& x, const Tensor& w, const Tensor& bias) {
    const Tensor y = Tensor::empty(c.result_sizes, x.dtype());
    OffsetSums(c, w, bias).run(x, y);
    return y;
}

Tensor weight_gradient_by_offsets(const Convolution& c, const Tensor& y_bar, const Tensor& x) {
    return sum_over_images(c, x.dtype(), [&](int64_t chunk) {
        return [&, products = OffsetProducts(c, x.dtype(), chunk)](int64_t begin, int64_t end,
                                                                   const Tensor& w_bar) {
            products.run(y_bar, x, begin, end, w_bar);
        };
    });
}

}  // namespace reel
