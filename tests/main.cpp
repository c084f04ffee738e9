#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>

#include "tests/program.hpp"

// Memory that there is not is refused by a sanitizer's allocator too, instead of ending the program.
extern "C" const char* __asan_default_options() { return "allocator_may_return_null=1"; }
extern "C" const char* __tsan_default_options() { return "allocator_may_return_null=1"; }
// LLVM's OpenMP never frees what it knows of its threads.
extern "C" const char* __lsan_default_suppressions() { return "leak:libomp.so"; }

const char* test_program = nullptr;

namespace {

bool nothing_selected = false;

/// Notes whether the filters left any test to run.
struct Selection : doctest::IReporter {
    explicit Selection(const doctest::ContextOptions&) {}
    void report_query(const doctest::QueryData&) override {}
    void test_run_start() override {}
    void test_run_end(const doctest::TestRunStats& stats) override {
        nothing_selected = stats.numTestCasesPassingFilters == 0;
    }
    void test_case_start(const doctest::TestCaseData&) override {}
    void test_case_reenter(const doctest::TestCaseData&) override {}
    void test_case_end(const doctest::CurrentTestCaseStats&) override {}
    void test_case_exception(const doctest::TestCaseException&) override {}
    void subcase_start(const doctest::SubcaseSignature&) override {}
    void subcase_end() override {}
    void log_assert(const doctest::AssertData&) override {}
    void log_message(const doctest::MessageData&) override {}
    void test_case_skipped(const doctest::TestCaseData&) override {}
};
DOCTEST_REGISTER_LISTENER("selection", 1, Selection);

}  // namespace

int main(int argc, char** argv) {
    test_program = argv[0];
    const int failures = doctest::Context(argc, argv).run();
    if (nothing_selected)
        std::fputs("the filters select no test (a comma in a name is written \\,)\n", stderr);
    return nothing_selected ? 1 : failures;
}
