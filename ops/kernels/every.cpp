// Elements that are a short step apart, brought together.
#include "ops/kernels/every.hpp"

namespace reel::kernels::REEL_SET {

namespace {

using std::int64_t;

template <class T>
void read_every(int64_t n, const void* from, int64_t step, void* to) {
    with_step(step, [&](auto every) {
        const T* x = static_cast<const T*>(from);
        T* y = static_cast<T*>(to);
        int64_t i = 0;
        for (; i + kWidth<T> <= n; i += kWidth<T>) load_every(x + i * every, every).store_unaligned(y + i);
        for (; i < n; ++i) y[i] = x[i * every];
    });
}

}  // namespace

void install_every(Table& table) {
    table.read_every[0] = &read_every<float>;
    table.read_every[1] = &read_every<double>;
}

}  // namespace reel::kernels::REEL_SET
