#include "tensor/shape.hpp"

#include <algorithm>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include "tensor/error.hpp"

namespace reel {

void Shape::copy_heap(const Shape& other) { *this = Shape(other.heap_, other.size_); }

std::int64_t* Shape::grow() {
    auto* block = new std::int64_t[2 * size_];
    std::copy_n(data(), size_, block);
    release();
    return heap_ = block;
}

void Shape::move_in() {
    std::int64_t* block = heap_;
    for (std::size_t i = 0; i < kInline; ++i) inline_[i] = block[i];
    delete[] block;
}

std::ostream& operator<<(std::ostream& out, const Shape& shape) {
    out << '[';
    for (std::size_t i = 0; i < shape.size(); ++i) out << (i ? ", " : "") << shape[i];
    return out << ']';
}

namespace {

/// The product of sizes among which one is 0, negative or too large; or says which.
[[gnu::noinline]] std::int64_t product_of_unusual(const Shape& sizes) {
    std::int64_t count = 1;
    bool overflow = false;
    for (std::int64_t size : sizes) {
        if (size < 0) fail<ShapeError>("negative size in shape ", sizes, "; -1 is for view and reshape");
        overflow = __builtin_mul_overflow(count, std::max<std::int64_t>(size, 1), &count) || overflow;
    }
    if (overflow) fail<ShapeError>("shape ", sizes, " has more elements than an int64 can count");
    return 0;
}

}  // namespace

std::int64_t numel(const Shape& sizes) {
    if (sizes.size() > kMostDims)
        fail<ShapeError>("a tensor of ", sizes.size(), " dimensions; it can have ", kMostDims, " at most");
    std::int64_t count = 1;
    for (std::int64_t size : sizes) {
        if (size <= 0 || __builtin_mul_overflow(count, size, &count)) return product_of_unusual(sizes);
    }
    return count;
}

Shape contiguous_strides(const Shape& sizes) {
    Shape strides = sizes;
    std::int64_t step = 1;
    for (std::size_t i = sizes.size(); i-- > 0;) {
        strides[i] = step;
        // Where this overflows `numel` refuses the shape.
        static_cast<void>(__builtin_mul_overflow(step, std::max<std::int64_t>(sizes[i], 1), &step));
    }
    return strides;
}

bool is_contiguous(const Shape& sizes, const Shape& strides) {
    std::int64_t step = 1;
    for (std::size_t i = sizes.size(); i-- > 0;) {
        if (sizes[i] == 0) return true;
        if (sizes[i] == 1) continue;
        if (strides[i] != step) {
            return std::any_of(sizes.begin(), sizes.end(), [](std::int64_t size) { return size == 0; });
        }
        step *= sizes[i];
    }
    return true;
}

std::int64_t wrap_dim(std::int64_t dim, std::int64_t ndim, const char* operation) {
    const std::int64_t range = std::max<std::int64_t>(ndim, 1);
    if (dim < -range || dim >= range) {
        fail<IndexError>(operation, ": dimension ", dim, " is out of range: a ", ndim, "-d tensor has [",
                         -range, ", ", range - 1, "]");
    }
    return dim < 0 ? dim + range : dim;
}

Shape wrap_dims(const Shape& dims, std::int64_t ndim, const char* operation) {
    Shape wrapped;
    if (dims.empty()) {
        for (std::int64_t dim = 0; dim < ndim; ++dim) wrapped.push_back(dim);
        return wrapped;
    }
    for (std::int64_t dim : dims) {
        const std::int64_t front = wrap_dim(dim, ndim, operation);
        if (contains(wrapped, front))
            fail<ShapeError>(operation, ": dimension ", dim, " appears twice in ", dims);
        wrapped.push_back(front);
    }
    if (ndim == 0) return {};
    return wrapped;
}

namespace {

/// The name of an operation as its caller writes it.
std::string written(std::string_view operation) {
    for (const auto& [name, sign] : {std::pair("add", '+'), {"sub", '-'}, {"mul", '*'}, {"div", '/'}}) {
        if (operation == name) return detail::concat("a ", sign, " b (", operation, ")");
    }
    return std::string(operation);
}

}  // namespace

Shape broadcast_shapes(const Shape& a, const Shape& b, const char* operation) {
    const Shape& longer = a.size() >= b.size() ? a : b;
    const Shape& shorter = a.size() >= b.size() ? b : a;
    Shape result = longer;
    const std::size_t lead = longer.size() - shorter.size();
    for (std::size_t i = 0; i < shorter.size(); ++i) {
        const std::int64_t x = longer[lead + i];
        const std::int64_t y = shorter[i];
        if (x != y && x != 1 && y != 1) {
            fail<ShapeError>(written(operation), ": shapes ", a, " and ", b, " do not broadcast: sizes ", x,
                             " and ", y, " meet at dimension ", lead + i,
                             " (aligned at the last); sizes must be equal or 1");
        }
        result[lead + i] = x == 1 ? y : x;
    }
    return result;
}

Shape broadcast_strides(const Shape& sizes, const Shape& strides, const Shape& target) {
    Shape result = Shape::filled(target.size(), 0);
    const std::size_t lead = target.size() - sizes.size();
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        result[lead + i] = sizes[i] == target[lead + i] ? strides[i] : 0;
    }
    return result;
}

