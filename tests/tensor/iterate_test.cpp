// Walking strided memory, against one index at a time.
#include "tensor/iterate.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "reel.hpp"
#include "tensor/copy.hpp"
#include "tensor/transpose.hpp"

using namespace reel;

namespace {

struct Layout {
    Shape sizes;
    Shape strides;
    std::int64_t lowest = 0;  ///< place of the first element in memory, counted from element 0
    std::int64_t highest = 0;
};

Layout with_reach(Layout layout) {
    for (std::size_t d = 0; d < layout.sizes.size(); ++d) {
        const std::int64_t reach = std::max<std::int64_t>(layout.sizes[d] - 1, 0) * layout.strides[d];
        (reach < 0 ? layout.lowest : layout.highest) += reach;
    }
    return layout;
}

Layout random_layout(std::mt19937& random) {
    const auto below = [&](unsigned n) { return static_cast<std::int64_t>(random() % n); };
    Layout layout;
    std::int64_t step = 1 + below(2);
    const bool large = below(6) == 0;
    for (std::int64_t d = below(5); d > 0; --d) {
        const std::int64_t size = large ? 1 + below(40) : below(30) == 0 ? 0 : 1 + below(5);
        layout.sizes.insert(0, size);
        layout.strides.insert(0, below(8) == 0 ? 0 : below(5) == 0 ? -step : step);
        step *= std::max<std::int64_t>(size, 1) + below(2);
        if (step > 1000) break;
    }
    for (std::size_t d = layout.sizes.size(); d > 1; --d) {
        const auto other = static_cast<std::size_t>(below(static_cast<unsigned>(d)));
        std::swap(layout.sizes[d - 1], layout.sizes[other]);
        std::swap(layout.strides[d - 1], layout.strides[other]);
    }
    return with_reach(layout);
}

std::int64_t place(const Layout& layout, std::int64_t index) {
    std::int64_t result = 0;
    for (std::size_t d = layout.sizes.size(); d-- > 0; index /= layout.sizes[d]) {
        result += index % layout.sizes[d] * layout.strides[d];
    }
    return result;
}

template <class Unit>
void check_runs(const Layout& layout, std::mt19937& random) {
    const StridedRuns runs(layout.sizes, layout.strides);
    REQUIRE(runs.numel() == numel(layout.sizes));
    if (runs.numel() == 0) return;
    std::vector<Unit> memory(static_cast<std::size_t>(layout.highest - layout.lowest + 1));
    for (Unit& value : memory) value = static_cast<Unit>(random());
    const std::int64_t begin = random() % 3 == 0 ? 0 : static_cast<std::int64_t>(random()) % runs.numel();
    const std::int64_t left = runs.numel() - begin;
    const std::int64_t count = random() % 3 == 0 ? left : static_cast<std::int64_t>(random()) % (left + 1);
    auto* base = reinterpret_cast<std::byte*>(memory.data() - layout.lowest);
    std::vector<Unit> dense(static_cast<std::size_t>(count) + 1, Unit{77});
    runs.gather(sizeof(Unit), base, begin, count, reinterpret_cast<std::byte*>(dense.data()));
    int wrong = dense.back() != Unit{77};
    for (std::int64_t i = 0; i < count; ++i) {
        wrong += dense[static_cast<std::size_t>(i)] !=
                 memory[static_cast<std::size_t>(place(layout, begin + i) - layout.lowest)];
    }
    CHECK(wrong == 0);

    std::vector<std::int64_t> offsets(static_cast<std::size_t>(count) + 1, -77);
    runs.offsets(begin, count, offsets.data());
    wrong += offsets.back() != -77;
    for (std::int64_t i = 0; i < count; ++i)
        wrong += offsets[static_cast<std::size_t>(i)] != place(layout, begin + i);
    CHECK(wrong == 0);

    if (const std::int64_t planes = runs.planes()) {
        std::vector<Unit> whole(static_cast<std::size_t>(runs.numel()));
        for (const auto& [first, last] :
             {std::pair(planes / 2, planes), std::pair(std::int64_t{0}, planes / 2)})
            runs.gather_planes(sizeof(Unit), base, first, last, reinterpret_cast<std::byte*>(whole.data()));
        for (std::int64_t i = 0; i < runs.numel(); ++i) {
            wrong += whole[static_cast<std::size_t>(i)] !=
                     memory[static_cast<std::size_t>(place(layout, i) - layout.lowest)];
        }
        CHECK(wrong == 0);
    }

    for (std::int64_t i = begin; i < begin + count; ++i) {
        const StridedRuns::Run run = runs.run(i);
        wrong += run.offset != place(layout, i) || run.length < 1 || i + run.length > runs.numel();
        if (run.length > 1) wrong += run.offset + run.step != place(layout, i + 1);
    }
    CHECK(wrong == 0);

    for (const std::int64_t parts : {1, 2, 3}) {
        if (runs.row() % parts != 0) continue;
        const std::int64_t length = runs.row() / parts;
        const std::int64_t all = runs.numel() / length;
        for (std::int64_t row = begin / length; row < std::min(all, begin / length + 1000);) {
            const StridedRuns::Rows some = runs.rows(row, length);
            REQUIRE(some.count >= 1);
            REQUIRE(row + some.count <= all);
            for (std::int64_t i = 0; i < some.count; ++i, ++row)
                wrong += some.offset + i * some.stride != place(layout, row * length);
        }
    }
    CHECK(wrong == 0);

    // Back to their places, nothing else touched. (Where elements share one, the last written stays.)
    std::vector<Unit> expected = memory;
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
        dense[i] = static_cast<Unit>(random());
        expected[static_cast<std::size_t>(place(layout, begin + static_cast<std::int64_t>(i)) -
                                          layout.lowest)] = dense[i];
    }
    runs.scatter(sizeof(Unit), base, begin, count, reinterpret_cast<const std::byte*>(dense.data()));
    CHECK(memory == expected);
}

