/// \file
/// Vector mathematics for kernels: each function within 2 ulp over its whole range, subnormal results
/// included. One algorithm serves float and double, with coefficients of its own for each. Call them by their
/// full name, `math::exp(x)`: xsimd has functions of the same names and other accuracy.
#pragma once

#include "ops/kernels/math/exp.hpp"
#include "ops/kernels/math/gelu.hpp"
#include "ops/kernels/math/log.hpp"
#include "ops/kernels/math/normal.hpp"
#include "ops/kernels/math/sigmoid.hpp"
#include "ops/kernels/math/trig.hpp"