Shape infer_sizes(const Shape& shape, std::int64_t count, const char* operation) {
    std::size_t unknown = shape.size();
    Shape known = shape;
    for (std::size_t i = 0; i < shape.size(); ++i) {
        if (shape[i] < -1) fail<ShapeError>(operation, ": size ", shape[i], " in ", shape, " is negative");
        if (shape[i] != -1) continue;
        if (unknown != shape.size()) fail<ShapeError>(operation, ": only one -1 can be inferred in ", shape);
        unknown = i;
        known[i] = 1;
    }
    const std::int64_t product = numel(known);
    if (unknown == shape.size()) {
        if (product != count) {
            fail<ShapeError>(operation, ": shape ", shape, " has ", product, " elements, the tensor has ",
                             count);
        }
        return known;
    }
    if (product == 0) {
        fail<ShapeError>(operation, ": -1 in ", shape, " is ambiguous: any size gives 0 elements");
    }
    if (count % product != 0) {
        fail<ShapeError>(operation, ": shape ", shape, " does not divide the ", count,
                         " elements of the tensor");
    }
    known[unknown] = count / product;
    return known;
}

// The old dimensions fall into runs in which memory is evenly spaced; each run must be filled exactly by a
// group of new dimensions, from the back. So [2, 3] with strides [3, 1] is one run of 6 elements, 1 apart; its
// transpose, [3, 2] with strides [1, 3], is two runs of 2 and 3, and no stride makes [6] of them.
std::optional<Shape> view_strides(const Shape& sizes, const Shape& strides, const Shape& shape) {
    if (numel(sizes) == 0) return contiguous_strides(shape);
    Shape result = Shape::filled(shape.size(), 1);
    std::size_t next = shape.size();  // new dimensions from `next` on have their stride
    std::int64_t run = 1;             // elements in the current run of old dimensions
    std::int64_t filled = 1;          // elements of it that new dimensions have taken
    std::int64_t step = sizes.empty() ? 1 : strides.back();
    for (std::size_t i = sizes.size(); i-- > 0;) {
        run *= sizes[i];
        const bool run_ends = i == 0 || (sizes[i - 1] != 1 && strides[i - 1] != run * step);
        if (!run_ends) continue;
        while (next > 0 && (filled < run || shape[next - 1] == 1)) {
            result[--next] = filled * step;
            filled *= shape[next];
        }
        if (filled != run) return std::nullopt;
        if (i > 0) {
            step = strides[i - 1];
            run = filled = 1;
        }
    }
    while (next > 0 && shape[next - 1] == 1) result[--next] = 1;
    if (next != 0) return std::nullopt;
    return result;
}

Shape reduced_sizes(const Shape& sizes, const Shape& dims, bool keepdim) {
    Shape result;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        if (!contains(dims, static_cast<std::int64_t>(i))) {
            result.push_back(sizes[i]);
        } else if (keepdim) {
            result.push_back(1);
        }
    }
    return result;
}

OffsetRange offset_range(const Shape& sizes, const Shape& strides) {
    OffsetRange result;
    if (contains(sizes, 0)) return result;  // strides that no element uses may be any
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        const std::int64_t span = std::max<std::int64_t>(sizes[i] - 1, 0) * strides[i];
        (span < 0 ? result.low : result.high) += span;
    }
    return result;
}

bool contains(const Shape& values, std::int64_t value) {
    return std::find(values.begin(), values.end(), value) != values.end();
}

}  // namespace reel
