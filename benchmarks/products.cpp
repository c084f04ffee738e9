// Times single products for `products.py`: reads one a line, as
//   transposed (0 or 1) and sizes of a, a comma, the same of b
// and answers with nanoseconds of reel's `matmul` and of OpenBLAS, called bare for each matrix (0: not found).
//   bench_products accuracy
// prints how far products with long sums are from the exact ones instead.
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "reel.hpp"
#include "tests/docs/long_products.hpp"

#if defined(REEL_BENCH_CBLAS)
#include <cblas.h>
#endif

namespace {

using namespace reel;

/// The best of several rounds of at least 4 ms each.
template <class F>
double nanoseconds(const F& f) {
    using Clock = std::chrono::steady_clock;
    const auto time = [&](std::int64_t count) {
        const auto begin = Clock::now();
        for (std::int64_t i = 0; i < count; ++i) f();
        return std::chrono::duration<double, std::nano>(Clock::now() - begin).count() /
               static_cast<double>(count);
    };
    f();
    const auto count = static_cast<std::int64_t>(4e6 / time(1)) + 1;
    double best = time(count);
    for (int round = 0; round < 4; ++round) best = std::min(best, time(count));
    return best;
}

struct Operand {
    Tensor tensor;
    bool transposed;
};

Operand read(const std::string& text) {
    std::istringstream in(text);
    bool transposed = false;
    in >> transposed;
    std::vector<std::int64_t> sizes;
    for (std::int64_t size = 0; in >> size;) sizes.push_back(size);
    const Tensor x = randn(sizes);
    return {transposed ? x.transpose(-2, -1) : x, transposed};
}

/// All matrices of a batch, one call after the other.
double blas_nanoseconds([[maybe_unused]] const Operand& a, [[maybe_unused]] const Operand& b) {
#if defined(REEL_BENCH_CBLAS)
    openblas_set_num_threads(num_threads());
    const Tensor y = matmul(a.tensor, b.tensor);
    const auto m = static_cast<blasint>(y.size(-2));
    const auto n = static_cast<blasint>(y.size(-1));
    const auto k = static_cast<blasint>(a.tensor.size(-1));
    const std::int64_t count = y.numel() / std::max<std::int64_t>(m * n, 1);
    const std::int64_t a_step = a.tensor.numel() == count * m * k ? m * k : 0;
    const std::int64_t b_step = b.tensor.numel() == count * n * k ? n * k : 0;
    const auto ta = a.transposed ? CblasTrans : CblasNoTrans;
    const auto tb = b.transposed ? CblasTrans : CblasNoTrans;
    const blasint lda = a.transposed ? m : k;
    const blasint ldb = b.transposed ? k : n;
    return nanoseconds([&] {
        for (std::int64_t i = 0; i < count; ++i) {
            const auto* x = a.tensor.data_ptr<float>() + i * a_step;
            const auto* w = b.tensor.data_ptr<float>() + i * b_step;
            auto* to = y.data_ptr<float>() + i * m * n;
            if (n == 1) {
                cblas_sgemv(CblasRowMajor, ta, a.transposed ? k : m, a.transposed ? m : k, 1, x, lda, w, 1, 0,
                            to, 1);
            } else {
                cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, 1, x, lda, w, ldb, 0, to, n);
            }
        }
    });
#else
    return 0;
#endif
}

/// The columns of the table of errors.
std::vector<std::pair<std::string, docs::LongProduct>> long_products() {
    std::vector<std::pair<std::string, docs::LongProduct>> products = {{"reel", docs::multiplied},
                                                                       {"running sum", docs::running_sums}};
#if defined(REEL_BENCH_CBLAS)
    products.emplace_back("OpenBLAS", [](const std::vector<float>& a, const std::vector<float>& b) {
        constexpr blasint kSide = docs::kSide;
        std::vector<float> c(static_cast<std::size_t>(kSide * kSide));
        const auto k = static_cast<blasint>(b.size()) / kSide;
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, kSide, kSide, k, 1, a.data(), k, b.data(),
                    kSide, 0, c.data(), kSide);
        return c;
    });
#endif
    return products;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc > 1 && std::string(argv[1]) == "accuracy") {
        std::cout << docs::long_products(long_products());
        return 0;
    }
    set_num_threads(argc > 1 ? std::atoi(argv[1]) : 1);
    for (std::string line; std::getline(std::cin, line);) {
        const std::size_t comma = line.find(',');
        const Operand a = read(line.substr(0, comma));
        const Operand b = read(line.substr(comma + 1));
        const double ours = nanoseconds([&] { matmul(a.tensor, b.tensor); });
        std::cout << ours << " " << blas_nanoseconds(a, b) << std::endl;
    }
}
