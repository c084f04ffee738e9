#include "tensor/storage.hpp"

#include <bit>
#include <cstdlib>
#include <mutex>
#include <new>
#include <vector>

#include "tensor/error.hpp"

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
    const std::size_t padded = (bytes + alignment - 1) / alignment * alignment;
    void* block = std::aligned_alloc(alignment, padded);
    if (!block) {  // what lies in the cache may be what is missing
        empty_cache();
        block = std::aligned_alloc(alignment, padded);
    }
    if (!block) fail<Error>("the system has no ", bytes, " bytes of memory left for a tensor");
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

// What a thread has for itself, so that small blocks need no lock and counting no shared cache line. Only the
// owner writes the counts; a block that dies on another thread than it was made on leaves one of them
// negative.
struct ThreadMemory {
    FreeLists blocks;
    std::atomic<std::int64_t> storages = 0;
    std::atomic<std::int64_t> bytes = 0;

    void count(std::int64_t storages_added, std::int64_t bytes_added) {
        storages.store(storages.load(std::memory_order_relaxed) + storages_added, std::memory_order_relaxed);
        bytes.store(bytes.load(std::memory_order_relaxed) + bytes_added, std::memory_order_relaxed);
    }
};
constexpr std::size_t kThreadLimit = std::size_t{16} << 20;

// All threads' memories, for `memory_stats`; what threads that have ended leave is added up in `ended`. Large
// blocks are counted one by one, for the peak. Never destroyed, like the cache.
struct Registry {
    std::mutex mutex;
    std::vector<ThreadMemory*> threads;
    ThreadMemory ended;
    std::atomic<std::int64_t> large_bytes = 0;
    std::atomic<std::int64_t> peak_bytes = 0;
};
Registry& registry() {
    static auto* all = new Registry;
    return *all;
}

constinit thread_local ThreadMemory* thread_memory = nullptr;
constinit thread_local bool thread_ended = false;  // tensors may die after their thread's memory did

struct ThreadGuard {
    ThreadGuard() {
        thread_memory = new ThreadMemory;
        const std::lock_guard lock(registry().mutex);
        registry().threads.push_back(thread_memory);
    }
    ThreadGuard(const ThreadGuard&) = delete;
    ThreadGuard& operator=(const ThreadGuard&) = delete;
    ~ThreadGuard() {
        const std::lock_guard lock(registry().mutex);
        std::erase(registry().threads, thread_memory);
        registry().ended.count(thread_memory->storages, thread_memory->bytes);
        delete std::exchange(thread_memory, nullptr);
        thread_ended = true;
    }
};

/// This thread's memory, or null when it has ended.
ThreadMemory* own_memory() {
    if (!thread_memory && !thread_ended) [[unlikely]] {
        static thread_local ThreadGuard guard;
    }
    return thread_memory;
}

void count(std::int64_t storages, std::int64_t bytes) {
    if (ThreadMemory* memory = own_memory()) {
        memory->count(storages, bytes);
    } else {
        const std::lock_guard lock(registry().mutex);
        registry().ended.count(storages, bytes);
    }
    if (static_cast<std::size_t>(std::abs(bytes)) <= kSmall) return;
    Registry& all = registry();
    const std::int64_t now = all.large_bytes.fetch_add(bytes, std::memory_order_relaxed) + bytes;
    std::int64_t peak = all.peak_bytes.load(std::memory_order_relaxed);
    while (now > peak && !all.peak_bytes.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
    }
}

}  // namespace

void* allocate(std::size_t bytes) {
    const SizeClass size = size_class(bytes);
    if (kRecycle && size.bytes <= kSmall) {
        ThreadMemory* memory = own_memory();
        if (void* block = memory ? memory->blocks.take(size) : nullptr) return block;
    } else if (kRecycle) {
        SharedCache& cache = shared_cache();
        const std::lock_guard lock(cache.mutex);
        if (void* block = cache.blocks.take(size)) return block;
    }
    return from_system(size.bytes);
}

void deallocate(void* block, std::size_t bytes) noexcept {
    const SizeClass size = size_class(bytes);
    if (kRecycle && size.bytes <= kSmall) {
        ThreadMemory* memory = own_memory();
        if (memory && memory->blocks.give(block, size, kThreadLimit)) return;
    } else if (kRecycle) {
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
    count(1, static_cast<std::int64_t>(bytes));
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
    count(-1, -static_cast<std::int64_t>(bytes));
    storage->~Storage();
    deallocate(storage, kAlignment + bytes);
}

MemoryStats memory_stats() {
    Registry& all = registry();
    const std::lock_guard lock(all.mutex);
    MemoryStats stats{all.ended.storages, all.ended.bytes, all.peak_bytes};
    for (const ThreadMemory* memory : all.threads) {
        stats.live_storages += memory->storages.load(std::memory_order_relaxed);
        stats.live_bytes += memory->bytes.load(std::memory_order_relaxed);
    }
    return stats;
}

void reset_peak_memory() { registry().peak_bytes.store(registry().large_bytes.load()); }

void empty_cache() {
    if (ThreadMemory* memory = own_memory()) memory->blocks.clear();
    SharedCache& cache = shared_cache();
    const std::lock_guard lock(cache.mutex);
    cache.blocks.clear();
}

}  // namespace reel
