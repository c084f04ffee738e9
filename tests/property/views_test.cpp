// Round trips: what is taken apart, turned or laid out anew and put back is what it was; and one way to say a
// thing equals another.
#include <doctest/doctest.h>

#include "tests/property/property.hpp"

using namespace reel;
using namespace reel::property;

namespace {

Tensor any_tensor(Draw& draw, std::int64_t least = 0, std::int64_t most = 4) {
    return draw.tensor(draw.shape(least, most), draw.any_type());
}

/// `sizes` with neighbours multiplied together: what a dense tensor can be viewed as.
Shape merged(Draw& draw, const Shape& sizes) {
    Shape result;
    for (const std::int64_t size : sizes) {
        if (!result.empty() && draw.chance(0.5)) {
            result.back() *= size;
        } else {
            result.push_back(size);
        }
    }
    if (result.empty()) result.push_back(1);
    return result;
}

}  // namespace

TEST_CASE("property: views round trip") {
    constexpr int kCases = 200;
    for_all("view and back", kCases, [](Draw& draw) {
        const Tensor x = dense(any_tensor(draw));
        const Tensor y = x.view(merged(draw, x.sizes()));
        demand(y.shares_storage(x), "a view copies");
        demand_same(y.view(x.sizes()), x, "view");
        demand_same(y.flatten(), x.reshape({-1}), "flatten");
    });
    for_all("reshape reads in row-major order", kCases, [](Draw& draw) {
        const Tensor x = any_tensor(draw);
        const Shape to = merged(draw, x.sizes());
        demand_same(x.reshape(to), dense(x).view(to), "reshape");
    });
    for_all("permute and back", kCases, [](Draw& draw) {
        const Tensor x = any_tensor(draw);
        const Shape order = draw.permutation(x.dim());
        Shape inverse = order;
        Shape natural = order;
        for (std::size_t d = 0; d < order.size(); ++d) {
            inverse[static_cast<std::size_t>(order[d])] = static_cast<std::int64_t>(d);
            natural[d] = static_cast<std::int64_t>(d);
        }
        const Tensor y = x.permute(order);
        demand_same(y.permute(inverse), x, "permute");
        demand_same(x.movedim(order, natural), y, "movedim");
        demand_same(y.movedim(natural, order), x, "movedim back");
    });
    for_all("transpose, flip and unsqueeze twice", kCases, [](Draw& draw) {
        const Tensor x = any_tensor(draw, 1);
        const std::int64_t i = draw.dim(x.dim());
        const std::int64_t j = draw.dim(x.dim());
        demand_same(x.transpose(i, j).transpose(j, i), x, "transpose");
        demand_same(x.flip({i}).flip({i}), x, "flip");
        demand_same(x.unsqueeze(i).squeeze(i), x, "unsqueeze");
        demand_same(x.unflatten(i, {1, x.size(i)}).flatten(i < 0 ? i - 1 : i, i < 0 ? i : i + 1), x,
                    "unflatten");
    });
    for_all("expanded, every element is the first", kCases, [](Draw& draw) {
        const Tensor x = any_tensor(draw, 0, 3).unsqueeze(0);
        Shape sizes = x.sizes();
        sizes[0] = draw.whole(1, 4);
        const Tensor y = x.expand(sizes);
        demand(y.stride(0) == 0 || sizes[0] == 1, "expand copies");
        demand_same(y[draw.whole(0, sizes[0] - 1)], x[0], "expand");
    });
    for_all("windows that do not overlap are the rows of a matrix", kCases, [](Draw& draw) {
        const Tensor x = any_tensor(draw, 1);
        const std::int64_t dim = draw.dim(x.dim());
        const std::int64_t size = draw.whole(1, std::max<std::int64_t>(1, x.size(dim)));
        const std::int64_t count = x.size(dim) / size;
        if (count == 0) return;
        const Tensor rows = x.narrow(dim, 0, count * size).unflatten(dim, {count, size});
        demand_same(x.unfold(dim, size, size), rows.movedim({dim < 0 ? dim : dim + 1}, {-1}), "unfold");
    });
}

TEST_CASE("property: parts put together again are the whole") {
    constexpr int kCases = 200;
    for_all("split, chunk and unbind", kCases, [](Draw& draw) {
        const Tensor x = any_tensor(draw, 1);
        const std::int64_t dim = draw.dim(x.dim());
        demand_same(cat(x.split(draw.whole(1, 4), dim), dim), x, "split");
        demand_same(cat(x.chunk(draw.whole(1, 4), dim), dim), x, "chunk");
        if (x.size(dim) == 0) return;
        demand_same(stack(x.unbind(dim), dim), x, "unbind");
        const std::int64_t first = draw.whole(0, x.size(dim));
        demand_same(cat(x.split({first, x.size(dim) - first}, dim), dim), x, "split in two");
    });
    for_all("rolled, padded, repeated and back", kCases, [](Draw& draw) {
        const Tensor x = any_tensor(draw, 1);
        const std::int64_t dim = draw.dim(x.dim());
        const std::int64_t shift = draw.whole(-5, 5);
        demand_same(roll(roll(x, shift, dim), -shift, dim), x, "roll");
        const std::int64_t before = draw.whole(0, 3);
        const std::int64_t behind = draw.whole(0, 3);
        demand_same(pad(pad(x, {before, behind}), {-before, -behind}), x, "pad");
        const std::int64_t times = draw.whole(1, 3);
        const Tensor wide = repeat_interleave(x, times, dim);
        demand_same(wide.slice(dim, 0, None, times), x, "repeat_interleave");
        Shape repeats = Shape::filled(x.sizes().size(), 1);
        repeats.back() = times;
        demand_same(repeat(x, repeats).chunk(times, -1).back(), x, "repeat");
    });
    for_all("a matrix is its triangles", kCases, [](Draw& draw) {
        const Tensor x = draw.wholes(draw.shape(2), kFloat64, 1, 9);
        const std::int64_t diagonal = draw.whole(-3, 3);
        demand_same(tril(x, diagonal) + triu(x, diagonal + 1), x + 0, "tril and triu");
    });
}

