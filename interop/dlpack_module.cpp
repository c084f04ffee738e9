// What `dlpack.py` calls: tensors that go out by DLPack, and the sum of one that comes in.
#include "interop/dlpack.hpp"
#include "reel.hpp"

namespace {

reel::Tensor& base() {
    static reel::Tensor tensor = reel::arange(24).to(reel::kFloat32).view({2, 3, 4});
    return tensor;
}

int exported = 0;

/// The structure, with a deleter that counts before it calls its own.
template <class Managed>
Managed* counted(Managed* managed) {
    static void (*own)(Managed*) = nullptr;
    own = managed->deleter;
    managed->deleter = [](Managed* self) {
        --exported;
        own(self);
    };
    ++exported;
    return managed;
}

reel::Tensor chosen(int which) { return which == 0 ? base() : base().transpose(0, 2).slice(0, 0, 4, 2); }

}  // namespace

extern "C" {
void* reel_export(int which) { return counted(reel::to_dlpack(chosen(which))); }
void* reel_export_unversioned(int which) { return counted(reel::to_dlpack_unversioned(chosen(which))); }
void* reel_address() { return base().raw(); }
int reel_first() { return base().flatten()[0].item<int>(); }
int reel_exported() { return exported; }
double reel_sum(void* managed, int versioned) {
    const reel::Tensor x = versioned ? reel::from_dlpack(static_cast<DLManagedTensorVersioned*>(managed))
                                     : reel::from_dlpack(static_cast<DLManagedTensor*>(managed));
    return x.sum().item<double>();
}
}