/// `count` elements of so many bytes, no two neighbours alike.
std::vector<std::byte> elements(std::int64_t itemsize, std::int64_t count) {
    std::vector<std::byte> bytes(static_cast<std::size_t>(itemsize * count));
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(7 * i + 1);
    return bytes;
}

}  // namespace

TEST_CASE("iterate: strided runs are the row-major order of any layout") {
    std::mt19937 random(7);
    for (int i = 0; i < 1000; ++i) {
        const Layout layout = random_layout(random);
        CAPTURE(layout.sizes);
        CAPTURE(layout.strides);
        check_runs<std::uint8_t>(layout, random);
        check_runs<std::uint16_t>(layout, random);
        check_runs<std::uint32_t>(layout, random);
        check_runs<std::uint64_t>(layout, random);
    }
}

TEST_CASE("iterate: pixels of few channels, channels first and last") {
    std::mt19937 random(9);
    for (std::int64_t channels = 1; channels <= 5; ++channels) {
        for (const std::int64_t pixels : {1, 3, 4, 5, 8, 41}) {
            const std::int64_t image = pixels * channels;
            for (const Layout& given : {Layout{{3, pixels, channels}, {image, 1, pixels}},
                                        Layout{{3, channels, pixels}, {image, 1, channels}},
                                        Layout{{3, channels, pixels}, {image + 1, 1, channels + 2}}}) {
                const Layout layout = with_reach(given);
                CAPTURE(layout.sizes);
                check_runs<std::uint32_t>(layout, random);
                check_runs<std::uint64_t>(layout, random);
            }
        }
    }
}