TEST_CASE("property: an index reads what it writes") {
    constexpr int kCases = 200;
    for_all("slices", kCases, [](Draw& draw) {
        const Tensor x = any_tensor(draw, 1);
        const std::int64_t dim = draw.whole(0, x.dim() - 1);
        TensorIndices words(static_cast<std::size_t>(dim), Slice());
        words.emplace_back(Slice(None, None, -1));
        demand_same(x.index(words), x.flip({dim}), "a slice backwards");
        const std::int64_t step = draw.whole(1, 3);
        words.back() = Slice(1, None, step);
        demand_same(x.index(words), x.slice(dim, 1, None, step), "a slice");
        words.back() = arange(x.size(dim)).flip({0});
        demand_same(x.index(words), x.flip({dim}), "an index tensor");
        if (x.size(dim) == 0) return;
        const std::int64_t i = draw.whole(-x.size(dim), x.size(dim) - 1);
        words.back() = i;
        demand_same(x.index(words), x.select(dim, i), "an integer");
    });
    for_all("index_put of what index reads changes nothing", kCases, [](Draw& draw) {
        const Tensor x = any_tensor(draw, 1);
        const Tensor mask = draw.tensor(x.sizes(), kBool);
        demand_same(x.index_put({mask}, x.index({mask})), x, "by a mask");
        if (x.size(0) == 0) return;
        const Tensor rows = draw.wholes({draw.whole(0, 5)}, kInt64, -x.size(0), x.size(0) - 1);
        demand_same(x.index_put({rows}, x.index({rows})), x, "by an index");
    });
    for_all("masks", kCases, [](Draw& draw) {
        const Tensor x = any_tensor(draw);
        const Tensor mask = draw.tensor(x.sizes(), kBool);
        demand_same(x.index({mask}), x.masked_select(mask), "masked_select");
        const Tensor places = mask.nonzero();
        demand(places.size(0) == mask.count_nonzero().item<std::int64_t>(), "count_nonzero");
        if (x.dim() == 0) return;
        TensorIndices words;
        for (const Tensor& column : places.unbind(1)) words.emplace_back(column);
        demand_same(x.index(words), x.masked_select(mask), "nonzero");
    });
    for_all("gather, index_select and embedding are indices", kCases, [](Draw& draw) {
        const Tensor x = any_tensor(draw, 2, 2);
        if (x.numel() == 0) return;
        const Tensor columns = draw.wholes({x.size(0), draw.whole(0, 4)}, kInt64, 0, x.size(1) - 1);
        demand_same(x.gather(1, columns), x.index({arange(x.size(0)).unsqueeze(1), columns}), "gather");
        demand_same(take_along_dim(x, columns, 1), x.gather(1, columns), "take_along_dim");
        const Tensor rows = draw.wholes({draw.whole(0, 4)}, kInt64, 0, x.size(0) - 1);
        demand_same(x.index_select(0, rows), x.index({rows}), "index_select");
        demand_same(embedding(rows, x), x.index({rows}), "embedding");
    });
}

TEST_CASE("property: order") {
    constexpr int kCases = 300;
    for_all("sort", kCases, [](Draw& draw) {
        const Tensor x = any_tensor(draw, 1);
        const std::int64_t dim = draw.dim(x.dim());
        const bool down = draw.chance(0.5);
        const auto [values, indices] = x.sort(dim, down);
        demand_same(x.gather(dim, indices), values, "the values are where the indices say");
        demand_same(x.argsort(dim, down), indices, "argsort");
        demand_same(values.gather(dim, indices.argsort(dim)), x, "sorted and back");
        const std::int64_t k = draw.whole(0, x.size(dim));
        demand_same(x.topk(k, dim, down).values, values.narrow(dim, 0, k), "topk");
        demand_same(values.sort(dim, down).indices, indices.sort(dim).values, "what is sorted stays");
    });
    for_all("the last of a scan is the reduction", kCases, [](Draw& draw) {
        const Tensor x = draw.wholes(draw.shape(1, 3), kInt64, -2, 2);
        const std::int64_t dim = draw.dim(x.dim());
        if (x.size(dim) == 0) return;
        demand_same(x.cumsum(dim).select(dim, -1), x.sum(dim), "cumsum");
        demand_same(x.cumprod(dim).select(dim, -1), x.prod(dim), "cumprod");
        demand_same(x.max(dim).values, x.amax(dim), "max");
        demand_same(x.gather(dim, x.argmin(dim, true)), x.amin(dim, true), "argmin");
    });
}
