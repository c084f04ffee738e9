// The bits of products: each element is what Note [Products and bits] says, term by term, whatever the shape,
// the layout, the number of threads and the rows beside it.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <string>

#include "ops/kernels/table.hpp"
#include "tests/property/property.hpp"

using namespace reel;
using namespace reel::property;

namespace {

using std::int64_t;

/// a b + c with as many roundings as the instruction set has.
template <class T>
T multiply_add(T a, T b, T c) {
    static const bool fused = std::strcmp(kernels::kernels().instruction_set, "sse2") != 0;
    if (fused) return std::fma(a, b, c);
    const volatile T product = a * b;
    return product + c;
}

/// Σ a[l] b[l] as in a product of several columns: equal blocks of at most 2 KB of terms.
template <class T>
T sum_of_blocks(const std::vector<T>& a, const std::vector<T>& b) {
    constexpr std::size_t kMost = 2048 / sizeof(T);
    const std::size_t blocks = (a.size() + kMost - 1) / kMost;
    T sum = 0;
    for (std::size_t l = 0; l < a.size();) {
        T of_block = 0;
        const std::size_t end = std::min(a.size(), l + (a.size() + blocks - 1) / blocks);
        const bool first = l == 0;
        for (; l < end; ++l) of_block = multiply_add(a[l], b[l], of_block);
        sum = first ? of_block : sum + of_block;
    }
    return sum;
}

/// The same in a product with one column: 128 bytes of lanes, blocks of 4 KB, added by halves.
template <class T>
T sum_of_lanes(const std::vector<T>& a, const std::vector<T>& b, std::size_t begin, std::size_t end) {
    constexpr std::size_t kBlock = 4096 / sizeof(T);
    constexpr std::size_t kLanes = 128 / sizeof(T);
    if (end - begin > kBlock) {
        const std::size_t middle = begin + ((end - begin) / 2 + kBlock - 1) / kBlock * kBlock;
        return sum_of_lanes(a, b, begin, middle) + sum_of_lanes(a, b, middle, end);
    }
    T lanes[kLanes] = {};
    for (std::size_t l = begin; l < end; ++l) {
        T& lane = lanes[(l - begin) % kLanes];
        lane = multiply_add(a[l], b[l], lane);
    }
    for (std::size_t half = kLanes / 2; half > 0; half /= 2) {
        for (std::size_t i = 0; i < half; ++i) lanes[i] += lanes[i + half];
    }
    return lanes[0];
}

/// One element against its definition, and against the exact sum: |error| ≤ (q + k / q + 1) u Σ |a b|.
template <class T>
void demand_element(const Tensor& y, const Tensor& a, const Tensor& b, int64_t i, int64_t j) {
    const std::vector<T> row = a[i].to_vector<T>();
    const std::vector<T> column = b.select(1, j).to_vector<T>();
    const T value = y[i][j].item<T>();
    const T defined = b.size(1) == 1 ? sum_of_lanes(row, column, 0, row.size()) : sum_of_blocks(row, column);
    demand(value == defined, "element ", i, ", ", j, " of ", a.sizes(), " ", b.sizes(), " is ", value,
           ", not ", defined);
    long double exact = 0;
    long double size = 0;
    for (std::size_t l = 0; l < row.size(); ++l) {
        exact += static_cast<long double>(row[l]) * column[l];
        size += std::abs(static_cast<long double>(row[l]) * column[l]);
    }
    constexpr double kBlock = 2048 / sizeof(T);
    const double k = static_cast<double>(row.size());
    const double bound = (std::min(k, kBlock) + k / kBlock + 1) * std::numeric_limits<T>::epsilon() / 2;
    demand(std::abs(value - exact) <= bound * size, "element ", i, ", ", j, " of ", a.sizes(), " ", b.sizes(),
           " is ", value, ", not ", static_cast<double>(exact));
}

bool same_bits(const Tensor& x, const Tensor& y) {
    const Tensor a = x.contiguous();
    const Tensor b = y.contiguous();
    return a.sizes() == b.sizes() &&
           std::memcmp(a.raw(), b.raw(), static_cast<std::size_t>(a.numel() * a.itemsize())) == 0;
}

int64_t draw_size(Draw& draw) {
    if (draw.chance(0.3)) return draw.whole(0, 3);
    return draw.chance(0.7) ? draw.whole(1, 80) : draw.whole(80, 600);
}

struct Threads {
    int before = num_threads();
    ~Threads() { set_num_threads(before); }
};

#if defined(REEL_BLAS)
constexpr bool kForeign = true;  // a BLAS keeps no such promise
#else
constexpr bool kForeign = false;
#endif

}  // namespace