TEST_CASE("iterate: a transposition writes its own elements alone, and reads no others") {
    constexpr std::uint32_t kBeside = 0xabcdef;
    for (std::int64_t rows = 1; rows <= 20; ++rows) {
        for (std::int64_t columns = 1; columns <= 20; ++columns) {
            CAPTURE(rows);
            CAPTURE(columns);
            // Exactly as much memory as there is to be read, for tools that watch its end.
            std::vector<std::uint32_t> from(static_cast<std::size_t>(rows * columns));
            std::iota(from.begin(), from.end(), 0U);
            for (const bool near : {false, true}) {
                std::vector<std::uint32_t> to(from.size() + 16, kBeside);
                if (near) {
                    transpose_near(from.data(), rows, rows, columns, to.data() + 8, columns);
                } else {
                    transpose(from.data(), rows, rows, columns, to.data() + 8, columns);
                }
                CHECK(std::count(to.begin(), to.begin() + 8, kBeside) == 8);
                CHECK(std::count(to.end() - 8, to.end(), kBeside) == 8);
                bool right = true;
                for (std::int64_t i = 0; i < rows * columns; ++i)
                    right &= to[static_cast<std::size_t>(8 + i)] == i / columns + i % columns * rows;
                CHECK(right);
            }
        }
    }
}

TEST_CASE("iterate: what is larger than the caches, too") {
    std::mt19937 random(8);
    for (const Layout& given :
         {Layout{{64, 64, 32, 16}, {1, 64, 4096, 131072}}, Layout{{16, 64, 2048}, {131072, 1, 64}},
          Layout{{33, 64, 31, 33}, {1, 33, 69696, 2112}}, Layout{{8, 128, 33, 64}, {64, 16896, 512, 1}},
          Layout{{32, 65537}, {65539, 1}}}) {
        const Layout layout = with_reach(given);
        CAPTURE(layout.sizes);
        check_runs<std::uint32_t>(layout, random);
        check_runs<std::uint64_t>(layout, random);
    }
}

TEST_CASE("iterate: bytes are copied at every distance") {
    std::vector<unsigned char> from(9000);
    std::iota(from.begin(), from.end(), static_cast<unsigned char>(0));
    std::vector<unsigned char> to(20000);
    const auto base = reinterpret_cast<std::uintptr_t>(from.data());
    const std::uintptr_t aligned = 4096 - (reinterpret_cast<std::uintptr_t>(to.data()) - base) % 4096;
    for (const std::int64_t bytes : {0, 1, 63, 2047, 2048, 2111, 4097, 8999}) {
        for (const std::uintptr_t apart :
             std::initializer_list<std::uintptr_t>{0, 1, 4, 31, 32, 63, 2048, 4095}) {
            for (const bool streams : {false, true}) {
                unsigned char* place = to.data() + aligned + apart;
                std::fill(to.begin(), to.end(), static_cast<unsigned char>(77));
                copy_bytes(place, from.data(), bytes, streams);
                finish_stream();
                CAPTURE(bytes);
                CAPTURE(apart);
                CAPTURE(streams);
                CHECK(std::equal(place, place + bytes, from.begin()));
                CHECK(std::count(to.begin(), to.end(), 77) -
                          std::count(from.begin(), from.begin() + bytes, 77) ==
                      static_cast<std::int64_t>(to.size()) - bytes);
            }
        }
    }
}

