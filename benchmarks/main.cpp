// Times the workloads of one library. `compare.py` runs this program and its libtorch twin in turn.
//   bench_reel [REGEX [SECONDS]]    nanoseconds of the workloads whose names match, as JSON
//   bench_reel --costs              what each workload costs at least, as JSON
// REEL_BENCH_THREADS sets the threads (default 1).
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <regex>

#include "dialect.hpp"
#include "workload.hpp"

#if !defined(REEL_BENCH_LIBTORCH)
#include "ops/kernels/table.hpp"
#endif

namespace {

/// What is measured.
std::string library() {
#if defined(REEL_BENCH_LIBTORCH)
    return "libtorch " TORCH_VERSION;
#else
    return std::string("reel (") + reel::kernels::kernels().instruction_set + ")";
#endif
}

std::vector<Workload> all_workloads() {
    std::vector<Workload> all;
    for (const auto& family :
         {pointwise_workloads(), reduction_workloads(), softmax_workloads(), layout_workloads(),
          linalg_workloads(), layer_workloads(), overhead_workloads(), train_workloads()}) {
        all.insert(all.end(), family.begin(), family.end());
    }
    return all;
}

void print_costs(const std::vector<Workload>& workloads) {
    std::printf("{");
    const char* comma = "";
    for (const Workload& w : workloads) {
        std::printf("%s\n\"%s\": {\"family\": \"%s\", \"bytes\": %.0f, \"flops\": %.0f, \"exps\": %.0f}",
                    comma, w.name.c_str(), w.family.c_str(), w.cost.bytes, w.cost.flops, w.cost.exps);
        comma = ",";
    }
    std::printf("\n}\n");
}

/// Nanoseconds of one run: of the fastest of some twenty batches, which take so many seconds together.
double nanoseconds(const std::function<void()>& run, double seconds) {
    using Clock = std::chrono::steady_clock;
    run();  // the first run touches fresh memory
    double best = std::numeric_limits<double>::infinity();
    double spent = 0;
    for (int64_t batch = 1; spent < seconds;) {
        const Clock::time_point start = Clock::now();
        for (int64_t i = 0; i < batch; ++i) run();
        const double taken = std::chrono::duration<double>(Clock::now() - start).count();
        best = std::min(best, taken / static_cast<double>(batch));
        spent += taken;
        if (taken < seconds / 40) batch *= 2;
    }
    return best * 1e9;
}

void print_times(const std::vector<Workload>& workloads, const std::regex& wanted, double seconds) {
    std::printf("{\"library\": \"%s\", \"times\": {", library().c_str());
    const char* comma = "";
    for (const Workload& w : workloads) {
        if (!std::regex_search(w.name, wanted)) continue;
        std::printf("%s\n\"%s\": %.2f", comma, w.name.c_str(), nanoseconds(w.prepare(), seconds));
        std::fflush(stdout);
        comma = ",";
    }
    std::printf("\n}}\n");
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<Workload> workloads = all_workloads();
    if (argc > 1 && std::strcmp(argv[1], "--costs") == 0) {
        print_costs(workloads);
        return 0;
    }
    const char* threads = std::getenv("REEL_BENCH_THREADS");
    dialect::set_num_threads(threads ? std::atoi(threads) : 1);
    print_times(workloads, std::regex(argc > 1 ? argv[1] : "."), argc > 2 ? std::atof(argv[2]) : 0.03);
    return 0;
}
