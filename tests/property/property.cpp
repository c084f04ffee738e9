#include "tests/property/property.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <optional>

namespace reel::property {

namespace {

std::optional<std::uint64_t> variable(const char* name) {
    const char* text = std::getenv(name);
    if (!text) return None;
    return std::strtoull(text, nullptr, 10);
}

/// Properties with equal seeds draw different things (FNV-1a).
std::uint64_t hash(const std::string& text) {
    std::uint64_t h = 0xcbf29ce484222325U;
    for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    return h;
}

bool alike(double x, double y, double tolerance) {
    if (std::isnan(x) || std::isnan(y)) return std::isnan(x) && std::isnan(y);
    if (x == y) return tolerance > 0 || std::signbit(x) == std::signbit(y);
    return std::abs(x - y) <= tolerance;
}

template <class T>
void compare(const Tensor& a, const Tensor& b, double ulps, double size, const std::string& what) {
    const std::vector<T> x = dense(a).to_vector<T>();
    const std::vector<T> y = dense(b).to_vector<T>();
    for (std::size_t i = 0; i < x.size(); ++i) {
        const auto p = static_cast<double>(x[i]);
        const auto q = static_cast<double>(y[i]);
        const double tolerance =
            std::ldexp(ulps, 1 - significand_bits(a.dtype())) * std::max({size, std::abs(p), std::abs(q)});
        const bool equal =
            std::is_same_v<T, std::int64_t> ? x[i] == y[i] : alike(p, q, ulps > 0 ? tolerance : 0);
        demand(equal, what, ": element ", i, " of shape ", a.sizes(), " is ", x[i], ", not ", y[i]);
    }
}

}  // namespace

void for_all(const std::string& property, int cases, const std::function<void(Draw&)>& statement,
             Draw::Size size) {
    const std::uint64_t first = variable("REEL_SEED").value_or(1);
    const auto count = variable("REEL_CASES").value_or(static_cast<std::uint64_t>(cases));
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
        Draw draw(seed ^ hash(property), size);
        try {
            statement(draw);
        } catch (const std::exception& failure) {
            FAIL_CHECK(property, ": ", std::string(failure.what()), "\nagain: REEL_SEED=", seed,
                       " REEL_CASES=1");
            return;
        }
    }
    CHECK(count > 0);
}

Tensor dense(const Tensor& x) {
    const Tensor y = empty(x.sizes(), x.dtype());
    const auto size = static_cast<std::size_t>(x.itemsize());
    Shape index = Shape::filled(x.sizes().size(), 0);
    std::byte* to = y.raw();
    for (std::int64_t i = 0; i < x.numel(); ++i, to += size) {
        std::int64_t place = 0;
        for (std::size_t d = 0; d < index.size(); ++d) place += index[d] * x.strides()[d];
        std::memcpy(to, x.raw() + place * x.itemsize(), size);
        for (std::size_t d = index.size(); d-- > 0;) {
            if (++index[d] < x.sizes()[d]) break;
            index[d] = 0;
        }
    }
    return y;
}

std::string describe(const std::vector<Tensor>& tensors) {
    std::ostringstream text;
    for (const Tensor& x : tensors) {
        text << ' ' << x.dtype() << ' ' << x.sizes() << " strides " << x.strides();
    }
    return text.str();
}

void demand_same(const Tensor& a, const Tensor& b, const std::string& what) {
    demand_close(a, b, 0, 0, what);
}

void demand_close(const Tensor& a, const Tensor& b, double ulps, double size, const std::string& what) {
    demand(a.dtype() == b.dtype(), what, ": ", a.dtype(), ", not ", b.dtype());
    demand(a.sizes() == b.sizes(), what, ": shape ", a.sizes(), ", not ", b.sizes());
    if (a.numel() == 0) return;
    const auto bytes = static_cast<std::size_t>(a.numel() * a.itemsize());
    if (a.is_contiguous() && b.is_contiguous() && std::memcmp(a.raw(), b.raw(), bytes) == 0) return;
    if (a.is_floating_point()) return compare<double>(a, b, ulps, size, what);
    compare<std::int64_t>(a, b, ulps, size, what);
}

}  // namespace reel::property
