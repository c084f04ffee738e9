/// \file
/// What a tape is kept in: arrays that grow without moving, and numbers for tensors. Not a public header.
#pragma once

#include <unordered_map>
#include <vector>

#include "tensor/tensor.hpp"

namespace reel::detail {

/// An array that grows by chunks: elements never move, and growing costs no second copy of what is there. The
/// first chunk is inside: most tapes need no more.
template <class T>
class ChunkedArray {
public:
    ChunkedArray() {}
    ChunkedArray(const ChunkedArray&) = delete;
    ChunkedArray& operator=(const ChunkedArray&) = delete;
    ~ChunkedArray() {
        shrink(0);
        for (T* chunk : more_) deallocate(chunk, kChunk * sizeof(T));
    }

    std::size_t size() const { return size_; }
    T& operator[](std::size_t i) { return i < kChunk ? first_[i] : more_[i / kChunk - 1][i % kChunk]; }
    const T& operator[](std::size_t i) const { return const_cast<ChunkedArray&>(*this)[i]; }
    /// Appends what `make()` returns, which is made in place.
    T& append(const auto& make) {
        if (size_ == (1 + more_.size()) * kChunk) {
            more_.reserve(more_.size() + 1);  // what may fail, before there is a chunk to lose
            more_.push_back(static_cast<T*>(allocate(kChunk * sizeof(T))));
        }
        T* at = new (&(*this)[size_]) T(make());
        ++size_;
        return *at;
    }
    /// Drops all but the first `size` elements.
    void shrink(std::size_t size) noexcept {
        while (size_ > size) (*this)[--size_].~T();
    }

private:
    /// Elements of a chunk. The first is part of the array: a small tape allocates none.
    static constexpr std::size_t kChunk = 256;
    std::size_t size_ = 0;
    std::vector<T*> more_;
    union {
        T first_[kChunk];
    };
};

/// Numbers tensors in the order in which they come. A few are found by looking at each, many by hashing.
class Numbering {
public:
    std::size_t size() const { return tensors_.size(); }
    const Tensor& operator[](std::size_t number) const { return tensors_[number]; }
    /// The number of a tensor; -1 where it has none.
    std::int64_t find(const Tensor& tensor) const {
        if (size() > kFew) {
            const auto found = numbers_.find(&tensor.impl());
            return found != numbers_.end() ? found->second : -1;
        }
        auto number = static_cast<std::int64_t>(size());
        while (--number >= 0 && !tensors_[static_cast<std::size_t>(number)].is_same(tensor)) {
        }
        return number;
    }
    /// Gives the next number to a tensor that has none.
    std::int64_t add(const Tensor& tensor) {
        tensors_.append([&] { return tensor; });
        try {
            for (std::size_t i = numbers_.size(); size() > kFew && i < size(); ++i) {
                numbers_.emplace(&tensors_[i].impl(), static_cast<std::int64_t>(i));
            }
        } catch (...) {
            shrink(size() - 1);
            throw;
        }
        return static_cast<std::int64_t>(size()) - 1;
    }
    /// Forgets all but the first `size` tensors.
    void shrink(std::size_t size) noexcept {
        for (std::size_t i = size; i < this->size(); ++i) numbers_.erase(&tensors_[i].impl());
        tensors_.shrink(size);
    }

private:
    static constexpr std::size_t kFew = 16;  ///< that are found one by one, without a table
    ChunkedArray<Tensor> tensors_;
    std::unordered_map<const TensorImpl*, std::int64_t> numbers_;
};

}  // namespace reel::detail
