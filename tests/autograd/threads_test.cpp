// Threads and tapes: leaves are shared, a tape is not, and what would go on with a tape that is gone says so.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "reel.hpp"
#include "tests/messages.hpp"

using namespace reel;
using namespace reel::testing;

namespace {

/// What a child process that runs `f` prints on its standard error before it aborts; "" where it does not.
std::string last_words(const std::function<void()>& f) {
    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        std::signal(SIGABRT, SIG_DFL);  // not the test framework's
        const rlimit no_core = {0, 0};
        ::setrlimit(RLIMIT_CORE, &no_core);
        ::dup2(ends[1], STDERR_FILENO);
        ::close(ends[0]);
        ::close(ends[1]);
        f();
        ::_exit(0);
    }
    ::close(ends[1]);
    std::string words;
    std::array<char, 256> some{};
    for (ssize_t count = 0; (count = ::read(ends[0], some.data(), some.size())) > 0;)
        words.append(some.data(), static_cast<std::size_t>(count));
    ::close(ends[0]);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT ? words : "";
}

/// Adds 2 to the gradient of `w` by a rewind, 300 times, while `f` runs in another thread.
void rewind_beside(const Tensor& w, const std::function<void()>& f) {
    std::atomic<bool> done = false;
    std::thread other([&] {
        while (!done) f();
    });
    constexpr int kRewinds = 300;
    for (int i = 0; i < kRewinds; ++i) {
        const Tape tape;
        (w * 2).sum().backward();
    }
    done = true;
    other.join();
}

}  // namespace

TEST_CASE("a tape that ends where its thread cannot know it aborts by name") {
    const Tensor x = ones({3}).set_requires_grad();
    CHECK(contains(last_words([] {
                       auto tape = std::make_unique<Tape>();
                       std::thread([&] { tape.reset(); }).join();
                   }),
                   "reel: a Tape ends on another thread"));
    CHECK(contains(last_words([] {
                       auto guard = std::make_unique<NoGradGuard>();
                       std::thread([&] { guard.reset(); }).join();
                   }),
                   "reel: a NoGradGuard ends on another thread"));
    CHECK(contains(last_words([&] {
                       auto tape = std::make_unique<Tape>();
                       const Tensor y = x * 2;
                       y.register_hook([&](const Tensor&) { tape.reset(); });
                       y.sum().backward();
                   }),
                   "reel: a Tape ends in a hook"));
    CHECK(contains(last_words([&] {  // a leaf's hooks run when all nodes are done
                       auto tape = std::make_unique<Tape>();
                       x.register_hook([&](const Tensor&) { tape.reset(); });
                       (x * 2).sum().backward();
                   }),
                   "reel: a Tape ends in a hook"));
    CHECK(contains(last_words([&] {
                       auto tape = std::make_unique<Tape>();
                       const auto f = [&](const Tensor& v) {
                           tape.reset();
                           return v.exp();
                       };
                       static_cast<void>(jacobian(f, x));
                   }),
                   "reel: a Tape ends in a function that is differentiated"));
    CHECK(last_words([] {
              std::thread([] { const Tape tape; }).join();
              auto tape = std::make_unique<Tape>();
              const Tape inner;
              tape.reset();
          }) == "");
}

TEST_CASE("a rewind of another thread's tape is refused") {
    const Tensor x = ones({3}).set_requires_grad();
    const Tape tape;
    const Tensor y = (x * 2).sum();
    std::thread([&] {
        const auto rewind = [&] { y.backward(); };
        CHECK(contains(message_of<AutogradError>(rewind), "another thread"));
        const Tape mine;
        CHECK(contains(message_of<AutogradError>(rewind), "another thread"));
    }).join();
    y.backward();
    CHECK(x.grad().to_vector<float>() == std::vector<float>(3, 2));
}

TEST_CASE("a shared leaf: hooks come and go while another thread rewinds") {
    const Tensor w = ones({8}).set_requires_grad();
    std::atomic<int> calls = 0;
    rewind_beside(w, [&] {
        const std::int64_t first = w.register_hook([&](const Tensor&) { ++calls; });
        const std::int64_t second = w.register_hook([](const Tensor& g) { return g * 1; });
        w.remove_hook(first);
        w.remove_hook(second);
    });
    CHECK(w.grad().to_vector<float>() == std::vector<float>(8, 600));
}

TEST_CASE("a shared leaf: its gradient is read while another thread accumulates") {
    const Tensor w = ones({8}).set_requires_grad();
    rewind_beside(w, [&] {
        const Tensor seen = w.grad();
        if (!seen.defined()) return;
        const std::vector<float> all = seen.to_vector<float>();
        CHECK(all == std::vector<float>(8, all[0]));  // that of one moment
    });
    CHECK(w.grad().to_vector<float>() == std::vector<float>(8, 600));
}

TEST_CASE("a shared leaf: its gradient is set while another thread accumulates") {
    const Tensor w = ones({8}).set_requires_grad();
    rewind_beside(w, [&] {
        w.set_grad(zeros({8}));
        w.zero_grad();
    });
    w.zero_grad();
    const Tape tape;
    (w * 2).sum().backward();
    CHECK(w.grad().to_vector<float>() == std::vector<float>(8, 2));
}

TEST_CASE("a hook whose end asks for the gradient does not wait for itself") {
    const Tensor w = ones({2}).set_requires_grad();
    bool gone = false;
    std::shared_ptr<void> end(nullptr, [&](void*) {
        static_cast<void>(w.grad());
        gone = true;
    });
    const std::int64_t number = w.register_hook([end = std::move(end)](const Tensor&) {});
    w.remove_hook(number);
    CHECK(gone);
}
