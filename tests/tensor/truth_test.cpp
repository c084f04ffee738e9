// Bools in memory of the caller: any byte but 0 is true, to every operation that reads one.
#include <doctest/doctest.h>

#include <sstream>

#include "files.hpp"
#include "reel.hpp"

using namespace reel;
using namespace reel::testing;

namespace {

/// The bytes 0, 255, 255, 0 as bools.
struct Bytes {
    std::uint8_t bytes[4] = {0, 255, 255, 0};
    Tensor m = from_blob(bytes, {4}, kBool);
};

using Wholes = std::vector<std::int64_t>;

Wholes wholes(const Tensor& x) { return x.to_vector<std::int64_t>(); }

}  // namespace

TEST_CASE("any byte of a bool but 0 is true: reductions and scans") {
    const Bytes b;
    CHECK(b.m.sum().item<int>() == 2);
    CHECK(b.m.count_nonzero().item<int>() == 2);
    CHECK(b.m.expand({3, 4}).sum({0}).equal(tensor({0, 3, 3, 0})));
    CHECK(b.m.view({2, 2}).sum({1}).equal(tensor({1, 1})));
    CHECK(wholes(b.m.cumsum(0)) == Wholes{0, 1, 2, 2});
    CHECK(b.m.any().item<bool>());
    CHECK_FALSE(b.m.all().item<bool>());
    CHECK(b.m.slice(0, 1, 3).all().item<bool>());
    std::uint8_t mixed[] = {1, 2, 255, 128};
    const Tensor all = from_blob(mixed, {4}, kBool);
    CHECK(all.prod().item<int>() == 1);
    for (const Tensor& y : {all.any(), all.all(), all.amax(), all.amin(), all.view({2, 2}).any({0})[0]}) {
        CHECK(y.data_ptr<Bool>()->byte == 1);
    }
    CHECK(all.max(0).indices.item<int>() == 0);  // the first of equals
    CHECK(all.min(0).indices.item<int>() == 0);
    CHECK(b.m.max(0).indices.item<int>() == 1);
}

TEST_CASE("any byte of a bool but 0 is true: masks and choices") {
    const Bytes b;
    const Tensor x = tensor({1, 2, 3, 4});
    CHECK(wholes(b.m.nonzero()) == Wholes{1, 2});
    CHECK(wholes(x.masked_select(b.m)) == Wholes{2, 3});
    CHECK(wholes(x.index({b.m})) == Wholes{2, 3});
    CHECK(wholes(where(b.m, x, 0)) == Wholes{0, 2, 3, 0});
    CHECK(wholes(where(b.m, x.to(kFloat16), 0)) == Wholes{0, 2, 3, 0});
    CHECK(wholes(x.masked_fill(b.m, 9)) == Wholes{1, 9, 9, 4});
    CHECK(wholes(x.clone().masked_fill_(b.m, 9)) == Wholes{1, 9, 9, 4});
    CHECK(wholes(x.clone().index_put_({b.m}, 7)) == Wholes{1, 7, 7, 4});
    CHECK(wholes(x.index({b.m[1]})) == Wholes{1, 2, 3, 4});
    const Tensor p = masked_softmax(zeros({4}), b.m, 0);
    CHECK(p.to_vector<double>() == std::vector<double>{0, 0.5, 0.5, 0});
}

TEST_CASE("any byte of a bool but 0 is true: conversions, arithmetic, comparisons") {
    const Bytes b;
    const Tensor truth = tensor({false, true, true, false});
    for (DType dtype : {kBool, kInt64, kFloat16, kBFloat16, kFloat32, kFloat64}) {
        CHECK(wholes(b.m.to(dtype)) == Wholes{0, 1, 1, 0});
        CHECK(wholes(b.m + zeros({4}, dtype)) == Wholes{0, 1, 1, 0});
        CHECK(wholes(pow(b.m.to(kInt64), 2)) == Wholes{0, 1, 1, 0});
        CHECK(wholes(zeros({4}, dtype).copy_(b.m)) == Wholes{0, 1, 1, 0});
    }
    CHECK(b.m.equal(truth));
    CHECK((b.m == truth).all().item<bool>());
    CHECK_FALSE((b.m > truth).any().item<bool>());
    CHECK(wholes(b.m.logical_not()) == Wholes{1, 0, 0, 1});
    CHECK(wholes(b.m.logical_xor(truth)) == Wholes{0, 0, 0, 0});
    CHECK(wholes(b.m.logical_and(truth)) == Wholes{0, 1, 1, 0});
    CHECK(wholes(b.m * truth) == Wholes{0, 1, 1, 0});
    CHECK(wholes(b.m + 1) == Wholes{1, 2, 2, 1});
    CHECK(wholes(pow(2, b.m)) == Wholes{1, 2, 2, 1});
    CHECK(allclose(b.m, truth));
}

TEST_CASE("any byte of a bool but 0 is true: copies, order, printing, files") {
    const Bytes b;
    CHECK(b.m[1].item<int>() == 1);
    CHECK(b.m[1].item<bool>());
    CHECK(b.m.to_vector<double>() == std::vector<double>{0, 1, 1, 0});
    CHECK(wholes(cat({b.m, b.m.to(kInt64)})) == Wholes{0, 1, 1, 0, 0, 1, 1, 0});
    CHECK(wholes(cat({b.m, b.m})) == Wholes{0, 1, 1, 0, 0, 1, 1, 0});
    std::uint8_t mixed[] = {2, 0, 255, 1};
    const Tensor m = from_blob(mixed, {4}, kBool);
    const auto [values, indices] = m.sort(0, true);
    CHECK(wholes(values) == Wholes{1, 1, 1, 0});
    CHECK(wholes(indices) == Wholes{0, 2, 3, 1});
    CHECK(wholes(m.gather(0, tensor({2, 1}))) == Wholes{1, 0});
    CHECK(wholes(zeros({2}, kBool).scatter_add(0, tensor({0, 0, 1, 0}), m)) == Wholes{1, 1});
    std::ostringstream out;
    out << m;
    CHECK(out.str() == "tensor([ True, False,  True,  True])");
    const Directory directory;
    save_npy(directory / "m.npy", m);
    const Tensor npy = load_npy(directory / "m.npy");
    save_safetensors(directory / "m.safetensors", {{"m", m}});
    const Tensor loaded = load_safetensors(directory / "m.safetensors").at("m");
    CHECK(read_bytes(directory / "m.npy").ends_with(std::string("\1\0\1\1", 4)));
    CHECK(read_bytes(directory / "m.safetensors").ends_with(std::string("\1\0\1\1", 4)));
    CHECK(npy.equal(loaded));
}
