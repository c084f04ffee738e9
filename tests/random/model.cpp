#include "tests/random/model.hpp"

#include <algorithm>
#include <cmath>

namespace reel::random_programs {

Number operator/(const Number& p, const Number& q) {
    const double r = 1 / q.x;
    return p * q.map(r, -r * r, 2 * r * r * r);
}
Number exp(const Number& p) {
    const double y = std::exp(p.x);
    return p.map(y, y, y);
}
Number log(const Number& p) { return p.map(std::log(p.x), 1 / p.x, -1 / (p.x * p.x)); }
Number tanh(const Number& p) {
    const double y = std::tanh(p.x);
    return p.map(y, 1 - y * y, -2 * y * (1 - y * y));
}
Number sin(const Number& p) { return p.map(std::sin(p.x), std::cos(p.x), -std::sin(p.x)); }

bool less(const Number& p, const Number& q) {
    constexpr double kApart = 1e-6;
    if (std::abs(p.x - q.x) < kApart * (1 + std::abs(p.x))) throw OutOfReach();
    return p.x < q.x;
}

std::size_t count(const Sizes& sizes) {
    std::size_t n = 1;
    for (const std::int64_t size : sizes) n *= static_cast<std::size_t>(size);
    return n;
}

std::vector<std::int64_t> index_of(std::size_t element, const Sizes& sizes) {
    std::vector<std::int64_t> index(sizes.size());
    auto rest = static_cast<std::int64_t>(element);
    for (std::size_t d = sizes.size(); d-- > 0; rest /= sizes[d]) index[d] = rest % sizes[d];
    return index;
}

std::size_t element_at(const std::vector<std::int64_t>& index, const Sizes& sizes) {
    std::int64_t element = 0;
    for (std::size_t d = 0; d < sizes.size(); ++d) element = element * sizes[d] + index[d];
    return static_cast<std::size_t>(element);
}

bool broadcasts(const Sizes& x, const Sizes& sizes) {
    if (x.size() > sizes.size()) return false;
    const std::size_t lead = sizes.size() - x.size();
    for (std::size_t d = 0; d < x.size(); ++d) {
        if (x[d] != 1 && x[d] != sizes[lead + d]) return false;
    }
    return true;
}

std::size_t broadcast_element(const Sizes& x, const Sizes& sizes, std::size_t i) {
    std::vector<std::int64_t> index = index_of(i, sizes);
    index.erase(index.begin(), index.begin() + static_cast<std::ptrdiff_t>(sizes.size() - x.size()));
    for (std::size_t d = 0; d < x.size(); ++d) index[d] = x[d] == 1 ? 0 : index[d];
    return element_at(index, x);
}

Sizes common(const Sizes& a, const Sizes& b) {
    Sizes sizes = a.size() > b.size() ? a : b;
    for (std::size_t k = 1; k <= std::min(a.size(), b.size()); ++k) {
        sizes[sizes.size() - k] = a[a.size() - k] == 1 ? b[b.size() - k] : a[a.size() - k];
    }
    return sizes;
}

std::vector<std::size_t> fibre(const Sizes& sizes, std::int64_t dim, std::size_t i) {
    std::vector<std::int64_t> index = index_of(i, sizes);
    const auto d = static_cast<std::size_t>(dim);
    std::vector<std::size_t> elements;
    for (index[d] = 0; index[d] < sizes[d]; ++index[d]) elements.push_back(element_at(index, sizes));
    return elements;
}

Sizes without(const Sizes& sizes, std::int64_t dim) {
    Sizes rest = sizes;
    rest.erase(rest.begin() + dim);
    return rest;
}

Array make(const Sizes& sizes, const Arrays& inputs, const std::function<Number(std::size_t)>& f) {
    const std::size_t n = count(sizes);
    Array y{std::make_shared<Memory>(), sizes, std::vector<std::size_t>(n), true};
    y.memory->values = std::make_shared<Values>();
    y.memory->values->x.resize(n);
    y.memory->slopes.resize(n);
    y.memory->history = std::any_of(inputs.begin(), inputs.end(), [](const Array& x) { return x.depends(); });
    for (std::size_t i = 0; i < n; ++i) {
        y.places[i] = i;
        y.set(i, f(i));
    }
    return y;
}

Array view(const Array& x, const Sizes& sizes, const std::function<std::size_t(std::size_t)>& f) {
    Array y{x.memory, sizes, {}, false};
    for (std::size_t i = 0; i < count(sizes); ++i) y.places.push_back(x.places[f(i)]);
    return y;
}

void check_writable(const Array& x) {
    std::vector<std::size_t> places = x.places;
    std::sort(places.begin(), places.end());
    if (std::adjacent_find(places.begin(), places.end()) != places.end()) throw Refused();  // expanded
    if (x.memory->leaf) throw Refused();
}

void write(const Array& x, const Arrays& inputs, int statement, const std::function<Number(std::size_t)>& f) {
    check_writable(x);
    std::vector<Number> numbers;
    for (std::size_t i = 0; i < x.numel(); ++i) numbers.push_back(f(i));
    for (std::size_t i = 0; i < x.numel(); ++i) x.set(i, numbers[i]);
    for (const Array& input : inputs) x.memory->history = x.memory->history || input.depends();
    x.memory->written = x.memory->values->written = statement;
}

}  // namespace reel::random_programs
