/// \file
/// Memory for a while, from the cache of freed blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "tensor/storage.hpp"

namespace reel {

class Scratch {
public:
    Scratch() = default;
    explicit Scratch(std::int64_t bytes)
        : bytes_(static_cast<std::size_t>(bytes)),
          data_(bytes > 0 ? static_cast<std::byte*>(allocate(bytes_)) : nullptr) {}
    Scratch(Scratch&& other) noexcept { *this = std::move(other); }
    Scratch& operator=(Scratch&& other) noexcept {
        std::swap(bytes_, other.bytes_);
        std::swap(data_, other.data_);
        return *this;
    }
    ~Scratch() {
        if (data_) deallocate(data_, bytes_);
    }
    std::byte* data() const { return data_; }
    std::int64_t size() const { return static_cast<std::int64_t>(bytes_); }
    /// The memory, so many bytes from the first call on.
    std::byte* get(std::int64_t bytes) {
        if (!data_) *this = Scratch(bytes);
        return data_;
    }

private:
    std::size_t bytes_ = 0;
    std::byte* data_ = nullptr;
};

}  // namespace reel
