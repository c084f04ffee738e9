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

// Blocks come in steps of 64 bytes up to 512, then in four steps to each power of two.
constexpr std::size_t kEven = 8 * kAlignment;

/// 2^(power - 1) < bytes <= 2^power.
std::size_t power_of(std::size_t bytes) { return static_cast<std::size_t>(std::bit_width(bytes - 1)); }

/// The size of the block that holds so many bytes.
std::size_t block_size(std::size_t bytes) {
    const std::size_t step = bytes <= kEven ? kAlignment : std::size_t{1} << (power_of(bytes) - 3);
    return (std::max<std::size_t>(bytes, 1) + step - 1) & ~(step - 1);
}

/// The number of a block's size among all sizes.
std::size_t size_class(std::size_t size) {
    if (size <= kEven) return size / kAlignment;
    const std::size_t power = power_of(size);
    return 4 * (power - 7) + ((size - (std::size_t{1} << (power - 1))) >> (power - 3));
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

    void* take(std::size_t size) {
        Block*& head = heads_[size_class(size)];
        if (!head) return nullptr;
        Block* block = head;
        head = block->next;
        bytes_ -= size;
        return block;
    }
    bool give(void* block, std::size_t size, std::size_t limit) {
        if (bytes_ + size > limit) return false;
        Block*& head = heads_[size_class(size)];
        head = new (block) Block{head};
        bytes_ += size;
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

/// Makes this thread's memory, unless the thread has ended.
[[gnu::cold, gnu::noinline]] ThreadMemory* make_memory() {
    if (!thread_ended) {
        static thread_local ThreadGuard guard;
    }
    return thread_memory;
}

/// This thread's memory, or null when it has ended.
ThreadMemory* own_memory() { return thread_memory ? thread_memory : make_memory(); }

void count_large(std::int64_t bytes) {
    Registry& all = registry();
    const std::int64_t now = all.large_bytes.fetch_add(bytes, std::memory_order_relaxed) + bytes;
    std::int64_t peak = all.peak_bytes.load(std::memory_order_relaxed);
    while (now > peak && !all.peak_bytes.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
    }
}

inline void count(std::int64_t storages, std::int64_t bytes) {
    if (ThreadMemory* memory = own_memory()) {
        memory->count(storages, bytes);
    } else {
        const std::lock_guard lock(registry().mutex);
        registry().ended.count(storages, bytes);
    }
    if (static_cast<std::size_t>(std::abs(bytes)) > kSmall) count_large(bytes);
}

// The rest of `allocate` and `deallocate`, kept apart so that a small block costs a few instructions.

[[gnu::noinline]] void* allocate_elsewhere(std::size_t size) {
    if (kRecycle && size > kSmall) {
        SharedCache& cache = shared_cache();
        const std::lock_guard lock(cache.mutex);
        if (void* block = cache.blocks.take(size)) return block;
    }
    return from_system(size);
}

[[gnu::noinline]] void deallocate_elsewhere(void* block, std::size_t size) {
    if (kRecycle && size > kSmall) {
        SharedCache& cache = shared_cache();
        const std::lock_guard lock(cache.mutex);
        if (cache.blocks.give(block, size, kCacheLimit)) return;
    }
    std::free(block);
}

}  // namespace

void* allocate(std::size_t bytes) {
    const std::size_t size = block_size(bytes);
    ThreadMemory* memory = kRecycle && size <= kSmall ? own_memory() : nullptr;
    if (void* block = memory ? memory->blocks.take(size) : nullptr) return block;
    return allocate_elsewhere(size);
}

void deallocate(void* block, std::size_t bytes) noexcept {
    const std::size_t size = block_size(bytes);
    ThreadMemory* memory = kRecycle && size <= kSmall ? own_memory() : nullptr;
    if (!(memory && memory->blocks.give(block, size, kThreadLimit))) deallocate_elsewhere(block, size);
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
