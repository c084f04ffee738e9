/// \file
/// A place for the files of a test.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace reel::testing {

/// A directory of its own under the system's temporary one, removed at the end.
class Directory {
public:
    Directory();
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    ~Directory();

    /// The path of a file in it.
    std::string operator/(std::string_view name) const;
    /// The names of the files in it, sorted.
    std::vector<std::string> names() const;

private:
    std::string path_;
};

}  // namespace reel::testing
