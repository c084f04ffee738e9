#include "tests/directory.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

namespace reel::testing {

Directory::Directory() {
    static int next = 0;
    const std::string name = "reel_test_" + std::to_string(::getpid()) + "_" + std::to_string(next++);
    path_ = (std::filesystem::temp_directory_path() / name).string();
    std::filesystem::create_directory(path_);
}
Directory::~Directory() { std::filesystem::remove_all(path_); }
std::string Directory::operator/(std::string_view name) const {
    return (std::filesystem::path(path_) / name).string();
}
std::vector<std::string> Directory::names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
        names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace reel::testing
