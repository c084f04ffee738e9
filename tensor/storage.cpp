#include "tensor/storage.hpp"

#include <pthread.h>
#include <unistd.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <mutex>
#include <new>

#include "tensor/error.hpp"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace reel {

namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kHugePage = std::size_t{2} << 20;
// Up to here a thread keeps blocks for itself; to fill a larger one hides the lock of the shared cache.
constexpr std::size_t kSmall = std::size_t{64} << 10;
// More freed bytes than this go back to the system: a quarter of the machine's memory, since what lies in the cache
// is nobody's.
const std::size_t cache_limit =
    static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) / 4 * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));

// Sanitizers must see every free (GCC names them by macros, clang by features), and a test wants each block
// asked for: there the cache is off.
#if !defined(__has_feature)
#define __has_feature(feature) 0
#endif
#if defined(REEL_NO_CACHE) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
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
    if (!block) fail<Error>("out of memory: could not allocate ", bytes, " bytes for a tensor");
#if defined(__linux__)
    if (bytes >= kHugePage) madvise(block, bytes, MADV_HUGEPAGE);
#endif
    return block;
}

// Freed blocks, chained through their own first bytes, one chain per size class.
class FreeLists {
public:
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

// Large blocks are shared by all threads. Made by the compiler and never destroyed: freeing a tensor, which
// may be one of static lifetime, must need no memory.
struct SharedCache {
    std::mutex mutex;
    FreeLists blocks;
};
constinit SharedCache shared_cache;
static_assert(std::is_trivially_destructible_v<FreeLists>);

// What a thread has for itself, so that small blocks need no lock and counting no shared cache line. Only the
// owner writes the counts; a block that dies on another thread than it was made on leaves one of them
// negative.
struct ThreadMemory {
    FreeLists blocks;
    std::atomic<std::int64_t> storages = 0;
    std::atomic<std::int64_t> bytes = 0;
    ThreadMemory* next = nullptr;  ///< of another thread

