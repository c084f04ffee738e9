/// \file
/// Training on several processes by MPI, `#include <reel/mpi.hpp>`: each has a copy of the parameters and a part of the
/// data, and the gradients are averaged. Needs an MPI (Open MPI, MPICH) and its `mpicxx`. Not part of `reel.hpp`.
///
///     reel::MpiSession mpi(argc, argv);
///     mpi.broadcast_(parameters);                           // all begin with the numbers of rank 0
///     const Tensor rows = mpi.shard(x);                     // this process's part of the batch
///     … loss.backward();
///     mpi.average_gradients(parameters, rows.size(0));      // the gradient of the whole batch's mean
///     optimizer.step();
///
/// After that every process holds the same bits, and the losses of one process are those of several up to rounding. Each
/// call must be made by all processes, in the same order.
#pragma once

#include <mpi.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <vector>

#include "../autograd/tape.hpp"
#include "../tensor/factory.hpp"

namespace reel {

/// MPI from its start to its end. An exception that leaves its scope ends all processes: the others would wait for this
/// one forever. So does a process that is killed (`mpirun` sees to that).
class MpiSession {
public:
    MpiSession(int& argc, char**& argv) {
        MPI_Init(&argc, &argv);
        MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
        MPI_Comm_size(MPI_COMM_WORLD, &size_);
    }
    MpiSession(const MpiSession&) = delete;
    MpiSession& operator=(const MpiSession&) = delete;
    ~MpiSession() {
        if (std::uncaught_exceptions() > exceptions_) MPI_Abort(MPI_COMM_WORLD, 1);
        MPI_Finalize();
    }

    int rank() const { return rank_; }
    int size() const { return size_; }

    /// Gives every process the elements of `root`'s tensors. Shapes and dtypes must agree.
    void broadcast_(const std::vector<Tensor>& tensors, int root = 0) const {
        if (root < 0 || root >= size_)
            fail<Error>("broadcast_: the root is ", root, " of ", size_, " processes");
        check_agreement("broadcast_", tensors);
        const NoGradGuard no_grad;
        for (const Tensor& tensor : tensors) {
            const Tensor dense = tensor.detach().contiguous();
            broadcast_bytes(dense, root);
            if (rank_ != root) tensor.detach().copy_(dense);
        }
    }

    /// Replaces each parameter's gradient by the mean over all processes, each weighted by its `rows`: where every process
    /// has the gradient of the mean over its rows, all get that of the mean over all rows. A gradient that is missing
    /// counts as zero, and stays missing where no process has one. All gradients travel in one buffer and are
    /// added up once, for all, so that every process gets the same bits.
    void average_gradients(const std::vector<Tensor>& parameters, std::int64_t rows = 1) const {
        if (rows < 0) fail<Error>("average_gradients: ", rows, " rows");
        check_agreement("average_gradients", parameters);
        const NoGradGuard no_grad;
        std::int64_t count = 0;
        DType dtype = kFloat32;
        for (const Tensor& p : parameters) {
            count += p.numel();
            if (p.dtype() == kFloat64) dtype = kFloat64;
        }
        // Beside the gradients: how many rows there are, and for each parameter how many processes have a gradient.
        const auto parts = static_cast<std::int64_t>(parameters.size());
        Tensor buffer = zeros({count + parts + 1}, dtype);
        std::int64_t at = 0;
        for (std::int64_t i = 0; i < parts; ++i) {
            const Tensor& p = parameters[static_cast<std::size_t>(i)];
            if (rows > 0 && p.grad().defined()) {
                buffer.narrow(0, at, p.numel()).copy_(p.grad().detach().flatten());
                buffer.select(0, count + i).fill_(1);
            }
            at += p.numel();
        }
        buffer.narrow(0, 0, count).mul_(rows);
        buffer.select(0, count + parts).fill_(rows);
        const Tensor sum = zeros_like(buffer);
        // Not MPI_Allreduce, which may add in another order on another rank.
        in_pieces(buffer, [&](std::int64_t offset, int length) {
            MPI_Reduce(buffer.raw() + offset, sum.raw() + offset, length,
                       dtype == kFloat64 ? MPI_DOUBLE : MPI_FLOAT, MPI_SUM, 0, MPI_COMM_WORLD);
        });
        broadcast_bytes(sum, 0);
        const double total = sum[count + parts].item<double>();
        if (total == 0) fail<Error>("average_gradients: no process has rows");
        at = 0;
        for (std::int64_t i = 0; i < parts; ++i) {
            const Tensor& p = parameters[static_cast<std::size_t>(i)];
            const Tensor mean = sum.narrow(0, at, p.numel()).view(p.sizes()).div(total);
            at += p.numel();
            if (sum[count + i].item<double>() == 0) continue;
            if (p.grad().defined()) {
                p.grad().detach().copy_(mean);
            } else {
                p.set_grad(mean.to(p.dtype()));
            }
        }
    }

    /// This process's part of `x` along `dim`, a view: parts follow each other by rank, and differ by one row at most.
    Tensor shard(const Tensor& x, std::int64_t dim = 0) const {
        const std::int64_t length = x.size(dim);
        const std::int64_t begin = length * rank_ / size_;
        return x.narrow(dim, begin, length * (rank_ + 1) / size_ - begin);
    }

private:
    /// Calls f(offset in bytes, number of elements) for pieces that MPI can count in an int.
    template <class F>
    static void in_pieces(const Tensor& dense, const F& f) {
        constexpr std::int64_t kMost = 1 << 26;
        for (std::int64_t i = 0; i < dense.numel(); i += kMost)
            f(i * dense.itemsize(), static_cast<int>(std::min(kMost, dense.numel() - i)));
    }

    static void broadcast_bytes(const Tensor& dense, int root) {
        in_pieces(dense, [&](std::int64_t offset, int length) {
            MPI_Bcast(dense.raw() + offset, length * static_cast<int>(dense.itemsize()), MPI_BYTE, root,
                      MPI_COMM_WORLD);
        });
    }

    /// Throws on every process unless all have tensors of the same number, shapes and dtypes.
    void check_agreement(const char* name, const std::vector<Tensor>& tensors) const {
        std::int64_t digest = static_cast<std::int64_t>(tensors.size());
        const auto mix = [&](std::int64_t value) {  // FNV-1a's step
            digest = static_cast<std::int64_t>(
                (static_cast<std::uint64_t>(digest) ^ static_cast<std::uint64_t>(value)) * 1099511628211U);
        };
        for (const Tensor& tensor : tensors) {
            mix(static_cast<std::int64_t>(tensor.dtype()));
            mix(tensor.dim());
            for (const std::int64_t size : tensor.sizes()) mix(size);
        }
        std::int64_t least = 0;
        std::int64_t most = 0;
        MPI_Allreduce(&digest, &least, 1, MPI_INT64_T, MPI_MIN, MPI_COMM_WORLD);
        MPI_Allreduce(&digest, &most, 1, MPI_INT64_T, MPI_MAX, MPI_COMM_WORLD);
        if (least != most)
            fail<Error>(name, ": the processes have tensors of different numbers, shapes or dtypes");
    }

    int rank_ = 0;
    int size_ = 1;
    int exceptions_ = std::uncaught_exceptions();
};

}  // namespace reel
