/// \file
/// A workload: a name, what it costs at least, and how to make something that runs it once.
#pragma once

#include <functional>
#include <string>
#include <vector>

/// What the work takes on a machine without overhead: memory traffic, products, exponentials.
struct Cost {
    double bytes = 0;  ///< read and written, each once
    double flops = 0;  ///< of matrix products
    double exps = 0;   ///< exponentials (and functions that cost as much)
};

struct Workload {
    std::string name;
    std::string family;
    Cost cost;
    /// Makes the data; the result runs the work once.
    std::function<std::function<void()>()> prepare;
};

std::vector<Workload> pointwise_workloads();
std::vector<Workload> reduction_workloads();
std::vector<Workload> softmax_workloads();
std::vector<Workload> layout_workloads();
std::vector<Workload> linalg_workloads();
std::vector<Workload> layer_workloads();
std::vector<Workload> overhead_workloads();
std::vector<Workload> train_workloads();
