/// \file
/// How results of the battery are compared: in units of the last place. What is compared to what is in
/// `battery.cpp`.
#pragma once

#include <nlohmann/json.hpp>
#include <ostream>

#include "reel.hpp"

namespace reel::testing {

/// JSON has no infinities and no NaN: they are strings.
double number(const nlohmann::json& value);

/// Bits of a floating type's fraction, the leading one included.
int digits(DType dtype);

/// The worst element of a comparison.
struct Worst {
    double ulps = 0;
    std::size_t at = 0;
    double got = 0;
    double wanted = 0;
};
std::ostream& operator<<(std::ostream& out, const Worst& worst);

/// In units of the last place of `dtype`: at each element, where zeros have a sign too, or (`by_size`) at the
/// largest.
Worst worst_of(const Tensor& y, const nlohmann::json& wanted, DType dtype, bool by_size);

}  // namespace reel::testing
