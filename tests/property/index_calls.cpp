// Calls of ops/indexing/indexing.hpp.
#include "tests/property/calls.hpp"

namespace reel::property {

namespace {

/// A tensor with something to choose from along a dimension.
struct Table {
    explicit Table(Draw& draw) {
        Shape sizes = draw.shape(1, 3);
        for (std::int64_t& size : sizes) size = std::max<std::int64_t>(size, 1);
        x = draw.tensor(sizes, draw.any_type());
        dim = draw.dim(x.dim());
    }
    std::int64_t size() const { return x.size(dim); }
    /// A shape for gather and scatter: any size along `dim`, elsewhere at most that of x.
    Shape index_shape(Draw& draw) const {
        Shape sizes = x.sizes();
        for (std::int64_t& each : sizes) each = draw.whole(1, each);
        sizes[static_cast<std::size_t>(dim < 0 ? dim + x.dim() : dim)] = draw.whole(0, 6);
        return sizes;
    }

    Tensor x;
    std::int64_t dim = 0;
};

Call reading(Draw& draw, Tensor (*f)(const Tensor&, std::int64_t, const Tensor&)) {
    const Table table(draw);
    const Tensor index = draw.wholes(table.index_shape(draw), kInt64, 0, table.size() - 1);
    return {{table.x, index},
            [f, dim = table.dim](const Inputs& in) -> Inputs { return {f(in[0], dim, in[1])}; }};
}

Call writing(Draw& draw, Tensor (*f)(const Tensor&, std::int64_t, const Tensor&, const Tensor&)) {
    const Table table(draw);
    const Shape sizes = table.index_shape(draw);
    const Tensor index = draw.wholes(sizes, kInt64, 0, table.size() - 1);
    return {{table.x, index, draw.tensor(sizes, table.x.dtype())},
            [f, dim = table.dim](const Inputs& in) -> Inputs { return {f(in[0], dim, in[1], in[2])}; }};
}

/// Words of an index of `x`, with at most two index tensors; these are inputs of their own, handed in later.
struct Words {
    TensorIndices words;
    std::vector<std::size_t> places;  ///< of the index tensors among the words
    Inputs tensors;

    TensorIndices with(const Inputs& in, std::size_t first) const {
        TensorIndices result = words;
        for (std::size_t i = 0; i < places.size(); ++i) result[places[i]] = in[first + i];
        return result;
    }
};

Words draw_words(Draw& draw, const Tensor& x) {
    Words result;
    const Shape looked_up = draw.shape(0, 2);
    for (const std::int64_t size : x.sizes()) {
        const std::int64_t kind = draw.whole(0, 6);
        if (draw.chance(0.1)) result.words.emplace_back(None);
        if (kind <= 1 && size > 0) {
            result.places.push_back(result.words.size());
            result.tensors.push_back(draw.wholes(draw.narrower(looked_up), kInt64, -size, size - 1));
            result.words.emplace_back(0);
        } else if (kind == 2 && size > 0) {
            result.words.emplace_back(draw.whole(-size, size - 1));
        } else if (kind == 3 && result.tensors.empty()) {
            result.places.push_back(result.words.size());
            result.tensors.push_back(draw.tensor({size}, kBool));
            result.words.emplace_back(0);
            return result;  // a mask broadcasts with nothing but itself
        } else if (kind == 4) {
            result.words.emplace_back(Ellipsis);
            return result;
        } else {
            result.words.emplace_back(
                Slice(draw.whole(-4, 4), draw.whole(-4, 6), draw.pick<std::int64_t>({1, 1, 2, -1, -2})));
        }
    }
    return result;
}

Call index_call(Draw& draw) {
    const Tensor x = draw.tensor(draw.shape(), draw.any_type());
    const Words words = draw_words(draw, x);
    Inputs inputs = {x};
    inputs.insert(inputs.end(), words.tensors.begin(), words.tensors.end());
    return {inputs, [words](const Inputs& in) -> Inputs { return {index(in[0], words.with(in, 1))}; }};
}

Call index_put_call(Draw& draw) {
    const Tensor x = draw.tensor(draw.shape(), draw.number());
    const Words words = draw_words(draw, x);
    const Shape put = index(x, words.with(words.tensors, 0)).sizes();
    const bool accumulate = draw.chance(0.5);
    Inputs inputs = {x, draw.tensor(draw.narrower(put), x.dtype())};
    inputs.insert(inputs.end(), words.tensors.begin(), words.tensors.end());
    return {inputs, [words, accumulate](const Inputs& in) -> Inputs {
                return {index_put(in[0], words.with(in, 2), in[1], accumulate)};
            }};
}

Call select_call(Draw& draw) {
    const Table table(draw);
    const Tensor index = draw.wholes({draw.whole(0, 6)}, kInt64, 0, table.size() - 1);
    return {{table.x, index},
            [dim = table.dim](const Inputs& in) -> Inputs { return {index_select(in[0], dim, in[1])}; }};
}

Call take_along_call(Draw& draw) {
    const Table table(draw);
    Shape sizes = table.x.sizes();
    for (std::int64_t& size : sizes) size = draw.chance(0.3) ? 1 : size;
    sizes[static_cast<std::size_t>(table.dim < 0 ? table.dim + table.x.dim() : table.dim)] = draw.whole(0, 4);
    return {{table.x, draw.wholes(sizes, kInt64, 0, table.size() - 1)},
            [dim = table.dim](const Inputs& in) -> Inputs { return {take_along_dim(in[0], in[1], dim)}; }};
}

}  // namespace

Operations index_calls() {
    return {
        {"index", index_call},
        {"index_put", index_put_call},
        {"index_select", select_call},
        {"take_along_dim", take_along_call},
        {"gather", [](Draw& draw) { return reading(draw, gather); }},
        {"scatter",
         [](Draw& draw) {
             return writing(draw, [](const Tensor& x, std::int64_t dim, const Tensor& index,
                                     const Tensor& src) { return scatter(x, dim, index, src); });
         }},
        {"scatter_add", [](Draw& draw) { return writing(draw, scatter_add); }},
        {"masked_select",
         [](Draw& draw) {
             const Shape sizes = draw.shape();
             return Call{{draw.tensor(sizes, draw.any_type()), draw.tensor(draw.narrower(sizes), kBool)},
                         [](const Inputs& in) -> Inputs { return {masked_select(in[0], in[1])}; }};
         }},
        {"nonzero",
         [](Draw& draw) {
             return Call{{draw.tensor(draw.shape(), draw.any_type())},
                         [](const Inputs& in) -> Inputs { return {nonzero(in[0])}; }};
         }},
        {"one_hot",
         [](Draw& draw) {
             return Call{{draw.wholes(draw.shape(0, 3), kInt64, 0, 4)},
                         [](const Inputs& in) -> Inputs { return {one_hot(in[0], 5)}; }};
         }},
        {"embedding",
         [](Draw& draw) {
             const std::int64_t rows = draw.extent();
             return Call{{draw.wholes(draw.shape(0, 2), kInt64, 0, rows - 1),
                          draw.tensor({rows, draw.extent()}, draw.floating())},
                         [](const Inputs& in) -> Inputs { return {embedding(in[0], in[1])}; }};
         }},
    };
}

}  // namespace reel::property