    void count(std::int64_t storages_added, std::int64_t bytes_added) {
        storages.store(storages.load(std::memory_order_relaxed) + storages_added, std::memory_order_relaxed);
        bytes.store(bytes.load(std::memory_order_relaxed) + bytes_added, std::memory_order_relaxed);
    }
};
constexpr std::size_t kThreadLimit = std::size_t{16}
                                     << 20;  // of freed blocks; what is beyond goes to the system

// All threads' memories, for `memory_stats`; what threads that have ended leave is added up in `ended`. Large
// blocks are counted one by one, for the peak. Like the cache it is never made or destroyed.
struct Registry {
    std::mutex mutex;
    ThreadMemory* threads = nullptr;
    ThreadMemory ended;
    std::atomic<std::int64_t> large_bytes = 0;
    std::atomic<std::int64_t> peak_bytes = 0;
};
constinit Registry registry;

constinit thread_local ThreadMemory* thread_memory = nullptr;
constinit thread_local bool thread_ended = false;  // tensors may die after their thread's memory did

/// Gives a thread's memory back when it ends.
void end_memory(void* ended) {
    auto* const memory = static_cast<ThreadMemory*>(ended);
    thread_memory = nullptr;
    thread_ended = true;
    memory->blocks.clear();
    const std::lock_guard lock(registry.mutex);
    ThreadMemory** link = &registry.threads;
    while (*link != memory) link = &(*link)->next;
    *link = memory->next;
    registry.ended.count(memory->storages, memory->bytes);
    delete memory;
}

/// Makes this thread's memory, unless the thread has ended or there is none left: then null. By a key of
/// POSIX: to be destroyed with its thread, a `thread_local` takes memory, and ends the process where it gets
/// none.
[[gnu::cold, gnu::noinline]] ThreadMemory* make_memory() noexcept {
    static pthread_key_t key;
    static const bool has_key = pthread_key_create(&key, end_memory) == 0;
    if (thread_ended || !has_key) return nullptr;
    auto* const memory = new (std::nothrow) ThreadMemory;
    if (memory && pthread_setspecific(key, memory) == 0) {
        const std::lock_guard lock(registry.mutex);
        memory->next = registry.threads;
        registry.threads = memory;
        thread_memory = memory;
    } else {
        delete memory;
    }
    return thread_memory;
}

/// This thread's memory, or null where it has none.
ThreadMemory* own_memory() noexcept { return thread_memory ? thread_memory : make_memory(); }

void count_large(std::int64_t bytes) {
    Registry& all = registry;
    const std::int64_t now = all.large_bytes.fetch_add(bytes, std::memory_order_relaxed) + bytes;
    std::int64_t peak = all.peak_bytes.load(std::memory_order_relaxed);
    while (now > peak && !all.peak_bytes.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
    }
}

inline void count(std::int64_t storages, std::int64_t bytes) noexcept {
    if (ThreadMemory* memory = own_memory()) {
        memory->count(storages, bytes);
    } else {
        const std::lock_guard lock(registry.mutex);
        registry.ended.count(storages, bytes);
    }
    if (static_cast<std::size_t>(std::abs(bytes)) > kSmall) count_large(bytes);
}

// The rest of `allocate` and `deallocate`, kept apart so that a small block costs a few instructions.

[[gnu::noinline]] void* allocate_elsewhere(std::size_t size) {
    if (kRecycle && size > kSmall) {
        SharedCache& cache = shared_cache;
        const std::lock_guard lock(cache.mutex);
        if (void* block = cache.blocks.take(size)) return block;
    }
    return from_system(size);
}

[[gnu::noinline]] void deallocate_elsewhere(void* block, std::size_t size) {
    if (kRecycle && size > kSmall) {
        SharedCache& cache = shared_cache;
        const std::lock_guard lock(cache.mutex);
        if (cache.blocks.give(block, size, cache_limit)) return;
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

IntrusivePtr<Storage> Storage::make(std::size_t bytes) {
    // Header and elements are one block.
    auto* block = static_cast<std::byte*>(allocate(kAlignment + bytes));
    auto* storage = new (block) Storage;
    static_assert(sizeof(Storage) <= kAlignment);
    storage->data = block + kAlignment;
    storage->bytes = bytes;
    count(1, static_cast<std::int64_t>(bytes));
    return IntrusivePtr<Storage>(storage);
}

IntrusivePtr<Storage> Storage::borrow(void* data, std::size_t bytes) {
    IntrusivePtr<Storage> storage = make(0);
    storage->data = static_cast<std::byte*>(data);
    storage->bytes = bytes;
    storage->owned = false;
    return storage;
}

void Storage::destroy(Storage* storage) {
    const std::size_t bytes = storage->owned ? storage->bytes : 0;
    count(-1, -static_cast<std::int64_t>(bytes));
    if (storage->deleter) {
        (*storage->deleter)(storage->data);
        delete storage->deleter;
    }
    storage->~Storage();
    deallocate(storage, kAlignment + bytes);
}

MemoryStats memory_stats() {
    Registry& all = registry;
    const std::lock_guard lock(all.mutex);
    MemoryStats stats{all.ended.storages, all.ended.bytes, all.peak_bytes};
    for (const ThreadMemory* memory = all.threads; memory; memory = memory->next) {
        stats.live_storages += memory->storages.load(std::memory_order_relaxed);
        stats.live_bytes += memory->bytes.load(std::memory_order_relaxed);
    }
    return stats;
}

void reset_peak_memory() { registry.peak_bytes.store(registry.large_bytes.load()); }

void empty_cache() {
    if (ThreadMemory* memory = own_memory()) memory->blocks.clear();
    SharedCache& cache = shared_cache;
    const std::lock_guard lock(cache.mutex);
    cache.blocks.clear();
}

}  // namespace reel