TEST_CASE("iterate: rows of every length are copied, and nothing beside them") {
    std::vector<std::byte> from(8 * 1300);
    for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<std::byte>(i * 7 + i / 251);
    for (const std::int64_t rows : {0, 1, 5}) {
        for (const std::int64_t bytes :
             {0, 1, 2, 3, 4, 7, 8, 12, 15, 16, 17, 31, 32, 100, 255, 256, 300, 1025}) {
            for (const std::int64_t gap : {0, 1, 64, 200}) {
                for (const bool streams : {false, true}) {
                    CAPTURE(rows);
                    CAPTURE(bytes);
                    CAPTURE(gap);
                    std::vector<std::byte> to(from.size(), std::byte{77});
                    std::vector<std::byte> expected = to;
                    for (std::int64_t row = 0; row < rows; ++row)
                        std::copy_n(from.begin() + row * (bytes + 2 * gap), bytes,
                                    expected.begin() + 3 + row * (bytes + gap));
                    copy_rows(to.data() + 3, bytes + gap, from.data(), bytes + 2 * gap, rows, bytes, streams);
                    finish_stream();
                    CHECK(to == expected);
                }
            }
        }
    }
    // The first row's place is the last one's: a stride below zero.
    std::vector<std::byte> to(12);
    copy_rows(to.data(), 4, from.data() + 8, -4, 3, 4);
    CHECK(std::equal(to.begin(), to.begin() + 4, from.begin() + 8));
    CHECK(std::equal(to.begin() + 8, to.end(), from.begin()));
}

TEST_CASE("iterate: rows that overlap, or are one row, of every length, and nothing beside them") {
    for (const std::int64_t size : {1, 2, 4, 8}) {
        for (const std::int64_t length :
             {1, 3, 4, 7, 8, 15, 16, 17, 31, 32, 33, 40, 63, 64, 65, 129, 1000, 1024, 8191, 8192, 8193}) {
            for (const std::int64_t step : {-3, 0, 1, 2, 31, 64}) {
                for (const std::int64_t rows :
                     std::initializer_list<std::int64_t>{2, 9, 16 * 1024 / length + 3}) {
                    CAPTURE(size);
                    CAPTURE(length);
                    CAPTURE(step);
                    CAPTURE(rows);
                    // Exactly as much memory as there is to be read, for tools that watch its end.
                    const std::vector<std::byte> from = elements(size, std::abs(step) * (rows - 1) + length);
                    const std::byte* first = from.data() + (step < 0 ? -step * (rows - 1) * size : 0);
                    const auto bytes = static_cast<std::size_t>(rows * length * size);
                    std::vector<std::byte> to(bytes + 64, std::byte{0xee});
                    std::vector<std::byte> expected;
                    for (std::int64_t row = 0; row < rows; ++row)
                        expected.insert(expected.end(), first + row * step * size,
                                        first + (row * step + length) * size);
                    expected.resize(bytes + 64, std::byte{0xee});
                    StridedRuns({rows, length}, {step, 1}).gather(size, first, 0, rows * length, to.data());
                    CHECK(to == expected);
                }
            }
        }
    }
}

TEST_CASE("iterate: neighbours are merged") {
    CHECK(StridedRuns({2, 3, 4}, {12, 4, 1}).is_dense());
    CHECK(StridedRuns({2, 1, 4}, {4, 99, 1}).is_dense());
    CHECK(StridedRuns({}, {}).is_dense());
    CHECK(StridedRuns({2, 3}, {6, 2}).is_even());
    CHECK_FALSE(StridedRuns({2, 3}, {6, 2}).is_dense());
    CHECK_FALSE(StridedRuns({2, 3}, {4, 1}).is_even());
    CHECK(StridedRuns({3, 2}, {0, 0}).is_even());
    CHECK(StridedRuns({2, 3}, {-3, -1}).is_even());
    CHECK(StridedRuns({5, 7}, {1, 5}).is_transposed());
    CHECK_FALSE(StridedRuns({5, 7}, {7, 1}).is_transposed());
}

TEST_CASE("iterate: memory is walked by falling stride") {
    CHECK(dims_by_stride({2, 3, 4}, {12, 4, 1}) == Shape{0, 1, 2});
    CHECK(dims_by_stride({2, 3, 4}, {1, 2, 6}) == Shape{2, 1, 0});
    CHECK(dims_by_stride({2, 3}, {-1, 2}) == Shape{1, 0});
    CHECK(dims_by_stride({2, 1, 3}, {3, 1, 1}) == Shape{0, 1, 2});
    CHECK(dims_by_stride({}, {}).empty());
}

