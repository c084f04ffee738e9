// Types and places: what type a result has, and that writing in place gives what the operation gives and
// touches nothing else.
#include <doctest/doctest.h>

#include "tests/property/calls.hpp"

using namespace reel;
using namespace reel::property;

namespace {

/// bool < int64 < floating.
int category(DType dtype) { return dtype == kBool ? 0 : dtype == kInt64 ? 1 : 2; }

/// The smallest type that holds both: of two 16-bit types that is float32.
DType common(DType a, DType b) {
    if (category(a) != category(b)) return category(a) > category(b) ? a : b;
    if (a == b) return a;
    return a == kFloat64 || b == kFloat64 ? kFloat64 : kFloat32;
}

/// 0-d tensors count only where they are of a higher category.
DType promoted(const Tensor& a, const Tensor& b) {
    if ((a.dim() == 0) == (b.dim() == 0)) return common(a.dtype(), b.dtype());
    const Tensor& point = a.dim() == 0 ? a : b;
    const Tensor& wide = a.dim() == 0 ? b : a;
    return category(point.dtype()) > category(wide.dtype()) ? point.dtype() : wide.dtype();
}

/// A view of memory, and that memory.
struct Place {
    Place(Draw& draw, const Shape& sizes, DType dtype) : view(draw.writable(sizes, dtype)) {
        const auto count = static_cast<std::int64_t>(view.impl().storage->bytes) / view.itemsize();
        memory = view.as_strided({count}, {1}, 0);
    }
    Tensor view;
    Tensor memory;
};

struct InPlace {
    const char* name;
    std::function<void(const Tensor& self, const Tensor& other, double number)> write;
    std::function<Tensor(const Tensor& self, const Tensor& other, double number)> f;
};

const std::vector<InPlace>& in_place_operations() {
    using T = const Tensor&;
    static const std::vector<InPlace> operations = {
        {"copy_", [](T x, T y, double) { x.copy_(y); }, [](T x, T y, double) { return y.expand(x.sizes()); }},
        {"fill_", [](T x, T, double n) { x.fill_(n); }, [](T x, T, double n) { return full_like(x, n); }},
        {"add_", [](T x, T y, double) { x.add_(y); }, [](T x, T y, double) { return x + y; }},
        {"add_ alpha", [](T x, T y, double) { x.add_(y, 2); }, [](T x, T y, double) { return add(x, y, 2); }},
        {"sub_", [](T x, T y, double) { x.sub_(y); }, [](T x, T y, double) { return x - y; }},
        {"mul_", [](T x, T y, double) { x.mul_(y); }, [](T x, T y, double) { return x * y; }},
        {"div_", [](T x, T y, double) { x.div_(y); }, [](T x, T y, double) { return x / y; }},
        {"add_ number", [](T x, T, double n) { x.add_(n); }, [](T x, T, double n) { return x + n; }},
        {"sub_ number", [](T x, T, double n) { x.sub_(n); }, [](T x, T, double n) { return x - n; }},
        {"mul_ number", [](T x, T, double n) { x.mul_(n); }, [](T x, T, double n) { return x * n; }},
        {"div_ number", [](T x, T, double n) { x.div_(n); }, [](T x, T, double n) { return x / n; }},
        {"clamp_", [](T x, T, double n) { x.clamp_(n, n + 1); },
         [](T x, T, double n) { return clamp(x, n, n + 1); }},
        {"masked_fill_", [](T x, T y, double n) { x.masked_fill_(y > 0, n); },
         [](T x, T y, double n) { return masked_fill(x, y > 0, n); }},
        {"index_put_", [](T x, T y, double n) { x.index_put_({(y > 0).expand(x.sizes())}, n); },
         [](T x, T y, double n) { return masked_fill(x, y > 0, n); }},
    };
    return operations;
}

}  // namespace

TEST_CASE("property: promotion follows category, then dimensions, then size") {
    for_all("promotion", 1000, [](Draw& draw) {
        const Shape sizes = draw.shape(0, 2);
        const Tensor a = draw.wholes(draw.chance(0.3) ? Shape{} : sizes, draw.any_type(), 0, 3);
        const Tensor b = draw.wholes(draw.chance(0.3) ? Shape{} : sizes, draw.any_type(), 0, 3);
        const DType type = promoted(a, b);
        const std::string what = describe({a, b});
        const Tensor y = a + b;
        demand(y.dtype() == type, what, " give ", y.dtype(), ", not ", type);
        demand_same(b + a, y, "the other way round" + what);
        demand_same(y, a.to(type) + b.to(type), "of one type" + what);
        for (const Tensor& other : {a * b, maximum(a, b), where(a > 0, a, b)}) {
            demand(other.dtype() == type, what, " give ", other.dtype(), ", not ", type);
        }
        demand((a == b).dtype() == kBool, "a comparison is no bool");
        demand((a / b).dtype() == (category(type) == 2 ? type : kFloat32), what, " divided give ",
               (a / b).dtype());
        demand(cat({a.reshape({-1}), b.reshape({-1})}).dtype() == common(a.dtype(), b.dtype()), "cat of",
               what);
        demand(a.sum().dtype() == (a.is_floating_point() ? a.dtype() : kInt64), "sum of", what);
        const DType with_number = category(a.dtype()) == 2 ? a.dtype() : kFloat32;
        demand((a + 0.5).dtype() == with_number, "a number and", what);
        demand((a + 1).dtype() == (a.dtype() == kBool ? kInt64 : a.dtype()), "a whole number and", what);
    });
    for_all("a type that holds all values gives them back", 200, [](Draw& draw) {
        const Tensor x = draw.tensor(draw.shape(), draw.floating());
        demand_same(x.to(kFloat64).to(x.dtype()), x, "to float64 and back");
        const Tensor whole = draw.wholes(draw.shape(), draw.any_type(), 0, 100);
        demand_same(whole.to(kFloat32).to(kInt64).to(whole.dtype()), whole, "to float32, int64 and back");
    });
}

TEST_CASE("property: in place equals out of place, and touches nothing else") {
    constexpr int kCases = 100;
    for (const InPlace& operation : in_place_operations()) {
        for_all(operation.name, kCases, [&](Draw& draw) {
            // Sometimes the other operand lies in the memory that is written, and is too long for one block.
            const bool overlaps = draw.chance(0.3);
            const Shape sizes = overlaps ? Shape{draw.whole(1, 3), draw.whole(2, 1500)} : draw.shape();
            const Place place(draw, sizes, draw.floating());
            const Tensor& x = place.view;
            const Tensor other =
                overlaps ? x.flip({draw.dim(x.dim())}) : draw.tensor(draw.narrower(x.sizes()), x.dtype());
            const double number = draw.real(-2, 2);
            const Tensor expected = operation.f(dense(x), dense(other), number);
            const Tensor untouched = place.memory.clone();
            operation.write(x, other, number);
            demand_same(x, expected.to(x.dtype()), describe({x, other}));
            // The memory with the old elements put back is the old memory.
            const Tensor old = untouched.as_strided(x.sizes(), x.strides(), x.storage_offset());
            x.copy_(old);
            demand_same(place.memory, untouched, "the memory around" + describe({x}));
        });
    }
}
