/// \file
/// What a handle (`tensor.hpp`) points to: a layout on a storage, and what autograd hangs on it.
#pragma once

#include <memory>

#include "dtype.hpp"
#include "shape.hpp"
#include "storage.hpp"

#pragma GCC visibility push(default)
namespace reel {

class Tensor;

namespace detail {

/// What autograd hangs on a tensor (`autograd/tape_state.hpp`). Opaque here.
struct AutogradMeta {
    AutogradMeta() = default;
    AutogradMeta(const AutogradMeta&) = delete;
    AutogradMeta& operator=(const AutogradMeta&) = delete;
    virtual ~AutogradMeta() = default;
};

/// Which node of which tape made a value; no ownership. A tape that has ended is never found again, so its
/// values are constants.
struct TapeSlot {
    std::uint64_t tape = 0;
    std::int64_t node = -1;
};

struct TensorImpl {
    TensorImpl(IntrusivePtr<Storage> storage_, DType dtype_, const Shape& sizes_, const Shape& strides_,
               std::int64_t offset_, std::int64_t numel_, bool contiguous_)
        : dtype(dtype_),
          contiguous(contiguous_),
          numel(numel_),
          offset(offset_),
          storage(std::move(storage_)),
          sizes(sizes_),
          strides(strides_) {}

    // Where the constructor fails the block is returned, too.
    static void* operator new(std::size_t bytes) { return allocate(bytes); }
    static void operator delete(void* block) noexcept { deallocate(block, sizeof(TensorImpl)); }
    static void destroy(TensorImpl* impl) { delete impl; }

    std::atomic<std::uint32_t> owners = 1;
    DType dtype;
    bool requires_grad = false;  ///< a leaf whose gradient is wanted
    bool contiguous;
    std::int64_t numel;
    std::int64_t offset;  ///< of the first element, in elements
    IntrusivePtr<Storage> storage;
    Shape sizes;
    Shape strides;
    TapeSlot slot;
    std::uint32_t rewritten = 0;       ///< how often an in-place operation gave this tensor a new slot
    std::uint32_t base_rewritten = 0;  ///< `base->rewritten` when this view's slot was made
    IntrusivePtr<TensorImpl> base;     ///< for a view: the tensor that it is a view of
    std::unique_ptr<AutogradMeta> meta;
};

/// While set, every copy of a tensor handle is reported to it. See Note [What a pullback keeps].
struct CopyObserver {
    virtual void copied(const Tensor& tensor) noexcept = 0;

protected:
    ~CopyObserver() = default;
};
extern constinit thread_local CopyObserver* copy_observer;

}  // namespace detail

}  // namespace reel
#pragma GCC visibility pop
