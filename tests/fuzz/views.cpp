// Views: a chain of them with any arguments, each of the shape that its definition gives.
#include <algorithm>
#include <numeric>

#include "tests/fuzz/fuzz.hpp"

namespace reel::fuzz {

namespace {

/// `dim` from the front. Throws where a view should not have taken it.
std::size_t wrapped(std::int64_t dim, std::size_t dims) {
    const Wide range = std::max<std::size_t>(dims, 1);
    expect(dim >= -range && dim < range, "dimension ", dim, " is taken in ", dims, " dimensions");
    return static_cast<std::size_t>(dim < 0 ? dim + range : Wide{dim});
}

std::vector<Wide> wide(const Shape& sizes) { return {sizes.begin(), sizes.end()}; }

/// One view of x, checked; undefined where it is refused.
Tensor view_of(const Tensor& x, Bytes& bytes) {
    std::vector<Wide> sizes = wide(x.sizes());
    const std::size_t dims = sizes.size();
    const std::int64_t a = bytes.number();
    const std::int64_t b = bytes.number();
    const std::int64_t c = bytes.number();
    Tensor y;
    switch (bytes.between(0, 14)) {
        case 0:
            if (!answers([&] { y = x.narrow(a, b, c); })) break;
            sizes[wrapped(a, dims)] = c;
            expect_sizes("narrow", y, sizes);
            break;
        case 1: {
            if (!answers([&] { y = x.select(a, b); })) break;
            const std::size_t dim = wrapped(a, dims);
            expect(b >= -sizes[dim] && b < sizes[dim], "select: ", b, " is taken");
            sizes.erase(sizes.begin() + static_cast<std::ptrdiff_t>(dim));
            expect_sizes("select", y, sizes);
            break;
        }
        case 2: {
            if (!answers([&] { y = x.unfold(a, b, c); })) break;
            if (dims > 0) sizes[wrapped(a, dims)] = (sizes[wrapped(a, dims)] - b) / c + 1;
            sizes.push_back(b);
            expect_sizes("unfold", y, sizes);
            break;
        }
        case 3: {
            const Shape shape = bytes.numbers(4);
            if (!answers([&] { y = x.reshape(shape); })) break;
            std::vector<Wide> wanted = wide(shape);
            Wide known = 1;
            for (const Wide size : wanted) known *= size == -1 ? 1 : size;
            for (Wide& size : wanted) size = size == -1 ? x.numel() / known : size;
            expect_sizes("reshape", y, wanted);
            break;
        }
        case 4: {
            const Shape shape = bytes.numbers(5);
            if (!answers([&] { y = x.expand(shape); })) break;
            std::vector<Wide> wanted = wide(shape);
            for (std::size_t i = 0; i < dims; ++i) {
                Wide& size = wanted[wanted.size() - dims + i];
                if (size == -1) size = sizes[i];
            }
            expect_sizes("expand", y, wanted);
            break;
        }
        case 5: {
            Shape order;
            for (std::size_t i = 0; i < dims; ++i) order.push_back(bytes.between(-4, 3));
            if (!answers([&] { y = x.permute(order); })) break;
            std::vector<Wide> wanted;
            for (const std::int64_t dim : order) wanted.push_back(sizes[wrapped(dim, dims)]);
            expect_sizes("permute", y, wanted);
            break;
        }
        case 6:
            if (!answers([&] { y = x.transpose(a, b); })) break;
            if (dims > 0) std::swap(sizes[wrapped(a, dims)], sizes[wrapped(b, dims)]);
            expect_sizes("transpose", y, sizes);
            break;
        case 7: {
            if (!answers([&] { y = x.diagonal(a, b, c); })) break;
            const std::size_t first = wrapped(b, dims);
            const std::size_t second = wrapped(c, dims);
            const Wide length =
                std::min(sizes[first] + std::min<Wide>(a, 0), sizes[second] - std::max<Wide>(a, 0));
            for (const std::size_t dim : {std::max(first, second), std::min(first, second)})
                sizes.erase(sizes.begin() + static_cast<std::ptrdiff_t>(dim));
            sizes.push_back(std::max<Wide>(length, 0));
            expect_sizes("diagonal", y, sizes);
            break;
        }
        case 8: {
            std::vector<Tensor> parts;
            if (!answers([&] { parts = x.chunk(a, b); })) break;
            Wide sum = 0;
            for (const Tensor& part : parts) sum += part.size(b);
            expect(!parts.empty() && Wide(parts.size()) <= a, "chunk: ", parts.size(), " parts for ", a);
            expect(sum == sizes[wrapped(b, dims)], "chunk: the parts have other sizes");
            y = parts.back();
            break;
        }
        case 9: {
            std::vector<Tensor> parts;
            if (!answers([&] { parts = x.split(a, b); })) break;
            const Wide size = sizes[wrapped(b, dims)];
            const Wide count = size == 0 ? 1 : (size + a - 1) / a;
            expect(Wide(parts.size()) == count, "split: ", parts.size(), " parts of ", a);
            y = parts.back();
            break;
        }
        case 10:
            if (!answers([&] { y = x.unsqueeze(a); })) break;
            sizes.insert(sizes.begin() + static_cast<std::ptrdiff_t>(wrapped(a, dims + 1)), 1);
            expect_sizes("unsqueeze", y, sizes);
            break;
        case 11: {
            const std::optional<std::int64_t> start = bytes.maybe();
            const std::optional<std::int64_t> end = bytes.maybe();
            if (!answers([&] { y = x.slice(a, start, end, b); })) break;
            expect(b != 0 && y.size(a) <= x.size(a), "slice: too long");
            break;
        }
        case 12: {
            const Shape shape = bytes.numbers(3);
            const Shape strides = bytes.numbers(3);
            if (!answers([&] { y = x.as_strided(shape, strides, bytes.maybe()); })) break;
            expect_sizes("as_strided", y, wide(shape));
            Wide low = y.storage_offset();
            Wide high = low;
            for (std::size_t i = 0; i < shape.size(); ++i) {
                const Wide span = (Wide{shape[i]} - 1) * strides[i];
                (span < 0 ? low : high) += span;
            }
            const Wide held = static_cast<Wide>(y.impl().storage->bytes) / y.itemsize();
            expect(y.numel() == 0 || (low >= 0 && high < held), "as_strided: outside of the storage");
            break;
        }
        case 13:
            if (!answers([&] { y = x.flatten(a, b); })) break;
            expect(y.numel() == x.numel(), "flatten: other elements");
            break;
        default:
            if (!answers([&] { y = x.flip({a}); })) break;
            expect_sizes("flip", y, sizes);
    }
    return y;
}

}  // namespace

void views(Bytes bytes) {
    Tensor x = counted(bytes.small_shape(4));
    while (!bytes.empty()) {
        const Tensor y = view_of(x, bytes);
        if (!y.defined()) continue;
        touch(y);
        // Without elements, but 2^40 long, it could be cut into more parts than there is memory for.
        constexpr std::int64_t kMost = 1 << 12;
        const bool is_short = std::ranges::all_of(y.sizes(), [](std::int64_t size) { return size <= kMost; });
        if (y.numel() <= kMost && is_short) x = y;
    }
}

}  // namespace reel::fuzz