TEST_CASE("iterate: each element is repeated, and nothing beyond the last is written") {
    for (const std::int64_t size : {1, 2, 4, 8}) {
        for (const std::int64_t times : {2,  3,  4,  5,   7,   8,   9,   15,  16,  17,   31,   32,  33,
                                         63, 64, 65, 130, 255, 300, 511, 512, 513, 4095, 4096, 4100}) {
            for (const std::int64_t count : {1, 2, 3, 9, 40}) {
                CAPTURE(size);
                CAPTURE(times);
                CAPTURE(count);
                const std::int64_t step = 1 + count % 2;
                const std::vector<std::byte> from = elements(size, count * step);
                const auto length = static_cast<std::size_t>(count * times * size);
                std::vector<std::byte> to(length + 64, std::byte{0xee});
                StridedRuns({count, times}, {step, 0}).gather(size, from.data(), 0, count * times, to.data());
                std::vector<std::byte> expected;
                for (std::int64_t i = 0; i < count * times; ++i) {
                    const std::byte* element = from.data() + i / times * step * size;
                    expected.insert(expected.end(), element, element + size);
                }
                expected.resize(length + 64, std::byte{0xee});
                CHECK(to == expected);
            }
        }
    }
}

TEST_CASE("iterate: one element is written any number of times, wherever it begins") {
    for (const std::int64_t size : {1, 2, 4, 8}) {
        const std::vector<std::byte> value = elements(size, 1);
        for (const std::int64_t bytes : {8, 56, 504, 1000, 1016, 1024, 1032, 1048, 2080, 9000}) {
            for (const std::int64_t places : {0, 1, 3}) {
                CAPTURE(size);
                CAPTURE(bytes);
                CAPTURE(places);
                const std::int64_t count = bytes / size + places;  // whole words and a rest
                std::vector<std::byte> to(static_cast<std::size_t>((count + 2 * places) * size),
                                          std::byte{0xee});
                std::vector<std::byte> expected = to;
                repeat_element(size, value.data(), count, to.data() + places * size);
                for (std::int64_t i = 0; i < count * size; ++i)
                    expected[static_cast<std::size_t>(places * size + i)] =
                        value[static_cast<std::size_t>(i % size)];
                CHECK(to == expected);
            }
        }
    }
}

TEST_CASE("iterate: elements any step apart are read and written, and no others") {
    for (const std::int64_t size : {1, 2, 4, 8}) {
        for (const std::int64_t step : {-9, -4, -2, -1, 0, 1, 2, 3, 4, 5, 16, 33}) {
            for (std::int64_t count = 1; count <= 41; ++count) {
                CAPTURE(size);
                CAPTURE(step);
                CAPTURE(count);
                // Exactly as much memory as there is to be read, for tools that watch its end.
                const std::int64_t reach = (count - 1) * std::abs(step) + 1;
                std::vector<std::byte> memory = elements(size, reach);
                const auto first = static_cast<std::size_t>(step < 0 ? (reach - 1) * size : 0);
                const auto place = [&](std::int64_t i) {
                    return memory.begin() + static_cast<std::int64_t>(first) + i * step * size;
                };
                std::vector<std::byte> dense(static_cast<std::size_t>(count * size) + 8, std::byte{0xee});
                std::vector<std::byte> wanted = dense;
                for (std::int64_t i = 0; i < count; ++i)
                    std::copy_n(place(i), size, wanted.begin() + i * size);
                read_apart(size, memory.data() + first, step, count, dense.data());
                CHECK(dense == wanted);

                std::reverse(dense.begin(), dense.end());
                wanted = memory;
                memory.swap(wanted);
                for (std::int64_t i = 0; i < count; ++i)
                    std::copy_n(dense.begin() + i * size, size, place(i));
                memory.swap(wanted);
                write_apart(size, memory.data() + first, step, count, dense.data());
                CHECK(memory == wanted);
            }
        }
    }
}
