/// \file
/// How exact a float32 product is whose sums are long.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace reel::docs {

/// What the terms of a sum are like.
enum class Terms { kPositive, kOrdinary, kCancelling, kBadlyScaled };

/// Rows of the left and columns of the right operand.
inline constexpr std::int64_t kSide = 4;

/// C = A B of a (kSide × k) and a (k × kSide) matrix, dense rows.
using LongProduct =
    std::function<std::vector<float>(const std::vector<float>& a, const std::vector<float>& b)>;

/// The largest error of an element of the product, in units of u Σ |a b|, u = 2⁻²⁴.
double error_of(const LongProduct& product, Terms terms, std::int64_t k);

/// By `matmul`.
std::vector<float> multiplied(const std::vector<float>& a, const std::vector<float>& b);

/// One running sum for each element, in float32.
std::vector<float> running_sums(const std::vector<float>& a, const std::vector<float>& b);

/// The errors of several products as a table, a column for each.
std::string long_products(const std::vector<std::pair<std::string, LongProduct>>& products);

/// The section of docs/operations.md. Rows of `previous` stay where what is measured is within a factor of two of them.
std::string long_products_section(const std::string& previous);

}  // namespace reel::docs
