// Threads: how many, and what becomes of them in a process that was forked.
#include "tensor/threads.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <limits>

#include "reel.hpp"

using namespace reel;

TEST_CASE("threads: a number that no system has is refused") {
    const int before = num_threads();
    for (const int count : {0, -1, 1025, 100'000, std::numeric_limits<int>::max()}) {
        CHECK_THROWS_WITH_AS(set_num_threads(count), doctest::Contains("set_num_threads"), Error);
        CHECK(num_threads() == before);
    }
}

TEST_CASE("threads: a forked process computes, alone") {
    const int before = num_threads();
    set_num_threads(2);
    const Tensor x = arange(1'000'000, kFloat32);
    const double expected = x.sqrt().sum().item<double>();  // in parallel, so that there are threads to miss
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        ::alarm(60);  // where it would wait forever
        const auto same = [&] { return x.sqrt().sum().item<double>() == expected; };
        const bool first = same();
        try {
            set_num_threads(2);  // refused by name, or it works
        } catch (const Error&) {
        }
        ::_exit(first && same() ? 0 : 1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
    CHECK(num_threads() == 2);
    set_num_threads(before);
}
