// Runs the workloads of one library under Google Benchmark. `compare.py` runs this program and its libtorch
// twin in turn. REEL_BENCH_THREADS sets the threads (default 1); `--costs` prints what each workload costs at
// least, as JSON.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

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

}  // namespace

int main(int argc, char** argv) {
    const std::vector<Workload> workloads = all_workloads();
    if (argc > 1 && std::strcmp(argv[1], "--costs") == 0) {
        print_costs(workloads);
        return 0;
    }
    const char* threads = std::getenv("REEL_BENCH_THREADS");
    dialect::set_num_threads(threads ? std::atoi(threads) : 1);
    for (const Workload& workload : workloads) {
        benchmark::RegisterBenchmark(workload.name.c_str(), [&workload](benchmark::State& state) {
            const std::function<void()> run = workload.prepare();
            run();  // the first run touches fresh memory
            for (auto _ : state) run();
        })->UseRealTime();
    }
    benchmark::Initialize(&argc, argv);
    benchmark::AddCustomContext("library", library());
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
