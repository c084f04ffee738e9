# NumPy on reel's memory and reel on NumPy's, by DLPack: the same address both ways, strides of every kind, the deleter
# called once. What speaks it with a newer NumPy or with PyTorch is the same: `dlpack.py MODULE torch` asks PyTorch.
#   dlpack.py MODULE [torch]       MODULE: the library of dlpack_module.cpp
import ctypes
import gc
import sys

import numpy as np

module = ctypes.CDLL(sys.argv[1])
module.reel_export.restype = ctypes.c_void_p
module.reel_export_unversioned.restype = ctypes.c_void_p
for f in (module.reel_export, module.reel_export_unversioned):
    f.argtypes = [ctypes.c_int]
module.reel_address.restype = ctypes.c_void_p
module.reel_sum.argtypes = [ctypes.c_void_p, ctypes.c_int]
module.reel_sum.restype = ctypes.c_double

new = ctypes.pythonapi.PyCapsule_New
new.restype = ctypes.py_object
new.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
pointer = ctypes.pythonapi.PyCapsule_GetPointer
pointer.restype = ctypes.c_void_p
pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
rename = ctypes.pythonapi.PyCapsule_SetName
rename.argtypes = [ctypes.py_object, ctypes.c_char_p]
NAMES = {True: (b"dltensor_versioned", b"used_dltensor_versioned"), False: (b"dltensor", b"used_dltensor")}


class Exported:
    """One of the module's tensors, as an object with the two methods that the standard asks for."""

    def __init__(self, which):
        self.which = which

    def __dlpack_device__(self):
        return (1, 0)

    def __dlpack__(self, max_version=None, **_):
        versioned = max_version is not None and max_version[0] >= 1
        export = module.reel_export if versioned else module.reel_export_unversioned
        return new(export(self.which), NAMES[versioned][0], None)


def check(what, ok):
    print(("passed: " if ok else "FAILED: ") + what)
    if not ok:
        sys.exit(1)


def take(x):
    """reel's sum of an array of NumPy's or PyTorch's, read where it lies."""
    try:
        capsule = x.__dlpack__(max_version=(1, 0))
    except TypeError:  # knows DLPack 0.x alone
        capsule = x.__dlpack__()
    versioned = "dltensor_versioned" in repr(capsule)
    result = module.reel_sum(pointer(capsule, NAMES[versioned][0]), int(versioned))
    rename(capsule, NAMES[versioned][1])  # taken over: the capsule's own end must not delete it again
    return result


def agree(name, from_dlpack, sum_of, array, address):
    x = from_dlpack(Exported(0))
    check(f"{name} reads reel's memory where it lies", address(x) == module.reel_address() and sum_of(x) == 276)
    if getattr(x, "flags", None) is None or x.flags.writeable:  # NumPy before 2.1 takes all that comes as read-only
        x[0, 0, 0] = 100
        check(f"reel sees what {name} writes", module.reel_first() == 100)
        x[0, 0, 0] = 0
    check(f"{name} reads a transposed and sliced tensor", sum_of(from_dlpack(Exported(1))) == 132)
    del x
    gc.collect()
    check(f"nothing of {name}'s is left", module.reel_exported() == 0)
    check(f"reel reads {name}'s memory", take(array) == sum_of(array))
    check(f"reel reads {name}'s transposed memory", take(array.T) == sum_of(array))


agree("NumPy", np.from_dlpack, lambda x: float(x.sum()), np.arange(12.0).reshape(3, 4), lambda x: x.ctypes.data)
check("reel reads backwards rows of NumPy's", take(np.arange(12.0).reshape(3, 4)[::-1]) == 66)
if "torch" in sys.argv:
    import torch

    agree("PyTorch", torch.from_dlpack, lambda x: float(x.sum()), torch.arange(12.0).reshape(3, 4), lambda x: x.data_ptr())
print(f"NumPy {np.__version__}: all passed")
