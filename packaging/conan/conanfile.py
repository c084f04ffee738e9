# Conan 2: `conan create packaging/conan` in the folder of the repository. xsimd and nlohmann-json come from the system's
# packages, as in every other build of reel.
import os
import re

from conan import ConanFile
from conan.tools.cmake import CMake, CMakeToolchain, cmake_layout
from conan.tools.files import copy
from conan.tools.system.package_manager import Apt, Brew, Dnf

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


class Reel(ConanFile):
    name = "reel"
    license = "MIT"
    description = "A minimal C++20 tensor library with a tape-based autograd engine"
    topics = ("tensor", "autograd", "gradient")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False], "fPIC": [True, False], "openmp": [True, False]}
    default_options = {"shared": False, "fPIC": True, "openmp": True}
    languages = "C++"
    implements = ["auto_shared_fpic"]

    def set_version(self):
        with open(os.path.join(ROOT, "tensor", "version.hpp"), encoding="utf8") as text:
            numbers = re.findall(r"define REEL_VERSION_\w+ (\d+)", text.read())
        self.version = self.version or ".".join(numbers[:3])

    def export_sources(self):
        for folder in ("autograd", "check", "cmake", "interop", "ops", "optim", "tensor"):
            copy(self, folder + "/*", ROOT, self.export_sources_folder)
        for file in ("CMakeLists.txt", "reel.hpp", "LICENSE", "docs/Doxyfile.in"):
            copy(self, file, ROOT, self.export_sources_folder)

    def system_requirements(self):
        Apt(self).install(["libxsimd-dev", "nlohmann-json3-dev"], check=True)
        Dnf(self).install(["xsimd-devel", "json-devel"], check=True)
        Brew(self).install(["xsimd", "nlohmann-json"], check=True)

    def layout(self):
        cmake_layout(self)

    def generate(self):
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["REEL_OPENMP"] = bool(self.options.openmp)
        for part in ("TESTS", "EXAMPLES", "CLI"):
            toolchain.cache_variables["REEL_BUILD_" + part] = False
        toolchain.cache_variables["REEL_SHARED"] = False
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        CMake(self).install()

    def package_info(self):
        # reel's own package files say all that there is to say.
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = [os.path.join("lib", "cmake", "reel")]
