// Checkpoints: training goes on bit for bit, and what does not fit changes nothing. That a killed run leaves
// a whole file is tested on a training that is killed (examples/checkpoint_test.cmake).
#include "optim/checkpoint.hpp"

#include <doctest/doctest.h>

#include "reel.hpp"
#include "tests/tensor/files.hpp"

using namespace reel;
using namespace reel::testing;

namespace {

/// A model that draws random numbers while it trains.
struct Training {
    std::vector<Tensor> params;

    explicit Training(DType dtype = kFloat32) {
        manual_seed(3);
        params = {randn({4, 3}, kFloat32).to(dtype).set_requires_grad(),
                  zeros({3}, dtype).set_requires_grad()};
    }
    void step(auto& optimizer) const {
        const Tensor x = randn({8, 4}).to(params[0].dtype());
        const Tape tape;
        const Tensor loss = cross_entropy(dropout(x, 0.2).matmul(params[0]) + params[1], randint(3, {8}));
        loss.backward();
        optimizer.step();
        optimizer.zero_grad();
    }
};

bool same(const std::map<std::string, Tensor>& a, const std::map<std::string, Tensor>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
        return x.first == y.first && identical(x.second, y.second);
    });
}

/// Ten steps, a checkpoint, ten steps more; and the same from the checkpoint.
template <class Make>
void check_resume(DType dtype, const Make& make) {
    const Directory directory;
    const std::string path = directory / "checkpoint";
    const Training first(dtype);
    auto optimizer = make(first.params);
    for (int i = 0; i < 10; ++i) first.step(optimizer);
    optimizer.set_lr(0.02);
    save_checkpoint(path, first.params, optimizer, 10);
    for (int i = 0; i < 10; ++i) first.step(optimizer);
    const Tensor drawn = rand({4});

    const Training second(dtype);
    auto again = make(second.params);
    CHECK(load_checkpoint(path, second.params, again) == 10);
    for (int i = 0; i < 10; ++i) second.step(again);
    CHECK(rand({4}).equal(drawn));
    CHECK(identical(first.params[0].detach(), second.params[0].detach()));
    CHECK(identical(first.params[1].detach(), second.params[1].detach()));
    CHECK(second.params[0].requires_grad());
    CHECK(same(optimizer.state(), again.state()));
}

}  // namespace

TEST_CASE("checkpoint: training goes on bit for bit") {
    const auto adamw = [](const std::vector<Tensor>& p) { return AdamW(p, {.lr = 0.1}); };
    for (const DType dtype : {kFloat32, kFloat64, kBFloat16}) {
        CAPTURE(dtype);
        check_resume(dtype, adamw);
        check_resume(dtype,
                     [](const std::vector<Tensor>& p) { return SGD(p, {.lr = 0.1, .momentum = 0.9}); });
    }
    check_resume(kFloat32, [](const std::vector<Tensor>& p) { return SGD(p, {.lr = 0.1}); });
    check_resume(kFloat32, [](const std::vector<Tensor>& p) { return Adam(p, {.lr = 0.1}); });
}

TEST_CASE("checkpoint: the file is safetensors, with names that say what is what") {
    const Directory directory;
    const std::string path = directory / "checkpoint";
    const Training training;
    AdamW optimizer(training.params);
    training.step(optimizer);
    manual_seed(0xffff'ffff'ffff'fffe);
    rand({9});
    save_checkpoint(path, training.params, optimizer, 1);
    const auto entries = load_safetensors(path);
    std::vector<std::string> names;
    for (const auto& [name, value] : entries) names.push_back(name);
    CHECK(names == std::vector<std::string>{"generator", "optimizer.exp_avg.0", "optimizer.exp_avg.1",
                                            "optimizer.exp_avg_sq.0", "optimizer.exp_avg_sq.1",
                                            "optimizer.lr", "optimizer.step", "optimizer.step.0",
                                            "optimizer.step.1", "parameter.0", "parameter.1", "step"});
    CHECK(identical(entries.at("parameter.0"), training.params[0].detach()));
    CHECK(entries.at("generator").to_vector<std::int64_t>() == std::vector<std::int64_t>{-2, 3});
    CHECK(load_checkpoint(path, training.params, optimizer) == 1);
    CHECK(generator_state().seed == 0xffff'ffff'ffff'fffe);
}

TEST_CASE("checkpoint: what does not fit is refused, and nothing is changed") {
    const Directory directory;
    const std::string path = directory / "checkpoint";
    const Training training;
    AdamW optimizer(training.params);
    training.step(optimizer);
    save_checkpoint(path, training.params, optimizer, 1);
    const auto good = load_safetensors(path);
    training.step(optimizer);

    const auto refused = [&](std::map<std::string, Tensor> entries, const char* because) {
        save_safetensors(path, entries);
        const auto state = optimizer.state();
        const Tensor w = training.params[0].detach().clone();
        const GeneratorState before = generator_state();
        CHECK_THROWS_WITH_AS(load_checkpoint(path, training.params, optimizer), doctest::Contains(because),
                             Error);
        CHECK(same(optimizer.state(), state));
        CHECK(identical(training.params[0].detach(), w));
        CHECK(generator_state().counter == before.counter);
    };
    const auto with = [&](const std::string& name, const Tensor& value) {
        auto entries = good;
        entries[name] = value;
        return entries;
    };
    for (const char* name : {"parameter.1", "generator", "step", "optimizer.lr"}) {
        CAPTURE(name);
        auto entries = good;
        entries.erase(name);
        refused(entries, std::string(name) == "optimizer.lr" ? "\"lr\" or \"step\" is missing" : "has no");
    }
    refused(with("parameter.0", zeros({3, 4})), "expected");
    refused(with("parameter.1", zeros({3}, kFloat64)), "is float64, expected float32");
    refused(with("parameter.2", zeros({3})), "has \"parameter.2\", which belongs to no parameter here");
    refused(with("optimizer.exp_avg.0", zeros({2})), "exp_avg.0");
    refused(with("optimizer.momentum.0", zeros({4, 3})), "belong to no parameter");
    CHECK_THROWS_AS(load_checkpoint(directory / "absent", training.params, optimizer), IoError);

    save_safetensors(path, good);
    CHECK(load_checkpoint(path, training.params, optimizer) == 1);
}
