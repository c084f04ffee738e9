/// \file
/// DLPack 1.x both ways, `#include <reel/dlpack.hpp>`: a tensor's memory shared with NumPy, PyTorch, JAX and whatever
/// else speaks it (https://dmlc.github.io/dlpack), without a copy. Not part of `reel.hpp`.
///
///     DLManagedTensorVersioned* out = reel::to_dlpack(t);    // the receiver calls out->deleter(out), once
///     reel::Tensor in = reel::from_dlpack(managed);          // calls managed->deleter(managed) when the last view goes
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "../ops/shape/views.hpp"
#include "../tensor/factory.hpp"

// The structures of dlpack.h, the part for memory of the processor. A dlpack.h that was included before serves too.
#if defined(DLPACK_DLPACK_H_) && (!defined(DLPACK_MAJOR_VERSION) || DLPACK_MAJOR_VERSION < 1)
#error "reel/dlpack.hpp needs dlpack.h 1.0 or newer, or to be included before it"
#elif !defined(DLPACK_DLPACK_H_)
#define DLPACK_DLPACK_H_
#define DLPACK_MAJOR_VERSION 1
#define DLPACK_MINOR_VERSION 0
#define DLPACK_FLAG_BITMASK_READ_ONLY (1UL << 0UL)
#define DLPACK_FLAG_BITMASK_IS_COPIED (1UL << 1UL)
extern "C" {
struct DLPackVersion {
    std::uint32_t major;
    std::uint32_t minor;
};
enum DLDeviceType : std::int32_t { kDLCPU = 1 };
struct DLDevice {
    DLDeviceType device_type;
    std::int32_t device_id;
};
enum DLDataTypeCode {
    kDLInt = 0,
    kDLUInt = 1,
    kDLFloat = 2,
    kDLOpaqueHandle = 3,
    kDLBfloat = 4,
    kDLComplex = 5,
    kDLBool = 6
};
struct DLDataType {
    std::uint8_t code;
    std::uint8_t bits;
    std::uint16_t lanes;
};
struct DLTensor {
    void* data;
    DLDevice device;
    std::int32_t ndim;
    DLDataType dtype;
    std::int64_t* shape;
    std::int64_t* strides;  ///< in elements; null: dense rows
    std::uint64_t byte_offset;
};
struct DLManagedTensor {
    DLTensor dl_tensor;
    void* manager_ctx;
    void (*deleter)(DLManagedTensor* self);
};
struct DLManagedTensorVersioned {
    DLPackVersion version;
    void* manager_ctx;
    void (*deleter)(DLManagedTensorVersioned* self);
    std::uint64_t flags;
    DLTensor dl_tensor;
};
}
#endif