TEST_CASE("products: the bits of an element depend on its row and column and their length alone" *
          doctest::skip(kForeign)) {
    constexpr int kCases = 80;
    const Threads threads;
    for_all("matmul", kCases, [&](Draw& draw) {
        const DType type = draw.pick({kFloat32, kFloat32, kFloat64});
        const int64_t m = draw_size(draw);
        const int64_t k = draw.chance(0.1) ? draw.whole(600, 5000) : draw_size(draw);
        const int64_t n = k > 600 ? draw.whole(1, 20) : draw_size(draw);
        const Tensor a = draw.reals({m, k}, type, -4, 4);
        const Tensor b = draw.reals({k, n}, type, -4, 4);
        set_num_threads(1);
        const Tensor y = matmul(a, b);
        const std::string shapes = detail::concat(a.sizes(), " ", b.sizes());
        for (const int count : {1, 2, 3, 8}) {
            set_num_threads(count);
            demand(same_bits(matmul(a, b), y), shapes, ": other bits on ", count, " threads");
            demand(same_bits(matmul(dense(a), dense(b)), y), shapes, ": other bits of dense operands");
            demand(same_bits(matmul(dense(a.t()).t(), dense(b.t()).t()), y), shapes, ": or transposed");
        }
        demand(same_bits(matmul(a.unsqueeze(0).expand({3, m, k}), b)[2], y), shapes, ": in a batch");
        for (int64_t probes = m > 0 && n > 0 ? 8 : 0; probes > 0; --probes) {
            const int64_t i = draw.whole(0, m - 1);
            const int64_t rows = draw.whole(1, std::min<int64_t>(m - i, 20));
            demand(same_bits(matmul(a.narrow(0, i, rows), b), y.narrow(0, i, rows)), shapes, ": ", rows,
                   " rows alone");
            const int64_t j = draw.whole(0, n - 1);
            type == kFloat32 ? demand_element<float>(y, a, b, i, j) : demand_element<double>(y, a, b, i, j);
        }
    });
}

TEST_CASE("products: 16-bit operands are multiplied as float32, int64 ones modulo 2^64") {
    constexpr int kCases = 40;
    for_all("matmul", kCases, [&](Draw& draw) {
        const int64_t m = draw.whole(0, 40);
        const int64_t k = draw.whole(0, 600);
        const int64_t n = draw.whole(0, 40);
        const DType type = draw.pick({kFloat16, kBFloat16});
        const Tensor a = draw.reals({m, k}, type, -1, 1);
        const Tensor b = draw.reals({k, n}, type, -1, 1);
        demand(same_bits(matmul(a, b), matmul(a.to(kFloat32), b.to(kFloat32)).to(type)), a.sizes(), " ",
               b.sizes());
        const Tensor x = draw.wholes({m, k}, kInt64, -1000000, 1000000);
        const Tensor y = draw.wholes({k, n}, kInt64, -1000000, 1000000);
        demand(same_bits(matmul(x, y).to(kFloat64), matmul(x.to(kFloat64), y.to(kFloat64))), x.sizes(), " ",
               y.sizes());
    });
}
