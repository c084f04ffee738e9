#include "tensor/storage.hpp"

#include <bit>
#include <cstdlib>
#include <mutex>
#include <new>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace reel {

namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kSmall = std::size_t{64} << 10;      // up to here a thread keeps blocks for itself
constexpr std::size_t kCacheLimit = std::size_t{4} << 30;  // more freed bytes than this go back to the system

// Sanitizers must see every free, so there the cache is off.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kRecycle = false;
#else
constexpr bool kRecycle = true;
#endif

// Size classes: four steps to each power of two, from 64 bytes.
struct SizeClass {
    std::size_t index;
    std::size_t bytes;
};

SizeClass size_class(std::size_t bytes) {
    if (bytes <= kAlignment) return {0, kAlignment};
    const auto power = static_cast<std::size_t>(std::bit_width(bytes - 1));  // 2^(power-1) < bytes <= 2^power
    const std::size_t step = std::max<std::size_t>(std::size_t{1} << (power - 3), kAlignment);
    const std::size_t rounded = (bytes + step - 1) / step * step;
    const std::size_t quarter = (rounded - (std::size_t{1} << (power - 1))) / (std::size_t{1} << (power - 3));
    return {4 * (power - 7) + quarter, rounded};
}

void* from_system(std::size_t bytes) {
    const std::size_t alignment = bytes >= kHugePage ? kHugePage : kAlignment;
    void* block = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
    if (!block) throw std::bad_alloc();
#if defined(__linux__)
    if (bytes >= kHugePage) madvise(block, bytes, MADV_HUGEPAGE);
#endif
    return block;
}

// Freed blocks, chained through their own first bytes, one chain per size class.
class FreeLists {
public:
    FreeLists() = default;
    FreeLists(const FreeLists&) = delete;
    FreeLists& operator=(const FreeLists&) = delete;
    ~FreeLists() { clear(); }

    void* take(SizeClass size) {
        Block*& head = heads_[size.index];
        if (!head) return nullptr;
        Block* block = head;
        head = block->next;
        bytes_ -= size.bytes;
        return block;
    }
    bool give(void* block, SizeClass size, std::size_t limit) {
        if (bytes_ + size.bytes > limit) return false;
        heads_[size.index] = new (block) Block{heads_[size.index]};
        bytes_ += size.bytes;
        return true;
    }
    void clear() {
        for (Block*& head : heads_) {
            while (head) std::free(std::exchange(head, head->next));
        }
        bytes_ = 0;
    }

private:
    struct Block {
        Block* next;
    };
    Block* heads_[4 * 58] = {};
    std::size_t bytes_ = 0;
};

// Large blocks are shared by all threads. Never destroyed: tensors with static lifetime may outlive it.
struct SharedCache {
    std::mutex mutex;
    FreeLists blocks;
};
SharedCache& shared_cache() {
    static auto* cache = new SharedCache;
    return *cache;
}

// A thread's own small blocks need no lock. `ended` tells tensors that die after the thread's cache did.
thread_local bool ended = false;
struct ThreadCache {
    FreeLists blocks;
    ~ThreadCache() { ended = true; }
};
constexpr std::size_t kThreadLimit = std::size_t{16} << 20;
ThreadCache& thread_cache() {
    thread_local ThreadCache cache;
    return cache;
}

std::atomic<std::int64_t> live_storages = 0;
std::atomic<std::int64_t> live_bytes = 0;
std::atomic<std::int64_t> peak_bytes = 0;

void count_bytes(std::size_t bytes) {
    live_storages.fetch_add(1, std::memory_order_relaxed);
    const auto added = static_cast<std::int64_t>(bytes);
    const std::int64_t now = live_bytes.fetch_add(added, std::memory_order_relaxed) + added;
    std::int64_t peak = peak_bytes.load(std::memory_order_relaxed);
    while (now > peak && !peak_bytes.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
    }
}

void uncount_bytes(std::size_t bytes) {
    live_storages.fetch_sub(1, std::memory_order_relaxed);
    live_bytes.fetch_sub(static_cast<std::int64_t>(bytes), std::memory_order_relaxed);
}

}  // namespace

void* allocate(std::size_t bytes) {
    const SizeClass size = size_class(bytes);
    if (kRecycle && size.bytes <= kSmall && !ended) {
        if (void* block = thread_cache().blocks.take(size)) return block;
    } else if (kRecycle && size.bytes > kSmall) {
        SharedCache& cache = shared_cache();
        const std::lock_guard lock(cache.mutex);
        if (void* block = cache.blocks.take(size)) return block;
    }
    return from_system(size.bytes);
}

void deallocate(void* block, std::size_t bytes) noexcept {
    const SizeClass size = size_class(bytes);
    if (kRecycle && size.bytes <= kSmall && !ended) {
        if (thread_cache().blocks.give(block, size, kThreadLimit)) return;
    } else if (kRecycle && size.bytes > kSmall) {
        SharedCache& cache = shared_cache();
        const std::lock_guard lock(cache.mutex);
        if (cache.blocks.give(block, size, kCacheLimit)) return;
    }
    std::free(block);
}

Counted<Storage> Storage::make(std::size_t bytes) {
    // Header and elements are one block.
    auto* block = static_cast<std::byte*>(allocate(kAlignment + bytes));
    auto* storage = new (block) Storage;
    static_assert(sizeof(Storage) <= kAlignment);
    storage->data = block + kAlignment;
    storage->bytes = bytes;
    count_bytes(bytes);
    return Counted<Storage>(storage);
}

Counted<Storage> Storage::borrow(void* data, std::size_t bytes) {
    Counted<Storage> storage = make(0);
    storage->data = static_cast<std::byte*>(data);
    storage->bytes = bytes;
    storage->owned = false;
    return storage;
}

void Storage::destroy(Storage* storage) {
    const std::size_t bytes = storage->owned ? storage->bytes : 0;
    uncount_bytes(bytes);
    storage->~Storage();
    deallocate(storage, kAlignment + bytes);
}

MemoryStats memory_stats() { return {live_storages.load(), live_bytes.load(), peak_bytes.load()}; }

void reset_peak_memory() { peak_bytes.store(live_bytes.load()); }

void empty_cache() {
    thread_cache().blocks.clear();
    SharedCache& cache = shared_cache();
    const std::lock_guard lock(cache.mutex);
    cache.blocks.clear();
}

}  // namespace reel
