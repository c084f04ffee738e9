// The optimizers' updates: one pass over a parameter, its gradient and its state.
#include <cmath>

#include "ops/kernels/simd.hpp"

namespace reel::kernels::REEL_SET {

namespace {

using std::int64_t;

/// Calls f(load, store) for vectors of four to one arrays; the tail goes through padded vectors.
template <class T, class F>
void for_vectors(int64_t n, const F& f) {
    constexpr int64_t w = kWidth<T>;
    int64_t i = 0;
    for (; i + w <= n; i += w) {
        f([i](const T* x) { return load(x + i); }, [i](T* x, const Vec<T>& v) { v.store_unaligned(x + i); });
    }
    if (i < n) {
        f([i, n](const T* x) { return load_some(x + i, n - i); },
          [i, n](T* x, const Vec<T>& v) { store_some<T>(x + i, v, n - i); });
    }
}

template <class T>
void sgd(int64_t n, void* param, const void* grad, void* const*, const UpdateNumbers& c) {
    auto* p = static_cast<T*>(param);
    const auto* g = static_cast<const T*>(grad);
    const Vec<T> lr(static_cast<T>(c.lr));
    const Vec<T> decay(static_cast<T>(c.weight_decay));
    for_vectors<T>(n, [&](const auto& get, const auto& put) {
        const Vec<T> x = get(p);
        put(p, x - lr * (get(g) + decay * x));
    });
}

template <class T>
void momentum(int64_t n, void* param, const void* grad, void* const* state, const UpdateNumbers& c) {
    auto* p = static_cast<T*>(param);
    const auto* g = static_cast<const T*>(grad);
    auto* b = static_cast<T*>(state[0]);
    const Vec<T> lr(static_cast<T>(c.lr));
    const Vec<T> decay(static_cast<T>(c.weight_decay));
    const Vec<T> mu(static_cast<T>(c.beta1));
    for_vectors<T>(n, [&](const auto& get, const auto& put) {
        const Vec<T> x = get(p);
        const Vec<T> slope = get(g) + decay * x;
        const Vec<T> velocity = c.fresh ? slope : mu * get(b) + slope;
        put(b, velocity);
        put(p, x - lr * (c.nesterov ? slope + mu * velocity : velocity));
    });
}

template <class T>
void adam(int64_t n, void* param, const void* grad, void* const* state, const UpdateNumbers& c) {
    auto* p = static_cast<T*>(param);
    const auto* g = static_cast<const T*>(grad);
    auto* m = static_cast<T*>(state[0]);
    auto* v = static_cast<T*>(state[1]);
    const Vec<T> shrink(static_cast<T>(c.decoupled ? 1 - c.lr * c.weight_decay : 1));
    const Vec<T> decay(static_cast<T>(c.decoupled ? 0 : c.weight_decay));
    const Vec<T> beta1(static_cast<T>(c.beta1));
    const Vec<T> beta2(static_cast<T>(c.beta2));
    const Vec<T> rest1(static_cast<T>(1 - c.beta1));
    const Vec<T> rest2(static_cast<T>(1 - c.beta2));
    const Vec<T> step(static_cast<T>(c.lr / c.correction1));
    const Vec<T> root(static_cast<T>(1 / std::sqrt(c.correction2)));
    const Vec<T> eps(static_cast<T>(c.eps));
    for_vectors<T>(n, [&](const auto& get, const auto& put) {
        const Vec<T> x = get(p) * shrink;
        const Vec<T> slope = get(g) + decay * x;
        const Vec<T> mean = beta1 * get(m) + rest1 * slope;
        const Vec<T> square = beta2 * get(v) + rest2 * (slope * slope);
        put(m, mean);
        put(v, square);
        put(p, x - quotient(step * mean, square_root(square) * root + eps));
    });
}

}  // namespace

void install_update(Table& table) {
    const auto add = [&](Rule rule, Update f32, Update f64) {
        auto& row = table.update[static_cast<std::size_t>(rule)];
        row[static_cast<std::size_t>(kFloat32)] = f32;
        row[static_cast<std::size_t>(kFloat64)] = f64;
    };
    add(Rule::kSgd, &sgd<float>, &sgd<double>);
    add(Rule::kMomentum, &momentum<float>, &momentum<double>);
    add(Rule::kAdam, &adam<float>, &adam<double>);
}

}  // namespace reel::kernels::REEL_SET
