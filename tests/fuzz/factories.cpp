// Factories, and operations whose shape is in their arguments: any numbers give the shape that they say, or
// are refused.
#include <algorithm>
#include <bit>
#include <cmath>

#include "tests/fuzz/fuzz.hpp"

namespace reel::fuzz {

namespace {

constexpr Wide kMost = 1 << 16;  // elements; more are not made here

/// Whether so many elements are made quickly, or are no number of elements at all.
bool is_small(const std::vector<Wide>& sizes) {
    const std::optional<Wide> count = elements_of(sizes);
    return !count || *count <= kMost;
}

std::vector<Wide> wide(const Shape& sizes) { return {sizes.begin(), sizes.end()}; }

double floating(Bytes& bytes) {
    if (bytes.flag()) return static_cast<double>(bytes.between(-100, 100)) / 8;
    std::uint64_t bits = 0;
    for (int i = 0; i < 8; ++i) bits = bits << 8 | bytes.byte();
    return std::bit_cast<double>(bits);
}

void integer_range(Bytes& bytes) {
    const std::int64_t start = bytes.number();
    const std::int64_t end = bytes.number();
    const std::int64_t step = bytes.number();
    const Wide distance = Wide{end} - start;
    const Wide pace = step;
    const Wide count = pace == 0 ? 0 : (distance + pace - (pace > 0 ? 1 : -1)) / pace;
    if (count > kMost) return;
    Tensor y;
    if (!answers([&] { y = arange(start, end, step); })) {
        expect(pace == 0 || distance == 0 || (distance > 0) != (pace > 0), "arange: refuses ", start, ", ",
               end, ", ", step);
        return;
    }
    expect_sizes("arange", y, {count});
    for (std::int64_t i = 0; i < y.numel(); ++i)
        expect(y.data_ptr<std::int64_t>()[i] == start + Wide{i} * step, "arange: element ", i, " is wrong");
}

void floating_range(Bytes& bytes) {
    const double start = floating(bytes);
    const double end = floating(bytes);
    const double step = floating(bytes);
    const DType dtype = bytes.dtype();
    const double count = std::ceil((end - start) / step);
    if (!(std::abs(count) <= static_cast<double>(kMost))) return;
    Tensor y;
    if (answers([&] { y = arange(start, end, step, dtype); }) && is_floating_point(dtype))
        expect_sizes("arange", y, {static_cast<Wide>(count)});
}

void repetition(Bytes& bytes) {
    const Tensor x = counted(bytes.small_shape(3));
    const std::int64_t times = bytes.number();
    const std::int64_t dim = bytes.between(-3, 2);
    if (!is_small({x.numel(), times})) return;
    Tensor y;
    if (!answers([&] { y = x.repeat_interleave(times, dim); })) return;
    std::vector<Wide> sizes = wide(x.sizes());
    if (sizes.empty()) sizes.push_back(1);
    sizes[static_cast<std::size_t>(dim < 0 ? dim + static_cast<std::int64_t>(sizes.size()) : dim)] *= times;
    expect_sizes("repeat_interleave", y, sizes);
}

void padding(Bytes& bytes) {
    const Tensor x = counted(bytes.small_shape(4));
    const Shape amounts = bytes.numbers(6);
    constexpr const char* kModes[] = {"constant", "reflect", "replicate", "circular"};
    const char* const mode = kModes[bytes.byte() % 4];
    std::vector<Wide> sizes = wide(x.sizes());
    for (std::size_t i = 0; i < amounts.size(); ++i) {
        if (i / 2 < sizes.size()) sizes[sizes.size() - 1 - i / 2] += amounts[i];
    }
    if (!is_small(sizes)) return;
    Tensor y;
    if (answers([&] { y = pad(x, amounts, mode); })) expect_sizes("pad", y, sizes);
}

}  // namespace

void factories(Bytes bytes) {
    Tensor y;
    const DType dtype = bytes.dtype();
    switch (bytes.between(0, 11)) {
        case 0:
            return integer_range(bytes);
        case 1:
            return floating_range(bytes);
        case 2:
            return repetition(bytes);
        case 3:
            return padding(bytes);
        case 4: {
            const std::int64_t steps = bytes.number();
            if (steps > kMost) return;
            const double start = floating(bytes);
            const double end = floating(bytes);
            if (answers([&] { y = linspace(start, end, steps, dtype); }))
                expect_sizes("linspace", y, {steps});
            break;
        }
        case 5: {
            const std::int64_t n = bytes.number();
            const std::int64_t m = bytes.number();
            if (is_small({n, m}) && answers([&] { y = eye(n, m, dtype); })) expect_sizes("eye", y, {n, m});
            break;
        }
        case 6: {
            const Shape sizes = bytes.numbers(5);
            if (is_small(wide(sizes)) && answers([&] { y = full(sizes, floating(bytes), dtype); }))
                expect_sizes("full", y, wide(sizes));
            break;
        }
        case 7: {
            const Tensor x = counted(bytes.small_shape(3));
            const std::int64_t diagonal = bytes.number();
            if (!answers([&] { y = x.tril(diagonal) + x.triu(diagonal); })) break;
            for (std::int64_t i = 0; i < x.numel(); ++i) {
                const Wide column = i % x.size(-1);
                const Wide row = i / x.size(-1) % x.size(-2);
                const float times = column - row == diagonal ? 2 : 1;
                expect(y.data_ptr<float>()[i] == times * x.data_ptr<float>()[i], "tril and triu: element ",
                       i);
            }
            break;
        }
        case 8: {
            const Tensor x = counted(bytes.small_shape(3));
            const std::int64_t shift = bytes.number();
            if (answers([&] { y = x.roll(shift, bytes.between(-3, 2)); }))
                expect_sizes("roll", y, wide(x.sizes()));
            break;
        }
        case 9: {
            const std::int64_t classes = bytes.number();
            if (is_small({classes, 3}) && answers([&] { y = one_hot(tensor({1, 0, 2}), classes); }))
                expect_sizes("one_hot", y, {3, classes == -1 ? 3 : classes});
            break;
        }
        case 10: {
            const Shape sizes = bytes.numbers(4);
            static std::int64_t element = 0;
            if (answers([&] { y = from_blob(&element, sizes, bytes.numbers(4), kInt64); }))
                expect_sizes("from_blob", y, wide(sizes));
            return;  // the memory is not there: nobody may look
        }
        default: {
            const std::int64_t low = bytes.number();
            const std::int64_t high = bytes.number();
            if (!answers([&] { y = randint(low, high, {5}); })) break;
            for (const std::int64_t value : y.to_vector<std::int64_t>())
                expect(value >= low && value < high, "randint: ", value, " is not of [", low, ", ", high,
                       ")");
        }
    }
    if (y.defined()) touch(y);
}

}  // namespace reel::fuzz
