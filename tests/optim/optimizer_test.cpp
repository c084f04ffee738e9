// Optimizers against PyTorch's trajectories (fixtures/make_optim_fixtures.py), their state, and the
// schedules.
#include "optim/optimizer.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "reel.hpp"

using namespace reel;

namespace {

using nlohmann::json;

const json& fixture() {
    static const json data = json::parse(std::ifstream(REEL_TESTS "/fixtures/optim.json"));
    return data;
}

/// A nested list of numbers as a float64 tensor.
Tensor tensor_of(const json& data) {
    std::vector<double> values;
    Shape sizes;
    for (const json* level = &data; level->is_array(); level = &level->front()) {
        sizes.push_back(static_cast<std::int64_t>(level->size()));
    }
    const std::function<void(const json&)> collect = [&](const json& node) {
        if (!node.is_array()) return values.push_back(node.get<double>());
        for (const json& part : node) collect(part);
    };
    collect(data);
    return tensor(values, kFloat64).view(sizes);
}

/// The problem of the fixture.
struct Problem {
    std::vector<Tensor> params, a, c;

    Problem() {
        for (std::size_t i = 0; i < 2; ++i) {
            params.push_back(tensor_of(fixture()["starts"][i]).set_requires_grad());
            a.push_back(tensor_of(fixture()["a"][i]));
            c.push_back(tensor_of(fixture()["c"][i]));
        }
    }
    Tensor loss() const {
        Tensor sum = zeros({}, kFloat64);
        for (std::size_t i = 0; i < 2; ++i) {
            const Tensor& p = params[i];
            sum = sum + (a[i] * square(p - c[i]) + square(square(p)) / 10).sum();
        }
        return sum;
    }
    void backward() const {
        const Tape tape;
        loss().backward();
    }
    std::vector<double> point() const {
        std::vector<double> values = params[0].to_vector<double>();
        for (double x : params[1].to_vector<double>()) values.push_back(x);
        return values;
    }
};

/// Calls `use` with the optimizer that a case names.
template <class Use>
void with_optimizer(const json& test, const std::vector<Tensor>& params, const Use& use) {
    const json& o = test["options"];
    const double lr = o["lr"];
    const std::string name = test["optimizer"];
    if (name == "SGD") {
        return use(SGD(params, {.lr = lr,
                                .momentum = o.value("momentum", 0.0),
                                .weight_decay = o.value("weight_decay", 0.0),
                                .nesterov = o.value("nesterov", false)}));
    }
    const std::pair<double, double> betas = {o.contains("betas") ? o["betas"][0].get<double>() : 0.9,
                                             o.contains("betas") ? o["betas"][1].get<double>() : 0.999};
    const double eps = o.value("eps", 1e-8);
    if (name == "Adam") {
        return use(Adam(
            params, {.lr = lr, .betas = betas, .eps = eps, .weight_decay = o.value("weight_decay", 0.0)}));
    }
    use(AdamW(params, {.lr = lr, .betas = betas, .eps = eps, .weight_decay = o.value("weight_decay", 0.01)}));
}

void check_close(const std::vector<double>& got, const json& want) {
    REQUIRE(got.size() == want.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
        const double expected = want[i].get<double>();
        CHECK(std::abs(got[i] - expected) <= 1e-12 * std::max(1.0, std::abs(expected)));
    }
}

}  // namespace

TEST_CASE("optimizers follow PyTorch's trajectories to 1e-12") {
    for (const json& test : fixture()["cases"]) {
        CAPTURE(test["optimizer"].dump());
        CAPTURE(test["options"].dump());
        const Problem problem;
        with_optimizer(test, problem.params, [&](auto optimizer) {
            std::size_t next = 0;
            for (int step = 1; next < test["points"].size(); ++step) {
                optimizer.zero_grad();
                problem.backward();
                double norm = 0;
                if (!test["clip"].is_null())
                    norm = clip_grad_norm_(problem.params, test["clip"].get<double>());
                optimizer.step();
                if (step != fixture()["steps"][next].get<int>()) continue;
                check_close(problem.point(), test["points"][next]);
                if (!test["clip"].is_null()) check_close({norm}, json::array({test["norms"][next]}));
                ++next;
            }
        });
    }
}

