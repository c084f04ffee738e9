#include "random.hpp"

#include <cmath>

namespace reel::check::detail {

double Random::operator()() {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return std::ldexp(static_cast<double>((z ^ (z >> 31)) >> 11), -53);
}

double Random::weight() {
    const double size = 0.5 + (*this)();
    return (*this)() < 0.5 ? -size : size;
}

}  // namespace reel::check::detail
