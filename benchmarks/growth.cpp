// How costs grow with size, on one thread: time per element from 10⁴ to 10⁸ elements, time and memory per
// entry of a tape up to 10⁶ entries, and the memory that the loss of a large vocabulary takes. Prints
// Markdown.
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <reel.hpp>
#include <vector>

using namespace reel;

namespace {

using Work = std::function<void()>;

/// Seconds of the fastest of several runs.
double best_seconds(const Work& work, int rounds) {
    double best = std::numeric_limits<double>::infinity();
    for (int i = 0; i < rounds; ++i) {
        const auto start = std::chrono::steady_clock::now();
        work();
        const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
        best = std::min(best, taken.count());
    }
    return best;
}

struct Growing {
    const char* name;
    std::function<Work(std::int64_t elements)> prepare;
};

constexpr std::int64_t kClasses = 1000;

/// Rows of logits, `elements` in all.
Tensor logits(std::int64_t elements) { return randn({elements / kClasses, kClasses}); }

const Growing kGrowing[] = {
    {"add",
     [](std::int64_t n) -> Work {
         const Tensor x = randn({n});
         return [=] { x + x; };
     }},
    {"sum",
     [](std::int64_t n) -> Work {
         const Tensor x = randn({n});
         return [=] { x.sum(); };
     }},
    {"softmax",
     [](std::int64_t n) -> Work {
         const Tensor x = logits(n);
         return [=] { softmax(x, -1); };
     }},
    {"cross_entropy, forward and backward",
     [](std::int64_t n) -> Work {
         const Tensor x = logits(n).set_requires_grad(true);
         const Tensor t = randint(0, kClasses, {n / kClasses});
         return [=] {
             x.zero_grad();
             const Tape tape;
             cross_entropy(x, t).backward();
         };
     }},
};

void print_growth() {
    std::printf("ns an element | 10^4 | 10^5 | 10^6 | 10^7 | 10^8\n--- | --- | --- | --- | --- | ---\n");
    for (const Growing& growing : kGrowing) {
        std::printf("%s", growing.name);
        for (std::int64_t n = 10'000; n <= 100'000'000; n *= 10) {
            const Work work = growing.prepare(n);
            work();
            const int rounds = static_cast<int>(std::max<std::int64_t>(5, 20'000'000 / n));
            std::printf(" | %.3f", best_seconds(work, rounds) / static_cast<double>(n) * 1e9);
        }
        std::printf("\n");
    }
}

std::size_t bytes_in_use() { return mallinfo2().uordblks + mallinfo2().hblkhd; }

/// A chain of `n` recorded multiplications of four elements by a number: an entry keeps nothing but its own
/// output.
void print_tape(std::int64_t n) {
    const Tensor start = randn({4}).set_requires_grad(true);
    double forward = std::numeric_limits<double>::infinity();
    double backward = forward;
    double bytes = 0;
    for (int round = 0; round < 3; ++round) {
        const Tape tape;
        const std::size_t before = bytes_in_use();
        Tensor x = start;
        forward = std::min(forward, best_seconds(
                                        [&] {
                                            for (std::int64_t i = 0; i < n; ++i) x = x * 0.999;
                                        },
                                        1));
        bytes = std::max(bytes, static_cast<double>(bytes_in_use() - before));
        const Tensor end = x.sum();
        backward = std::min(backward, best_seconds([&] { end.backward(); }, 1));
    }
    const auto count = static_cast<double>(n);
    std::printf("%lld | %.0f | %.0f | %.0f\n", static_cast<long long>(n), forward / count * 1e9,
                backward / count * 1e9, bytes / count);
}

void print_memory() {
    const Tensor x = randn({512, 50257}).set_requires_grad(true);
    const Tensor t = randint(0, 50257, {512});
    const auto size = static_cast<double>(x.numel() * x.itemsize());
    const auto before = static_cast<double>(memory_stats().live_bytes);
    reset_peak_memory();
    const Tape tape;
    cross_entropy(x, t).backward();
    std::printf(
        "cross_entropy of [512, 50257], forward and backward: %.3f times the logits' memory beside them\n",
        (static_cast<double>(memory_stats().peak_bytes) - before) / size);
}

}  // namespace

int main() {
    set_num_threads(1);
    print_growth();
    std::printf("\nentries of the tape | ns forward | ns backward | bytes each\n--- | --- | --- | ---\n");
    for (std::int64_t n = 100; n <= 1'000'000; n *= 10) print_tape(n);
    std::printf("\n");
    print_memory();
    return 0;
}
