#include "tests/starved/allocations.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <limits>
#include <new>

// The linker's `--wrap` sends the program's calls of `malloc` to `__wrap_malloc`, and `__real_malloc` is the
// system's, or a sanitizer's.
extern "C" {
void* __real_malloc(std::size_t bytes);
void* __real_calloc(std::size_t count, std::size_t bytes);
void* __real_realloc(void* block, std::size_t bytes);
void* __real_aligned_alloc(std::size_t alignment, std::size_t bytes);
int __real_posix_memalign(void** block, std::size_t alignment, std::size_t bytes);
void __real_free(void* block);
}

namespace reel::testing {

namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

std::atomic<std::int64_t> until_failure = kNever;
std::atomic<bool> lasting = false;
std::atomic<bool> has_failed = false;
std::atomic<std::int64_t> live = 0;

/// Whether this allocation fails.
bool fails() {
    if (until_failure == kNever) return false;
    const std::int64_t left = until_failure.fetch_sub(1);
    if (left > 1 || (left < 1 && !lasting)) return false;
    has_failed = true;
    return true;
}

void* counted(void* block) {
    if (block) ++live;
    return block;
}

void* new_block(std::size_t bytes, std::size_t alignment) noexcept {
    if (fails()) return nullptr;
    const std::size_t size = (std::max<std::size_t>(bytes, 1) + alignment - 1) / alignment * alignment;
    return counted(alignment > alignof(std::max_align_t) ? __real_aligned_alloc(alignment, size)
                                                         : __real_malloc(size));
}

void* new_or_throw(std::size_t bytes, std::size_t alignment) {
    void* const block = new_block(bytes, alignment);
    if (!block) throw std::bad_alloc();
    return block;
}

void free_block(void* block) noexcept {
    if (block) --live;
    __real_free(block);
}

}  // namespace

void starve(std::int64_t kth, Shortage shortage) {
    lasting = shortage == Shortage::kLasting;
    has_failed = false;
    until_failure = kth;
}

bool stop_starving() {
    until_failure = kNever;
    return has_failed;
}

std::int64_t live_allocations() { return live; }

}  // namespace reel::testing

using reel::testing::counted;
using reel::testing::fails;
using reel::testing::free_block;
using reel::testing::new_block;
using reel::testing::new_or_throw;

extern "C" {
void* __wrap_malloc(std::size_t bytes) { return fails() ? nullptr : counted(__real_malloc(bytes)); }
void* __wrap_calloc(std::size_t count, std::size_t bytes) {
    return fails() ? nullptr : counted(__real_calloc(count, bytes));
}
void* __wrap_realloc(void* block, std::size_t bytes) {
    if (fails()) return nullptr;
    void* const moved = __real_realloc(block, bytes);
    return block ? moved : counted(moved);
}
void* __wrap_aligned_alloc(std::size_t alignment, std::size_t bytes) {
    return fails() ? nullptr : counted(__real_aligned_alloc(alignment, bytes));
}
int __wrap_posix_memalign(void** block, std::size_t alignment, std::size_t bytes) {
    if (fails()) return ENOMEM;
    const int error = __real_posix_memalign(block, alignment, bytes);
    if (error == 0) counted(*block);
    return error;
}
void __wrap_free(void* block) { free_block(block); }
}

constexpr std::size_t kUsual = alignof(std::max_align_t);

void* operator new(std::size_t bytes) { return new_or_throw(bytes, kUsual); }
void* operator new[](std::size_t bytes) { return new_or_throw(bytes, kUsual); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
    return new_or_throw(bytes, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t bytes, std::align_val_t alignment) {
    return new_or_throw(bytes, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept { return new_block(bytes, kUsual); }
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept { return new_block(bytes, kUsual); }
void operator delete(void* block) noexcept { free_block(block); }
void operator delete[](void* block) noexcept { free_block(block); }
void operator delete(void* block, std::size_t) noexcept { free_block(block); }
void operator delete[](void* block, std::size_t) noexcept { free_block(block); }
void operator delete(void* block, std::align_val_t) noexcept { free_block(block); }
void operator delete[](void* block, std::align_val_t) noexcept { free_block(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { free_block(block); }
void operator delete[](void* block, std::size_t, std::align_val_t) noexcept { free_block(block); }
