// Conversion between element types.
#include <array>

#include "ops/kernels/simd.hpp"

namespace reel::kernels::REEL_SET {

namespace {

template <class From, class To>
void convert(std::int64_t n, const void* from, void* to) {
    const auto* x = static_cast<const From*>(from);
    auto* y = static_cast<To*>(to);
    for (std::int64_t i = 0; i < n; ++i) y[i] = convert_element<To>(x[i]);
}

template <class From>
void install_from(Table& table) {
    auto& row = table.convert[static_cast<std::size_t>(dtype_of<From>())];
    for (DType to : {kBool, kInt64, kFloat16, kBFloat16, kFloat32, kFloat64}) {
        row[static_cast<std::size_t>(to)] =
            dispatch(to, [](auto zero) -> Convert { return &convert<From, decltype(zero)>; });
    }
}

}  // namespace

void install_convert(Table& table) {
    for (DType from : {kBool, kInt64, kFloat16, kBFloat16, kFloat32, kFloat64}) {
        dispatch(from, [&](auto zero) { install_from<decltype(zero)>(table); });
    }
}

}  // namespace reel::kernels::REEL_SET
