#include "ops/conv/pieces_driver.hpp"

#include <algorithm>
#include <cstring>

namespace reel {

namespace {

using std::int64_t;

constexpr int64_t kMostResults = 512;  // of a piece: the sums of a panel for them stay in L1
constexpr int64_t kFewResults = 48;
constexpr int64_t kFramed = 64 << 10;  // elements of a frame, about: they stay in L2
constexpr int64_t kTerms = 256;        // so many rows of a panel stay in L1

int64_t results_at_once(const Convolution& c) {
    const int64_t seen = c.in * c.window.stride_height * c.window.stride_width;
    return std::clamp<int64_t>(kFramed / seen, kFewResults, kMostResults);
}

/// Of a length in equal parts of at most so much, or 1, one part.
int64_t even_part(int64_t length, int64_t most) {
    const int64_t parts = (length + std::max<int64_t>(most, 1) - 1) / std::max<int64_t>(most, 1);
    return (length + parts - 1) / parts;
}

}  // namespace

Pieces::Pieces(const Convolution& convolution, DType type, int64_t images) : c(convolution), dtype(type) {
    const kernels::Sliding& w = c.window;
    const int64_t results = results_at_once(c);
    strip = even_part(w.out_height, results / w.out_width);
    stack = even_part(images, results / c.results());
    strips = (w.out_height + strip - 1) / strip;
    row = w.width + w.padding_width;
    lines = (strip - 1) * w.stride_height + (w.kernel_height - 1) * w.dilation_height + 1;
    // An odd number of cache lines: planes that are a power of two apart displace each other in L1.
    const int64_t line = 64 / size;
    plane = ((stack * lines * row + w.padding_width + line - 1) / line | 1) * line;
}

Piece Pieces::piece(int64_t first, int64_t last, int64_t i) const {
    const int64_t image = first + i / strips * stack;
    const int64_t line = i % strips * strip;
    return {image, std::min(stack, last - image), line, std::min(strip, c.window.out_height - line)};
}

void Pieces::frame(const Tensor& x, const Piece& p, int64_t g, std::byte* to) const {
    const kernels::Sliding& w = c.window;
    const int64_t top = p.line * w.stride_height - w.padding_height;
    const int64_t first = std::clamp<int64_t>(-top, 0, lines);
    const int64_t last = std::clamp<int64_t>(w.height - top, first, lines);
    for (int64_t n = 0; n < p.images; ++n) {
        std::byte* const image = to + n * lines * row * size;
        for (int64_t i = 0; i < c.in; ++i) {
            std::byte* const at = image + i * plane * size;
            std::memset(at, 0, static_cast<std::size_t>(first * row * size));
            std::memset(at + last * row * size, 0, static_cast<std::size_t>((lines - last) * row * size));
        }
        if (first == last) continue;
        correlate.copy({c.in, last - first, w.width, c.plane(), w.width, 1, plane, row},
                       c.image(x, p.image + n, g) + (top + first) * w.width * size,
                       image + (first * row + w.padding_width) * size);
    }
}

std::vector<int64_t> Pieces::taps() const {
    const kernels::Sliding& w = c.window;
    std::vector<int64_t> list;
    for (int64_t i = 0; i < c.in; ++i) {
        for (int64_t a = 0; a < w.kernel_height; ++a) {
            for (int64_t b = 0; b < w.kernel_width; ++b)
                list.push_back(i * plane + a * w.dilation_height * row + b * w.dilation_width);
        }
        if (c.is_turned) std::reverse(list.end() - w.kernel_height * w.kernel_width, list.end());
    }
    return list;
}

std::vector<int64_t> Pieces::positions() const {
    const kernels::Sliding& w = c.window;
    std::vector<int64_t> list;
    for (int64_t n = 0; n < stack; ++n) {
        for (int64_t i = 0; i < strip; ++i) {
            for (int64_t j = 0; j < w.out_width; ++j)
                list.push_back((n * lines + i * w.stride_height) * row + j * w.stride_width);
        }
    }
    return list;
}

void Pieces::multiply(const PanelProduct& p) const {
    const int64_t parts = (p.k + kTerms - 1) / kTerms;
    const int64_t tiles = (p.m + kernel.rows - 1) / kernel.rows;
    kernels::GemmBlock block = {};
    block.m = p.m;
    block.n = (p.n + correlate.step - 1) / correlate.step * correlate.step;  // whole vectors
    block.rows = (p.m + tiles - 1) / tiles;
    block.a = p.x;
    block.a_rows = p.rows;
    block.b_step = columns;
    block.start = p.start;
    block.start_row = p.start == p.sums ? columns : 0;
    block.c = p.sums;
    block.c_row = columns;
    for (int64_t part = 0; part < parts; ++part) {
        const int64_t first = p.k * part / parts;
        block.k = p.k * (part + 1) / parts - first;
        block.a_terms = p.terms + first;
        block.b = p.b + first * columns * size;
        kernel.multiply_listed(block);
        block.start = p.sums;
        block.start_row = columns;
    }
}

void Pieces::turn(int64_t outputs, int64_t rows, const std::byte* sums, std::byte* to, int64_t to_row) const {
    const auto turn_units = [&](auto unit) {
        using Unit = decltype(unit);
        kernels::transpose(reinterpret_cast<const Unit*>(sums), columns, outputs, rows,
                           reinterpret_cast<Unit*>(to), to_row);
    };
    size == 4 ? turn_units(std::uint32_t()) : turn_units(std::uint64_t());
}

}  // namespace reel
