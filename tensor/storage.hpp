/// \file
/// Memory: counted, aligned blocks that are recycled when they are freed. A storage is bytes and a version;
/// what the bytes mean is the tensor's business (`tensor.hpp`).
///
/// Note [Fresh memory is dear]
/// The first touch of a page costs more than most operations on it (9 ms for 16 MB in 4 KB pages, 0.2 ms in a
/// reused buffer). So a freed block goes to a cache by size class, and blocks of 2 MB and more are aligned
/// for huge pages.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>

#pragma GCC visibility push(default)
namespace reel {

/// A pointer to an object that counts its owners in a member `owners`; the last one calls
/// `T::destroy(object)`.
template <class T>
class IntrusivePtr {
public:
    IntrusivePtr() = default;
    /// Adopts `object`, whose count already includes this owner.
    explicit IntrusivePtr(T* object) : object_(object) {}
    IntrusivePtr(const IntrusivePtr& other) noexcept : object_(other.object_) {
        if (object_) object_->owners.fetch_add(1, std::memory_order_relaxed);
    }
    IntrusivePtr(IntrusivePtr&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
    IntrusivePtr& operator=(IntrusivePtr other) noexcept {
        std::swap(object_, other.object_);
        return *this;
    }
    ~IntrusivePtr() {
        if (object_) release();
    }

    T* get() const { return object_; }
    T* operator->() const { return object_; }
    T& operator*() const { return *object_; }
    explicit operator bool() const { return object_ != nullptr; }
    /// Whether nobody else holds the object.
    bool unique() const { return object_ && object_->owners.load(std::memory_order_acquire) == 1; }

private:
    // Not inlined: most handles have been moved from when they end, and leave no more than the question.
    [[gnu::noinline]] void release() {
        // The only owner need not count down: nobody is left who could count up.
        if (unique() || object_->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) T::destroy(object_);
    }

    T* object_ = nullptr;
};

/// One block of elements, shared by a tensor and its views.
struct Storage {
    std::atomic<std::uint32_t> owners = 1;
    std::uint32_t version = 0;        ///< how often the block was overwritten
    const char* overwritten_by = "";  ///< the operation that last did
    std::byte* data = nullptr;
    std::size_t bytes = 0;
    bool owned = true;  ///< false: the memory belongs to somebody else (`from_blob`)
    std::function<void(void*)>* deleter = nullptr;  ///< called with `data` when the last owner has gone

    /// A block of `bytes` uninitialised bytes, aligned to 64.
    static IntrusivePtr<Storage> make(std::size_t bytes);
    /// A block around memory of somebody else, which must outlive it.
    static IntrusivePtr<Storage> borrow(void* data, std::size_t bytes);
    static void destroy(Storage* storage);

    /// Notes that `operation` writes to the block.
    void overwrite(const char* operation) {
        ++version;
        overwritten_by = operation;
    }
};

/// `bytes` uninitialised bytes, aligned to 64, from the cache of freed blocks where it has some.
void* allocate(std::size_t bytes);
/// Returns a block of `allocate(bytes)` to the cache.
void deallocate(void* block, std::size_t bytes) noexcept;

/// What the storages hold at this moment, over all threads.
struct MemoryStats {
    std::int64_t live_storages;  ///< storages that somebody owns
    std::int64_t live_bytes;     ///< bytes that they own
    std::int64_t peak_bytes;     ///< the most that blocks over 64 KB have held since `reset_peak_memory`
};
MemoryStats memory_stats();
void reset_peak_memory();
/// Gives the cache of freed blocks back to the system.
void empty_cache();

}  // namespace reel
#pragma GCC visibility pop
