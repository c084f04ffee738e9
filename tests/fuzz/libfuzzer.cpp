// The targets as libFuzzer calls them; the environment's REEL_FUZZ names the one. See `scripts/fuzz.sh`.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "tests/fuzz/fuzz.hpp"

// A tensor of more than 2 GB is one for which memory is out. Every exception has the sanitizer search the whole stack
// that it keeps for frames that have ended: of the smallest that is a third of the time.
extern "C" const char* __asan_default_options() {
    return "allocator_may_return_null=1:max_allocation_size_mb=2048:detect_leaks=1:max_uar_stack_size_log=16";
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const reel::fuzz::Target* const target = [] {
        const char* const name = std::getenv("REEL_FUZZ");
        for (const reel::fuzz::Target& one : reel::fuzz::targets()) {
            if (name && std::string_view(name) == one.name) return &one;
        }
        std::fprintf(stderr, "REEL_FUZZ must name one of:");
        for (const reel::fuzz::Target& one : reel::fuzz::targets()) std::fprintf(stderr, " %s", one.name);
        std::fprintf(stderr, "\n");
        std::exit(1);
    }();
    static const int counted = std::atexit(
        [] { std::fprintf(stderr, "calls: %llu\n", static_cast<unsigned long long>(reel::fuzz::calls())); });
    static_cast<void>(counted);
    const std::uint64_t before = reel::fuzz::calls();
    target->run(
        reel::fuzz::Bytes({data, size}));  // what it throws ends the run, and is reported with the input
    if (reel::fuzz::calls() == before) ++reel::fuzz::calls();
    return 0;
}
