// The named parameter list: made once, taken by everything.
#include <doctest/doctest.h>

#include "reel.hpp"
#include "tests/directory.hpp"
#include "tests/messages.hpp"

using namespace reel;
using namespace reel::testing;

namespace {

Parameters layer(std::int64_t inputs, std::int64_t outputs) {
    return {{"weight", randn({outputs, inputs})}, {"bias", zeros({outputs})}};
}

}  // namespace

TEST_CASE("parameters: names in the order of adding and leaves that require grad and no copies") {
    Parameters p;
    const Tensor scale = p.add("scale", tensor(2.0));
    p.add("first", layer(3, 4));
    std::string names;
    for (const auto& [name, tensor] : p) {
        names += name + " ";
        CHECK(tensor.is_leaf());
        CHECK(tensor.requires_grad());
    }
    CHECK(names == "scale first.weight first.bias ");
    CHECK(p.size() == 3);
    CHECK(p.numel() == 1 + 12 + 4);
    CHECK(p["scale"].is_same(scale));
    CHECK(p["first.weight"].sizes() == Shape{4, 3});

    const Tape tape;
    const Tensor w = ones({2}).set_requires_grad();
    const Tensor recorded = p.add("recorded", w * 2);
    CHECK(recorded.is_leaf());
}

TEST_CASE("parameters: optimizers, clipping, files and checkpoints take the list") {
    manual_seed(1);
    const Parameters p = layer(3, 4);
    const Tensor x = ones({5, 3});
    SGD sgd(p, {.lr = 0.5});
    {
        Tape tape;
        linear(x, p["weight"], p["bias"]).sum().backward();
    }
    CHECK(clip_grad_norm_(p, 100) == doctest::Approx(std::sqrt(16 * 25.0)));
    sgd.step();
    CHECK(p["bias"].to_vector<double>() == std::vector<double>(4, -2.5));

    const Directory directory;
    const std::string file = directory / "parameters.safetensors";
    save_safetensors(file, p);
    CHECK(load_safetensors(file).at("bias").equal(p["bias"]));
    const Parameters other = layer(3, 4);
    const Tensor held = other["weight"];
    load_safetensors(file, other);
    CHECK(held.equal(p["weight"]));
    CHECK(held.requires_grad());

    const std::string checkpoint = directory / "checkpoint.safetensors";
    save_checkpoint(checkpoint, p, sgd, 7);
    CHECK(load_safetensors(checkpoint).count("parameter.weight") == 1);
    const Parameters third = layer(3, 4);
    CHECK(load_checkpoint(checkpoint, third, sgd) == 7);
    CHECK(third["weight"].equal(p["weight"]));
}

TEST_CASE("parameters: with and to serve gradcheck") {
    manual_seed(2);
    const Parameters p = layer(3, 4);
    const Tensor x = randn({5, 3}, kFloat64);
    const auto loss = [&](const std::vector<Tensor>& tensors) {
        const Parameters q = p.with(tensors);
        return linear(x, q["weight"], q["bias"]).tanh().sum();
    };
    CHECK(gradcheck(loss, p.to(kFloat64)));
}

TEST_CASE("parameters: what does not fit is refused by name and changes nothing") {
    Parameters p = layer(3, 4);
    const Tensor before = p["bias"].clone();
    CHECK(contains(message_of<Error>([&] { p.add("bias", zeros({1})); }), "\"bias\""));
    CHECK(contains(message_of<Error>([&] { p["wieght"]; }), "weight, bias"));
    CHECK(contains(message_of<Error>([&] { p.with({before}); }), "1 tensors for 2 names"));
    const Tensor w = zeros({4, 3});
    CHECK(contains(message_of<Error>([&] { p.load({{"weight", w}}); }), "\"bias\" is missing"));
    CHECK(contains(message_of<Error>([&] {
                       p.load({{"weight", w}, {"bias", zeros({5})}});
                   }),
                   "shape [5], not [4]"));
    CHECK(contains(message_of<Error>([&] {
                       p.load({{"weight", w}, {"bias", before}, {"more", w}});
                   }),
                   "\"more\""));
    CHECK_FALSE(p["weight"].equal(w));
}

TEST_CASE("parameters: load is whole or not at all") {
    const Tensor expanded = zeros({1}).expand({3});
    const Parameters p = {{"a", zeros({2})}, {"b", expanded}};
    CHECK_THROWS_AS(p.load({{"a", ones({2})}, {"b", ones({3})}}), ShapeError);
    CHECK(p["a"].equal(zeros({2})));
    CHECK(contains(message_of<Error>([&] {
                       p.load({{"a", Tensor()}, {"b", ones({3})}});
                   }),
                   "\"a\" is an undefined tensor"));
}

TEST_CASE("parameters: load may take values from the memory that it writes") {
    const Parameters p = {
        {"a", tensor({1.0, 2.0})}, {"b", tensor({3.0, 4.0})}, {"c", arange(4.0).view({2, 2}).t()}};
    p.load({{"a", p["b"]}, {"b", p["a"]}, {"c", p["c"].t()}});
    CHECK(p["a"].equal(tensor({3.0, 4.0})));
    CHECK(p["b"].equal(tensor({1.0, 2.0})));
    CHECK(p["c"].equal(arange(4.0).view({2, 2})));
    p.load({{"a", tensor({5, 6})}, {"b", zeros({2}, kFloat64)}, {"c", ones({4}).as_strided({2, 2}, {1, 2})}});
    CHECK(p["a"].equal(tensor({5.0, 6.0})));  // converted
    CHECK(p["c"].equal(ones({2, 2})));
}