namespace reel {

namespace detail {

/// The DLPack type of elements of ours.
inline DLDataType dlpack_type(DType dtype) {
    const auto of = [&](int code) {
        return DLDataType{static_cast<std::uint8_t>(code), static_cast<std::uint8_t>(8 * itemsize(dtype)), 1};
    };
    switch (dtype) {
        case kBool:
            return of(kDLBool);
        case kInt64:
            return of(kDLInt);
        case kBFloat16:
            return of(kDLBfloat);
        default:
            return of(kDLFloat);
    }
}

inline DType dtype_of_dlpack(const DLDataType& type) {
    for (const DType dtype : {kFloat32, kFloat64, kInt64, kBool, kFloat16, kBFloat16}) {
        const DLDataType own = dlpack_type(dtype);
        if (own.code == type.code && own.bits == type.bits && type.lanes == 1) return dtype;
    }
    fail<DTypeError>(
        "from_dlpack: elements of code ", int{type.code}, ", ", int{type.bits}, " bits and ", int{type.lanes},
        " lanes are none of reel's types; convert them to float32, float64, int64 or bool first");
}

/// A managed structure, and what it points to.
template <class Managed>
struct DlpackExport {
    Managed managed;
    Tensor tensor;
    Shape sizes, strides;
};

template <class Managed>
Managed* export_dlpack(const Tensor& tensor) {
    if (tensor.requires_grad()) {
        fail<AutogradError>(
            "to_dlpack: the tensor requires grad, which the receiver would not see; pass detach()");
    }
    auto holder = std::make_unique<DlpackExport<Managed>>();
    holder->tensor = tensor;
    holder->sizes = tensor.sizes();
    holder->strides = tensor.strides();
    Managed& managed = holder->managed;
    managed = {};
    managed.manager_ctx = holder.get();
    managed.deleter = [](Managed* self) { delete static_cast<DlpackExport<Managed>*>(self->manager_ctx); };
    DLTensor& out = managed.dl_tensor;
    out.data = tensor.raw();
    out.device = {kDLCPU, 0};
    out.ndim = static_cast<std::int32_t>(tensor.dim());
    out.dtype = dlpack_type(tensor.dtype());
    out.shape = holder->sizes.begin();
    out.strides = holder->strides.begin();
    return &holder.release()->managed;
}

/// A tensor on the memory of `in`; `release` is called when the last view of it has gone, but not after an error.
template <class Release>
Tensor import_dlpack(const DLTensor& in, const Release& release) {
    if (in.device.device_type != kDLCPU) {
        fail<Error>("from_dlpack: the memory is on a device of type ",
                    static_cast<int>(in.device.device_type), "; copy it to the processor (1) first");
    }
    if (in.ndim < 0) fail<ShapeError>("from_dlpack: ", in.ndim, " dimensions");
    const DType dtype = dtype_of_dlpack(in.dtype);
    const auto dims = static_cast<std::size_t>(in.ndim);
    const Shape sizes(std::span<const std::int64_t>(in.shape, dims));
    Shape strides =
        in.strides ? Shape(std::span<const std::int64_t>(in.strides, dims)) : contiguous_strides(sizes);
    // A dimension that runs backwards begins at its other end, and is turned round again as a view.
    auto* first = static_cast<std::byte*>(in.data) + in.byte_offset;
    Shape backwards;
    for (std::size_t i = 0; i < dims; ++i) {
        if (strides[i] >= 0 || sizes[i] < 2 || numel(sizes) == 0) continue;
        first += (sizes[i] - 1) * strides[i] * itemsize(dtype);
        strides[i] = -strides[i];
        backwards.push_back(static_cast<std::int64_t>(i));
    }
    if (reinterpret_cast<std::uintptr_t>(first) % static_cast<std::uintptr_t>(itemsize(dtype)) != 0) {
        fail<Error>("from_dlpack: the elements do not lie at multiples of their ", itemsize(dtype),
                    " bytes; copy them first");
    }
    const auto taken = std::make_shared<bool>(false);
    Tensor tensor = from_blob(
        first, sizes, strides,
        [release, taken](void*) {
            if (*taken) release();
        },
        dtype);
    if (!backwards.empty()) tensor = flip(tensor, backwards);
    *taken = true;
    return tensor;
}

}  // namespace detail

/// `tensor`'s memory as DLPack 1.0 describes it, shared, not copied. The receiver calls `deleter` once; until then the
/// memory lives. `read_only` asks the receiver not to write. Writes of the receiver are neither recorded nor noticed by
/// the checks for overwritten values. Throws an `AutogradError` for a tensor that requires grad.
inline DLManagedTensorVersioned* to_dlpack(const Tensor& tensor, bool read_only = false) {
    auto* managed = detail::export_dlpack<DLManagedTensorVersioned>(tensor);
    managed->version = {1, 0};
    managed->flags = read_only ? DLPACK_FLAG_BITMASK_READ_ONLY : 0;
    return managed;
}

/// The same for a receiver that knows DLPack 0.x alone (NumPy before 2.1).
inline DLManagedTensor* to_dlpack_unversioned(const Tensor& tensor) {
    return detail::export_dlpack<DLManagedTensor>(tensor);
}

/// A tensor on the memory of `managed`, which it takes over: `deleter` is called once, when the last view has gone, on
/// whatever thread that happens. Memory that may only be read is copied, for reel's tensors can be written. Throws, and
/// leaves `managed` to the caller, for another major version, another device, and elements that are none of reel's types.
inline Tensor from_dlpack(DLManagedTensorVersioned* managed) {
    if (!managed) fail<Error>("from_dlpack: a null pointer");
    if (managed->version.major != 1) {
        fail<Error>("from_dlpack: the structure has DLPack's version ", managed->version.major, ".",
                    managed->version.minor, "; 1.x is read");
    }
    const auto release = [managed] {
        if (managed->deleter) managed->deleter(managed);
    };
    if ((managed->flags & DLPACK_FLAG_BITMASK_READ_ONLY) == 0)
        return detail::import_dlpack(managed->dl_tensor, release);
    Tensor copy = detail::import_dlpack(managed->dl_tensor, [] {}).clone();
    release();
    return copy;
}

/// The same for a structure of DLPack 0.x, whose memory may be written.
inline Tensor from_dlpack(DLManagedTensor* managed) {
    if (!managed) fail<Error>("from_dlpack: a null pointer");
    return detail::import_dlpack(managed->dl_tensor, [managed] {
        if (managed->deleter) managed->deleter(managed);
    });
}

}  // namespace reel
