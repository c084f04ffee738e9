/// \file
/// What a convolution by offsets works on at a time (Note [Columns by offsets]).
#pragma once

#include <vector>

#include "ops/conv/convolution_driver.hpp"

namespace reel {

/// Images [image, image + images), and of their results the lines [line, line + height).
struct Piece {
    std::int64_t image, images, line, height;
};

/// Sums of a panel of outputs: sums[i][o] = start[o] + Σ_l x[rows[i] + terms[l]] b[l][o], for i < m, l < k, and n outputs.
struct PanelProduct {
    std::int64_t m, n, k;
    const std::byte* x;
    const std::int64_t* rows;
    const std::int64_t* terms;
    const std::byte* b;
    const std::byte* start;  ///< null: 0; or `sums` itself, row by row
    std::byte* sums;
};

/// How a convolution is cut: into strips of lines of results, or stacks of small images.
struct Pieces {
    const Convolution& c;
    DType dtype;
    std::int64_t size = itemsize(dtype);
    const kernels::Gemm& kernel = kernels::kernels().gemm[static_cast<std::size_t>(dtype)];
    const kernels::Correlate& correlate = kernels::kernels().correlate[static_cast<std::size_t>(dtype)];
    std::int64_t columns = kernel.columns;  ///< outputs of a panel
    std::int64_t panels = (c.out + columns - 1) / columns;
    std::int64_t strip;   ///< lines of results of a piece, at most
    std::int64_t stack;   ///< images of it, at most
    std::int64_t strips;  ///< of an image
    std::int64_t row;     ///< from line to line of a frame: the zeros after one are those before the next
    std::int64_t lines;   ///< of an image in a frame
    std::int64_t plane;

    /// Of so many images.
    Pieces(const Convolution& convolution, DType type, std::int64_t images);

    std::int64_t count(std::int64_t images) const { return (images + stack - 1) / stack * strips; }
    /// Number `i` of images [first, last).
    Piece piece(std::int64_t first, std::int64_t last, std::int64_t i) const;
    std::int64_t results(const Piece& p) const { return p.height * c.window.out_width; }
    /// Of a whole piece.
    std::int64_t most_results() const { return stack * strip * c.window.out_width; }
    /// The work for a piece, as `parallel_for` counts it.
    std::int64_t cost() const { return c.cost(dtype) * stack / strips + 1; }
    /// Where panel j of the results of image n of a piece begins.
    std::byte* result(const Tensor& y, const Piece& p, std::int64_t n, std::int64_t g, std::int64_t j) const {
        return c.result(y, p.image + n, g) + (j * columns * c.results() + p.line * c.window.out_width) * size;
    }
    /// The outputs of panel j.
    std::int64_t outputs(std::int64_t j) const { return std::min(columns, c.out - j * columns); }

    Tensor empty_frame() const { return zeros({c.in * plane}, dtype); }
    /// Brings what the windows of a piece see into a frame that was empty or holds another one.
    void frame(const Tensor& x, const Piece& p, std::int64_t g, std::byte* to) const;
    /// Where in a frame the places of a window are, and the corners of the windows of a whole piece.
    std::vector<std::int64_t> taps() const;
    std::vector<std::int64_t> positions() const;

    void multiply(const PanelProduct& product) const;
    /// to[o · to_row + i] = sums[i][o] for so many outputs and i.
    void turn(std::int64_t outputs, std::int64_t rows, const std::byte* sums, std::byte* to,
              std::int64_t to_row) const;
};

}  // namespace reel
