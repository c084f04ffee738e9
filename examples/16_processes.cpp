// Training on several processes. Each has a copy of the network and a part of the data; after every step the gradients
// are averaged, so that all of them take the step that one process would have taken with all of the data:
//
//     mpirun -n 4 16_processes
//
// prints the losses of `mpirun -n 1` up to rounding, and all processes hold the same bits. A process that is killed ends
// the run. Read `train`, then `interop/mpi.hpp`. Next: 17_pages.cpp, the pages of a few tapes.
#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <reel/mpi.hpp>

#include "spiral.hpp"

using namespace reel;
using examples::kArms;

namespace {

constexpr std::int64_t kHidden = 32;

Tensor network(const std::vector<Tensor>& p, const Tensor& x) {
    return linear(tanh(linear(x, p[0], p[1])), p[2], p[3]);  // (n, 2) → (n, hidden) → (n, arms)
}

void train(const MpiSession& mpi, std::int64_t steps) {
    const examples::Points points = examples::spiral(101);  // 303 of them do not divide evenly
    const Tensor x = mpi.shard(points.x);
    const Tensor y = mpi.shard(points.y);

    // Every process draws numbers of its own, and gets those of rank 0.
    manual_seed(static_cast<std::uint64_t>(mpi.rank()));
    const std::vector<Tensor> parameters = {randn({kHidden, 2}), zeros({kHidden}),
                                            randn({kArms, kHidden}) / std::sqrt(kHidden), zeros({kArms})};
    mpi.broadcast_(parameters);
    for (const Tensor& p : parameters) p.set_requires_grad(true);
    Adam optimizer(parameters, {.lr = 0.02});

    for (std::int64_t step = 0; step <= steps; ++step) {
        Tape tape;
        const Tensor loss = cross_entropy(network(parameters, x), y);
        loss.backward();
        mpi.average_gradients(parameters, y.numel());
        if (mpi.rank() == 0 && step % (steps / 4) == 0) {
            std::cout << "step " << step << "  loss on all points " << std::fixed << std::setprecision(5)
                      << cross_entropy(network(parameters, points.x), points.y).item<float>() << std::endl;
        }
        optimizer.step();
        optimizer.zero_grad();
    }

    // Whether all hold the same bits: rank 0's, and what this process has, differ nowhere.
    std::int64_t different = 0;
    for (const Tensor& p : parameters) {
        const Tensor roots = p.detach().clone();
        mpi.broadcast_({roots});
        different += (roots != p.detach()).sum().item<std::int64_t>();
    }
    std::int64_t in_all = 0;
    MPI_Reduce(&different, &in_all, 1, MPI_INT64_T, MPI_SUM, 0, MPI_COMM_WORLD);
    if (mpi.rank() == 0) std::cout << mpi.size() << " processes, parameters that differ: " << in_all << "\n";
}

}  // namespace

int main(int argc, char** argv) {
    MpiSession mpi(argc, argv);
    CLI::App app("Trains a small network on as many processes as mpirun starts.");
    std::uint64_t seed = 0;
    std::int64_t steps = 200;
    int failing = -1;
    app.add_option("--seed", seed, "the same seed gives the same points")->capture_default_str();
    app.add_option("--steps", steps, "of training")->check(CLI::Range(4, 100000))->capture_default_str();
    app.add_option("--kill", failing,
                   "the rank of a process that ends at once, to see what becomes of the others");
    CLI11_PARSE(app, argc, argv);
    if (mpi.rank() == failing) std::abort();
    manual_seed(seed);
    set_num_threads(1);  // the processes are the threads
    train(mpi, steps);
}
