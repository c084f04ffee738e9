/// \file
/// Products with one column, which have an order of sums of their own.
#pragma once

#include "ops/linalg/gemm_driver.hpp"

namespace reel {

void multiply_column(const Product& product, const ProductOperands& o);

}  // namespace reel
