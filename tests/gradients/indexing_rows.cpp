// Rows of ops/indexing/indexing.cpp and ops/indexing/gather.cpp.
#include "tests/gradients/rows.hpp"

namespace reel::testing {

namespace {

using Inputs = std::vector<Tensor>;

Row read(const char* operation, const char* variant, const Shape& sizes, Tensor (*f)(const Tensor&)) {
    return {operation, variant, [f](const Inputs& x) { return f(x[0]); }, {numbers(sizes)}};
}

Row write(const char* operation, const char* variant, const Shape& x, const Shape& value,
          Tensor (*f)(const Tensor&, const Tensor&)) {
    return {operation,
            variant,
            [f](const Inputs& in) { return f(in[0], in[1]); },
            {numbers(x, -2, 2, 1), numbers(value, -2, 2, 2)}};
}

Tensor pairs() { return tensor({{0, 2}, {1, 1}}); }
Tensor mask() { return tensor({{true, false, true}, {false, true, false}}); }

}  // namespace

Rows indexing_rows() {
    return {
        read("index", "rows, one twice", {3, 2},
             [](const Tensor& x) {
                 return x.index({tensor({2, 0, 2})});
             }),
        read("index", "pairs apart, in front", {2, 3, 3},
             [](const Tensor& x) {
                 return x.index({tensor({-1, 0}), Slice(None, None, -1), tensor({{1}, {2}})});
             }),
        read("index", "a mask of two dimensions", {2, 3, 2},
             [](const Tensor& x) { return x.index({mask()}); }),
        write("index_put_", "the last write stays", {3, 2}, {3, 2},
              [](const Tensor& x, const Tensor& value) {
                  return x.index_put({tensor({2, 0, 2})}, value);
              }),
        write("index_put_", "accumulate, broadcast", {3, 2}, {2},
              [](const Tensor& x, const Tensor& value) {
                  return x.index_put({tensor({2, 0, 2})}, value, true);
              }),
        write("index_put_", "mask", {2, 3}, {3},
              [](const Tensor& x, const Tensor& value) { return x.index_put({mask()}, value); }),
        write("index_put_", "into a view", {2, 3}, {2},
              [](const Tensor& x, const Tensor& value) {
                  return x.index_put({Slice(), tensor({2, 0})}, value);
              }),
        read("index_select", "", {2, 3},
             [](const Tensor& x) {
                 return x.index_select(1, tensor({2, 2, 0}));
             }),
        read("masked_select", "", {2, 3}, [](const Tensor& x) { return x.masked_select(mask()); }),
        read("masked_select", "broadcast", {3}, [](const Tensor& x) { return x.masked_select(mask()); }),
        read("embedding", "", {4, 2},
             [](const Tensor& x) {
                 return embedding(tensor({{3, 0}, {3, 3}}), x);
             }),
        read("gather", "last dimension", {2, 3}, [](const Tensor& x) { return x.gather(1, pairs()); }),
        read("gather", "first dimension", {3, 4}, [](const Tensor& x) { return x.gather(0, pairs()); }),
        write("scatter", "the last write stays", {2, 3}, {3, 2},
              [](const Tensor& x, const Tensor& src) { return x.scatter(1, pairs(), src); }),
        read("scatter", "a number", {2, 3}, [](const Tensor& x) { return x.scatter(1, pairs(), 0.5); }),
        write("scatter_add", "", {2, 3}, {2, 2},
              [](const Tensor& x, const Tensor& src) { return x.scatter_add(1, pairs(), src); }),
    };
}

}  // namespace reel::testing
