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
