#include "ops/indexing/mask_driver.hpp"

#include <algorithm>
#include <vector>

#include "ops/kernels/table.hpp"
#include "ops/pointwise/dense_driver.hpp"
#include "tensor/parallel.hpp"

namespace reel {

namespace {

using std::int64_t;

constexpr int64_t kMaskChunk = 1 << 14;  // elements of a mask that one thread counts at a time

const kernels::Indexing& table() { return kernels::kernels().indexing; }

/// How many elements before each chunk of a dense mask are true, and how many there are in all.
std::vector<int64_t> count_chunks(const Tensor& mask) {
    const auto* holds = reinterpret_cast<const Bool*>(mask.raw());
    const int64_t chunks = (mask.numel() + kMaskChunk - 1) / kMaskChunk;
    std::vector<int64_t> before(static_cast<std::size_t>(chunks) + 1, 0);
    parallel_for(chunks, 1, kMaskChunk, [&](int64_t begin, int64_t end) {
        for (int64_t c = begin; c < end; ++c) {
            const int64_t n = std::min(kMaskChunk, mask.numel() - c * kMaskChunk);
            before[static_cast<std::size_t>(c) + 1] = table().count(n, holds + c * kMaskChunk);
        }
    });
    for (std::size_t c = 0; c + 1 < before.size(); ++c) before[c + 1] += before[c];
    return before;
}

/// Calls f(chunk's first element, its first true element's number, how many of it are true).
void for_each_chunk(const std::vector<int64_t>& before, const auto& f) {
    parallel_for(static_cast<int64_t>(before.size()) - 1, 1, kMaskChunk, [&](int64_t begin, int64_t end) {
        for (int64_t c = begin; c < end; ++c) {
            const int64_t first = before[static_cast<std::size_t>(c)];
            f(c * kMaskChunk, first, before[static_cast<std::size_t>(c) + 1] - first);
        }
    });
}

}  // namespace

Tensor true_coordinates(const Tensor& mask, bool by_element) {
    const Tensor holds = dense(mask);
    const std::vector<int64_t> before = count_chunks(holds);
    const int64_t total = before.back();
    const int64_t dims = mask.dim();
    Tensor coordinates = Tensor::empty(by_element ? Shape{total, dims} : Shape{dims, total}, kInt64);
    if (coordinates.numel() == 0) return coordinates;
    const int64_t step = by_element ? dims : 1;    // from an element's coordinates to the next one's
    const int64_t apart = by_element ? 1 : total;  // from a dimension's to the next one's
    for_each_chunk(before, [&](int64_t start, int64_t first, int64_t wanted) {
        int64_t* to = coordinates.data_ptr<int64_t>() + first * step;
        const auto* holding = reinterpret_cast<const Bool*>(holds.raw()) + start;
        if (dims == 1) return table().positions(wanted, holding, start, to);
        const Tensor flat = Tensor::empty({wanted}, kInt64);  // positions, which are taken apart
        const Shape& sizes = mask.sizes();
        auto* places = flat.data_ptr<int64_t>();
        table().positions(wanted, holding, start, places);
        const int64_t length = sizes[dims - 1];
        int64_t* last_two = to + (dims - 2) * apart;
        for (int64_t i = 0, end = 0; i < wanted; i = end) {  // those that differ in the last coordinate alone
            int64_t rest = places[i] / length;
            const int64_t row = rest * length;
            const int64_t next_to_last = rest % sizes[dims - 2];
            for (; end < wanted && places[end] < row + length; ++end) {
                last_two[end * step] = next_to_last;
                last_two[end * step + apart] = places[end] - row;
            }
            for (int64_t d = dims - 2; d-- > 0;) {
                rest /= sizes[d + 1];
                const int64_t coordinate = rest % sizes[d];
                for (int64_t j = i; j < end; ++j) to[j * step + d * apart] = coordinate;
            }
        }
    });
    return coordinates;
}

Tensor compact(const Tensor& x, const Tensor& mask) {
    const Tensor holds = dense(mask);
    const Tensor elements = dense(x);
    const std::vector<int64_t> before = count_chunks(holds);
    Tensor y = Tensor::empty({before.back()}, x.dtype());
    const auto move = table().compact[kernels::unit_of(static_cast<std::size_t>(x.itemsize()))];
    for_each_chunk(before, [&](int64_t start, int64_t first, int64_t wanted) {
        move(wanted, reinterpret_cast<const Bool*>(holds.raw()) + start,
             elements.raw() + start * x.itemsize(), y.raw() + first * x.itemsize());
    });
    return y;
}

}  // namespace reel
