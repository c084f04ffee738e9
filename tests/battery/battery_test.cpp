// Every operation against PyTorch: values, first and second gradients, in every layout. The tolerances are
// those of each family, in ulp.
#include <doctest/doctest.h>

#include "tests/battery/battery.hpp"

using namespace reel;
using namespace reel::testing;

TEST_CASE("battery: pointwise operations equal PyTorch's") {
    check_family("pointwise", pointwise_table(), {.value = 5, .first = 16, .second = 32, .by_size = false});
}

TEST_CASE("battery: reductions, scans and order equal PyTorch's") {
    check_family("reduce", reduce_table(), {.value = 8, .first = 16, .second = 32});
}

TEST_CASE("battery: views, and tensors put together, equal PyTorch's") {
    check_family("shape", shape_table(), {.value = 0.01, .first = 2, .second = 2, .by_size = false});
}

TEST_CASE("battery: indexing and changes in place equal PyTorch's") {
    check_family("index", index_table(), {.value = 2, .first = 16, .second = 8});
}

TEST_CASE("battery: products equal PyTorch's") {
    check_family("linear", linear_table(), {.value = 8, .first = 8, .second = 8});
}

TEST_CASE("battery: the softmax family and losses equal PyTorch's") {
    check_family("losses", losses_table(), {.value = 4, .first = 16, .second = 32});
}

TEST_CASE("battery: layers equal PyTorch's") {
    check_family("layers", layers_table(), {.value = 16, .first = 32, .second = 64});
}
