// Index words: any list of them selects the shape that PyTorch's rules give, or is refused.
#include <algorithm>

#include "tests/fuzz/fuzz.hpp"

namespace reel::fuzz {

namespace {

TensorIndex word(Bytes& bytes) {
    switch (bytes.between(0, 7)) {
        case 0:
            return bytes.number();
        case 1:
        case 2: {
            const std::optional<std::int64_t> start = bytes.maybe();
            const std::optional<std::int64_t> stop = bytes.maybe();
            return Slice(start, stop, bytes.maybe());
        }
        case 3:
            return None;
        case 4:
            return Ellipsis;
        case 5:
            return bytes.flag();
        case 6: {
            const Tensor mask = zeros(bytes.small_shape(3), kBool);
            for (std::int64_t i = 0; i < mask.numel(); ++i) mask.data_ptr<bool>()[i] = bytes.flag();
            return mask;
        }
        default: {
            const Tensor index = zeros(bytes.small_shape(2), kInt64);
            for (std::int64_t i = 0; i < index.numel(); ++i)
                index.data_ptr<std::int64_t>()[i] = bytes.between(-4, 4);
            return index;
        }
    }
}

/// How many elements Python's slice takes of `size`.
Wide slice_length(const Slice& slice, Wide size) {
    const Wide step = slice.step.value_or(1);
    const Wide lowest = step > 0 ? 0 : -1;
    const Wide highest = step > 0 ? size : size - 1;
    const auto bound = [&](std::optional<std::int64_t> given, Wide otherwise) {
        if (!given) return otherwise;
        const Wide place = *given < 0 ? *given + size : Wide{*given};
        return std::clamp(place, lowest, highest);
    };
    const Wide start = bound(slice.start, step > 0 ? lowest : highest);
    const Wide stop = bound(slice.stop, step > 0 ? highest : lowest);
    const Wide distance = step > 0 ? stop - start : start - stop;
    const Wide pace = step > 0 ? step : -step;
    return distance <= 0 ? 0 : (distance + pace - 1) / pace;
}

/// The dimensions of `x` that a word takes up.
std::size_t taken_by(const TensorIndex& word) {
    using Kind = TensorIndex::Kind;
    switch (word.kind()) {
        case Kind::kInteger:
        case Kind::kSlice:
            return 1;
        case Kind::kTensor:
            return word.tensor().dtype() == kBool ? word.tensor().sizes().size() : 1;
        default:
            return 0;
    }
}

/// Adds the shape of an index tensor to the common one of those before it.
void broadcast(std::vector<Wide>& common, const std::vector<Wide>& own) {
    while (common.size() < own.size()) common.insert(common.begin(), 1);
    for (std::size_t i = 1; i <= own.size(); ++i) {
        if (own[own.size() - i] != 1) common[common.size() - i] = own[own.size() - i];
    }
}

/// The shape of x.index(words), which has been accepted.
std::vector<Wide> shape_of(const Tensor& x, const TensorIndices& words) {
    using Kind = TensorIndex::Kind;
    std::size_t taken = 0;
    for (const TensorIndex& word : words) taken += taken_by(word);
    const std::size_t missing = x.sizes().size() - taken;  // under the ellipsis, or at the end
    std::vector<Wide> shape;
    std::vector<Wide> common;
    std::vector<std::size_t> places;  // of index tensors among the other dimensions
    std::size_t dim = 0;
    const auto whole = [&] {
        for (std::size_t i = 0; i < missing; ++i) shape.push_back(x.sizes()[dim++]);
    };
    bool has_ellipsis = false;
    for (const TensorIndex& word : words) {
        switch (word.kind()) {
            case Kind::kInteger: {
                const Wide size = x.sizes()[dim++];
                expect(word.integer() >= -size && word.integer() < size, "index: ", word.integer(),
                       " is taken in shape ", x.sizes());
                break;
            }
            case Kind::kSlice:
                shape.push_back(slice_length(word.slice(), x.sizes()[dim++]));
                break;
            case Kind::kNone:
                shape.push_back(1);
                break;
            case Kind::kEllipsis:
                has_ellipsis = true;
                whole();
                break;
            case Kind::kBoolean:
                broadcast(common, {word.integer()});
                places.push_back(shape.size());
                break;
            case Kind::kTensor: {
                const Tensor& index = word.tensor();
                const bool mask = index.dtype() == kBool;
                if (!mask && index.dim() == 0) {  // an integer, as in PyTorch
                    ++dim;
                    break;
                }
                if (mask) {
                    broadcast(common, {index.count_nonzero().item<std::int64_t>()});
                } else {
                    broadcast(common, std::vector<Wide>(index.sizes().begin(), index.sizes().end()));
                }
                places.push_back(shape.size());
                dim += mask ? index.sizes().size() : 1;
                break;
            }
        }
    }
    if (!has_ellipsis) whole();
    if (places.empty()) return shape;
    const bool neighbours = places.front() == places.back();
    shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(neighbours ? places.front() : 0), common.begin(),
                 common.end());
    return shape;
}

}  // namespace

void indices(Bytes bytes) {
    const Tensor x = counted(bytes.small_shape(4));
    TensorIndices words;
    const std::int64_t count = bytes.between(0, 5);
    for (std::int64_t i = 0; i < count; ++i) words.push_back(word(bytes));
    Tensor result;
    const bool taken = answers([&] { result = x.index(words); });
    if (taken) {
        expect_sizes("index", result, shape_of(x, words));
        touch(result);
    }
    const Tensor y = x.clone();
    const bool written = answers([&] { y.index_put_(words, -1.0); });
    expect(written == taken, "index_put_ ", written ? "takes" : "refuses", " what index ",
           taken ? "takes" : "refuses");
    if (written && result.numel() > 0)
        expect(y.index(words).eq(-1).all().item<bool>(), "index_put_: not all is written");
    if (!written) expect(y.equal(x), "index_put_: a refused write has changed something");
}

}  // namespace reel::fuzz
