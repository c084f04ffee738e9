#include "optim/flat.hpp"

#include "ops/pointwise/pointwise_driver.hpp"
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

}  // namespace reel::detail
