// DLPack both ways, in one process: the same memory, its layout, and the deleter called exactly once.
#include "interop/dlpack.hpp"

#include <doctest/doctest.h>

#include <thread>

#include "reel.hpp"

using namespace reel;

namespace {

/// A structure as a foreign library would make it, that counts the calls of its deleter.
struct Foreign {
    float data[6] = {1, 2, 3, 4, 5, 6};
    std::int64_t shape[2] = {2, 3};
    std::int64_t strides[2] = {3, 1};
    int deleted = 0;
    DLManagedTensorVersioned managed{};

    Foreign() {
        managed.version = {1, 3};  // a younger minor version is read
        managed.manager_ctx = this;
        managed.deleter = [](DLManagedTensorVersioned* self) {
            ++static_cast<Foreign*>(self->manager_ctx)->deleted;
        };
        managed.dl_tensor.data = data;
        managed.dl_tensor.device = {kDLCPU, 0};
        managed.dl_tensor.ndim = 2;
        managed.dl_tensor.dtype = {kDLFloat, 32, 1};
        managed.dl_tensor.shape = shape;
        managed.dl_tensor.strides = strides;
    }
};

}  // namespace

TEST_CASE("dlpack: a tensor's memory goes out and comes back without a copy in every type and layout") {
    const Tensor base = arange(24).view({2, 3, 4});
    for (const DType dtype : {kFloat32, kFloat64, kInt64, kBool, kFloat16, kBFloat16}) {
        const Tensor x = base.to(dtype);
        for (const Tensor& t : {x, x.transpose(0, 2), x.flip({1}), x.slice(2, 1, 4, 2), x[1][2][3],
                                x.narrow(0, 0, 0), x.select(0, 1).expand({5, 3, 4})}) {
            const Tensor back = from_dlpack(to_dlpack(t));
            CHECK(back.sizes() == t.sizes());
            CHECK(back.dtype() == dtype);
            CHECK(equal(back, t));
            if (t.numel() > 0) CHECK(back.raw() == t.raw());
            CHECK(equal(from_dlpack(to_dlpack_unversioned(t)), t));
        }
    }
}

TEST_CASE("dlpack: the exported memory lives until its deleter has run") {
    const std::int64_t before = memory_stats().live_storages;
    DLManagedTensorVersioned* managed = to_dlpack(full({1000}, 2.5));
    CHECK(memory_stats().live_storages == before + 1);
    CHECK(static_cast<float*>(managed->dl_tensor.data)[999] == 2.5F);
    CHECK(managed->version.major == 1);
    managed->deleter(managed);
    CHECK(memory_stats().live_storages == before);
}

TEST_CASE("dlpack: a foreign structure is released once after its last view") {
    Foreign foreign;
    {
        Tensor x = from_dlpack(&foreign.managed);
        CHECK(x.data_ptr<float>() == foreign.data);
        const Tensor row = x[1];
        x = Tensor();
        CHECK(foreign.deleted == 0);
        row.fill_(7);
        CHECK(foreign.data[5] == 7);
        std::thread([last = row]() mutable { last = Tensor(); }).join();
    }
    CHECK(foreign.deleted == 1);
}

TEST_CASE("dlpack: memory that may only be read is copied") {
    Foreign foreign;
    foreign.managed.flags = DLPACK_FLAG_BITMASK_READ_ONLY;
    const Tensor x = from_dlpack(&foreign.managed);
    CHECK(foreign.deleted == 1);
    x.fill_(0);
    CHECK(foreign.data[0] == 1);
    DLManagedTensorVersioned* managed = to_dlpack(x, true);
    CHECK(managed->flags == DLPACK_FLAG_BITMASK_READ_ONLY);
    managed->deleter(managed);
}

TEST_CASE("dlpack: strides of null and of below zero and a byte offset are understood") {
    Foreign foreign;
    foreign.managed.dl_tensor.strides = nullptr;
    CHECK(from_dlpack(&foreign.managed)[1][0].item<float>() == 4);
    foreign.managed.dl_tensor.strides = foreign.strides;
    foreign.strides[0] = -3;
    foreign.managed.dl_tensor.byte_offset = 3 * sizeof(float);
    const Tensor x = from_dlpack(&foreign.managed);
    CHECK(x.to_vector<int>() == std::vector<int>{4, 5, 6, 1, 2, 3});
    CHECK(x.strides() == Shape({-3, 1}));
}

TEST_CASE("dlpack: what cannot be taken is refused by name and stays the caller's") {
    const auto refused = [](auto change, const char* message) {
        Foreign foreign;
        change(foreign.managed);
        CHECK_THROWS_WITH_AS(from_dlpack(&foreign.managed), doctest::Contains(message), Error);
        CHECK(foreign.deleted == 0);
    };
    using Managed = DLManagedTensorVersioned;
    refused([](Managed& m) { m.version.major = 2; }, "version 2.3; 1.x is read");
    refused([](Managed& m) { m.dl_tensor.device.device_type = static_cast<DLDeviceType>(2); },
            "device of type 2");
    refused([](Managed& m) { m.dl_tensor.dtype = {kDLInt, 32, 1}; }, "none of reel's types");
    refused([](Managed& m) { m.dl_tensor.dtype.lanes = 4; }, "4 lanes");
    refused([](Managed& m) { m.dl_tensor.byte_offset = 2; }, "multiples of their 4 bytes");
    refused([](Managed& m) { m.dl_tensor.ndim = -1; }, "-1 dimensions");
    refused([](Managed& m) { m.dl_tensor.shape[0] = -2; }, "negative size");
    refused([](Managed& m) { m.dl_tensor.data = nullptr; }, "null pointer");
    CHECK_THROWS_WITH_AS(from_dlpack(static_cast<Managed*>(nullptr)), "from_dlpack: a null pointer", Error);
    CHECK_THROWS_WITH_AS(to_dlpack(ones({2}).set_requires_grad()), doctest::Contains("pass detach()"),
                         AutogradError);
    CHECK_THROWS_AS(to_dlpack(Tensor()), Error);
}
