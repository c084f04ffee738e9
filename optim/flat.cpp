#include "optim/flat.hpp"

#include <algorithm>
#include <vector>

#include "autograd/tape.hpp"
#include "ops/pointwise/dense_driver.hpp"
#include "ops/pointwise/pointwise_driver.hpp"
#include "optim/parameters.hpp"
#include "tensor/parallel.hpp"

namespace reel::detail {

namespace {

constexpr std::int64_t kBlock = 4096;

/// Dense memory as a tensor of one dimension.
Tensor row_of(const Tensor& dense) {
    return Tensor::make(dense.impl().storage, dense.dtype(), {dense.numel()}, {1}, dense.storage_offset());
}

}  // namespace

Flat::Flat(Tensor tensor)
    : tensor_(std::move(tensor)), runs_(tensor_.sizes(), tensor_.strides()), row_(row_of(dense(tensor_))) {}

void Flat::assign(const Tensor& dense) const {
    const auto convert = kernels::convert(dense.dtype(), row_.dtype());
    parallel_for(row_.numel(), kBlock, 1, [&](std::int64_t begin, std::int64_t end) {
        convert(end - begin, dense.raw() + begin * dense.itemsize(), row_.raw() + begin * row_.itemsize());
    });
}

void Flat::write_back(const char* operation) const {
    if (!row_.shares_storage(tensor_)) {
        const std::int64_t size = row_.itemsize();
        parallel_for(row_.numel(), kBlock, 1, [&](std::int64_t begin, std::int64_t end) {
            runs_.scatter(size, tensor_.raw(), begin, end - begin, row_.raw() + begin * size);
        });
    }
    tensor_.impl().storage->overwrite(operation);
}

void overwrite_all(const char* operation, const std::vector<Tensor>& tensors,
                   const std::vector<Tensor>& values) {
    const NoGradGuard quiet;
    std::vector<Flat> targets;
    std::vector<Tensor> sources;
    std::vector<const Storage*> written;
    for (const Tensor& tensor : tensors) {
        check_in_place(operation, tensor);
        targets.emplace_back(tensor);
        written.push_back(tensor.impl().storage.get());
    }
    std::sort(written.begin(), written.end());
    for (const Tensor& value : values) {
        const bool changes = std::binary_search(written.begin(), written.end(), value.impl().storage.get());
        sources.push_back(changes ? value.clone() : dense(value));
    }
    // From here on nothing fails: see Note [Whole or not at all].
    for (std::size_t i = 0; i < targets.size(); ++i) {
        targets[i].assign(sources[i]);
        targets[i].write_back(operation);
    }
}

}  // namespace reel::detail
