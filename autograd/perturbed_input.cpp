#include "autograd/perturbed_input.hpp"

#include <algorithm>

#include "tensor/factory.hpp"

namespace reel::detail {

namespace {

/// Where the elements stand, in row-major order, counted from the first.
std::vector<std::int64_t> offsets_of(const Shape& sizes, const Shape& strides) {
    std::vector<std::int64_t> offsets;
    for (std::size_t i = 0; i < static_cast<std::size_t>(numel(sizes)); ++i) {
        const Shape index = index_of(i, sizes);
        std::int64_t place = 0;
        for (std::size_t d = 0; d < index.size(); ++d) place += index[d] * strides[d];
        offsets.push_back(place);
    }
    return offsets;
}

bool any_alike(std::vector<std::int64_t> offsets) {
    std::sort(offsets.begin(), offsets.end());
    return std::adjacent_find(offsets.begin(), offsets.end()) != offsets.end();
}

void put(const Tensor& leaf, const std::vector<std::int64_t>& offsets, std::span<const double> elements) {
    for (std::size_t i = 0; i < offsets.size(); ++i) {
        if (leaf.dtype() == kFloat32) {
            leaf.data_ptr<float>()[offsets[i]] = static_cast<float>(elements[i]);
        } else {
            leaf.data_ptr<double>()[offsets[i]] = elements[i];
        }
    }
}

}  // namespace

Shape index_of(std::size_t element, const Shape& sizes) {
    Shape index = sizes;
    auto rest = static_cast<std::int64_t>(element);
    for (std::size_t d = sizes.size(); d-- > 0; rest /= sizes[d]) index[d] = rest % sizes[d];
    return index;
}

Tensor placed(const Shape& sizes, const Shape& strides, DType dtype, std::span<const double> elements) {
    const std::vector<std::int64_t> offsets = offsets_of(sizes, strides);
    const auto [low, high] = std::minmax_element(offsets.begin(), offsets.end());
    const std::int64_t before = offsets.empty() ? 0 : -*low;
    const Tensor memory = zeros({offsets.empty() ? 0 : before + *high + 1}, dtype);
    const Tensor result = Tensor::make(memory.impl().storage, dtype, sizes, strides, before);
    put(result, offsets, elements);
    return result;
}

PerturbedInput::PerturbedInput(const Tensor& original, DType dtype) : home_(original.to_vector<double>()) {
    const bool shared = any_alike(offsets_of(original.sizes(), original.strides()));
    const Tensor dense = shared ? original.detach().clone() : original;
    leaf_ = placed(dense.sizes(), dense.strides(), dtype, home_).set_requires_grad();
    offsets_ = offsets_of(leaf_.sizes(), leaf_.strides());
}

void PerturbedInput::set(std::span<const double> elements) const { put(leaf_, offsets_, elements); }

}  // namespace reel::detail