TEST_CASE("an optimizer that is resumed from its state goes on bit for bit") {
    for (const json& test : fixture()["cases"]) {
        CAPTURE(test["options"].dump());
        const Problem straight;
        const Problem resumed;
        std::map<std::string, Tensor> state;
        with_optimizer(test, straight.params, [&](auto optimizer) {
            for (int step = 0; step < 20; ++step) {
                if (step == 9) {
                    state = optimizer.state();
                    for (std::size_t i = 0; i < 2; ++i) {
                        resumed.params[i].detach().copy_(straight.params[i].detach());
                    }
                }
                optimizer.zero_grad();
                straight.backward();
                optimizer.step();
            }
        });
        with_optimizer(test, resumed.params, [&](auto optimizer) {
            optimizer.load_state(state);
            for (int step = 9; step < 20; ++step) {
                optimizer.zero_grad();
                resumed.backward();
                optimizer.step();
            }
        });
        CHECK(straight.point() == resumed.point());
    }
}

TEST_CASE("a step is not recorded, skips parameters without a gradient, and works on a living tape") {
    const Tensor used = ones({2}).set_requires_grad();
    const Tensor unused = ones({2}).set_requires_grad();
    SGD optimizer({used, unused}, {.lr = 0.5});
    const Tape tape;
    (used * used).sum().backward();
    const std::size_t entries = tape.size();
    optimizer.step();
    CHECK(tape.size() == entries);
    CHECK(used.to_vector<float>() == std::vector<float>{0, 0});
    CHECK(unused.to_vector<float>() == std::vector<float>{1, 1});
}

TEST_CASE("strided and 16-bit parameters are updated as dense float32 ones") {
    const Tensor base = tensor({{1.0, 2.0}, {3.0, 4.0}});
    const Tensor strided = base.t().detach().set_requires_grad();
    const Tensor half = strided.detach().to(kFloat16).set_requires_grad();
    const Tensor plain = strided.detach().clone().set_requires_grad();
    Adam optimizer({strided, half, plain}, {.lr = 0.125});
    for (int step = 0; step < 3; ++step) {
        optimizer.zero_grad();
        const Tape tape;
        (square(strided).sum() + square(half).to(kFloat32).sum() + square(plain).sum()).backward();
        optimizer.step();
    }
    CHECK(strided.to_vector<float>() == plain.to_vector<float>());
    CHECK(half.to(kFloat32).allclose(plain, 1e-2, 1e-2));
    CHECK(half.dtype() == kFloat16);
}

TEST_CASE("an optimizer refuses a state that is not its own, and keeps what it had") {
    const Tensor p = ones({3}).set_requires_grad();
    Adam optimizer({p});
    {
        const Tape tape;
        p.sum().backward();
    }
    optimizer.step();
    const auto state = optimizer.state();
    auto missing = state;
    missing.erase("step");
    CHECK_THROWS_AS(optimizer.load_state(missing), Error);
    auto unknown = state;
    unknown["exp_avg.7"] = p.detach();
    CHECK_THROWS_AS(optimizer.load_state(unknown), Error);
    auto misshapen = state;
    misshapen["exp_avg.0"] = ones({4});
    CHECK_THROWS_AS(optimizer.load_state(misshapen), ShapeError);
    for (const auto& [name, value] : optimizer.state()) CHECK(value.equal(state.at(name)));
}

TEST_CASE("optimizers refuse options and parameters that make no sense") {
    const Tensor p = ones({3}).set_requires_grad();
    CHECK_THROWS_AS(SGD({p}, {.lr = -1}), Error);
    CHECK_THROWS_AS(SGD({p}, {.lr = 1, .nesterov = true}), Error);
    CHECK_THROWS_AS(Adam({p}, {.betas = {1.0, 0.9}}), Error);
    CHECK_THROWS_AS(SGD({arange(3)}), DTypeError);
    const Tape tape;
    CHECK_THROWS_AS(SGD({p * 2}), AutogradError);
}

TEST_CASE("schedules") {
    CHECK(cosine_lr(0, 100, 2.0) == 2.0);
    CHECK(cosine_lr(50, 100, 2.0, 1.0) == doctest::Approx(1.5));
    CHECK(cosine_lr(100, 100, 2.0, 0.5) == doctest::Approx(0.5));
    CHECK(cosine_lr(1000, 100, 2.0, 0.5) == doctest::Approx(0.5));
    CHECK(step_lr(9, 10, 0.5, 1.0) == 1.0);
    CHECK(step_lr(10, 10, 0.5, 1.0) == 0.5);
    CHECK(step_lr(25, 10, 0.5, 1.0) == 0.25);
    CHECK(warmup_lr(0, 10, 1.0) == 0.0);
    CHECK(warmup_lr(5, 10, 1.0) == 0.5);
    CHECK(warmup_lr(10, 10, 1.0) == 1.0);
    CHECK(warmup_lr(11, 10, 1.0) == 1.0);
    CHECK(warmup_lr(0, 0, 1.0) == 1.0);
}
