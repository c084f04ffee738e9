// Random programs, held against the model: values, who requires a gradient, gradients, second derivatives, and
// what is refused. A program that fails is made as short as it can be, and printed with its seed:
//
//     REEL_SEED=44 REEL_CASES=1 build/dev/tests/reel_tests -tc="random programs*"        # this one alone
//     REEL_SEED=1 REEL_CASES=100000 build/dev/tests/reel_tests -tc="random programs*"    # many
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <optional>
#include <sstream>

#include "tests/random/statements.hpp"

using namespace reel;
using namespace reel::random_programs;
using property::Draw;

namespace {

/// What is asked of the last values of a program.
enum class Ending {
    kBackward,        ///< v.backward(weights)
    kGuarded,         ///< the same, under a NoGradGuard
    kTwice,           ///< two values, one after the other
    kOfValue,         ///< grad of a value for another one
    kSecond,          ///< the gradient of Σ c g² for g = grad(…, create_graph)
    kScaledGradient,  ///< backward with create_graph; then one gradient is scaled, and the others must not be
};
constexpr std::int64_t kEndings = 6;

struct Program {
    std::vector<Statement> statements;  ///< statement i has the number i; those taken out have no rule
    Ending ending = Ending::kBackward;
    int output = 0, second_output = 0;  ///< what is rewound; for kOfValue the second is what it is derived by
    std::vector<double> weights;        ///< more than any value has elements

    double weight(std::size_t i) const { return weights[i % weights.size()]; }
};
constexpr int kLeaves = 2;

/// Slopes put on values while the model runs: 1 along a or b on an element, after a statement.
struct Seed {
    int after;
    int value;
    std::size_t element;
    bool along_b;
};

/// Runs `program` in the model. Throws `Refused` with `refused_at` set where the library must refuse.
Arrays run_model(const Program& program, const std::vector<Seed>& seeds, int& refused_at) {
    constexpr double kLarge = 1e6;
    Arrays values;
    for (const Statement& statement : program.statements) {
        Array value;
        if (statement.rule) {
            Arrays in;
            for (const int id : statement.in) in.push_back(values[static_cast<std::size_t>(id)]);
            refused_at = statement.id;
            std::vector<int> written;
            for (const Array& x : in) written.push_back(x.memory->values->written);
            value = statement.rule->model(in, statement);
            if (value || statement.rule->writes) save(statement, in, written, value ? value : in[0]);
            for (const Array& x : value ? Arrays{value} : in) {
                for (std::size_t i = 0; i < x.numel(); ++i) {
                    if (!(std::abs(x[i].x) < kLarge)) throw OutOfReach();
                }
            }
        }
        values.push_back(value);
        for (const Seed& seed : seeds) {
            if (seed.after != statement.id) continue;
            const Array& x = values[static_cast<std::size_t>(seed.value)];
            Slopes& slopes = x.memory->slopes[x.places[seed.element]];
            (seed.along_b ? slopes.b : slopes.a) += 1;
        }
    }
    refused_at = -1;
    return values;
}

Number weighed(const Program& program, const Array& x) {
    Number sum;
    for (std::size_t i = 0; i < x.numel(); ++i) sum = sum + x[i] * program.weight(i);
    return sum;
}

const Array& value(const Arrays& values, int id) { return values[static_cast<std::size_t>(id)]; }

using Gradient = std::vector<double>;

/// The gradient of the weighed output for a leaf.
Gradient model_gradient(const Program& program, int output, int leaf, std::size_t size) {
    Gradient gradient;
    int refused_at = 0;
    for (std::size_t i = 0; i < size; ++i) {
        const Arrays values = run_model(program, {{leaf, leaf, i, false}}, refused_at);
        gradient.push_back(weighed(program, value(values, output)).d.a);
    }
    return gradient;
}

/// For a value: a slope is put on its newest elements.
Gradient model_gradient_of_value(const Program& program, const Arrays& plain) {
    const Array& x = value(plain, program.second_output);
    const int newest = std::max(x.memory->written, program.second_output);
    Gradient gradient;
    int refused_at = 0;
    for (std::size_t i = 0; i < x.numel(); ++i) {
        const Arrays values = run_model(program, {{newest, program.second_output, i, false}}, refused_at);
        gradient.push_back(weighed(program, value(values, program.output)).d.a);
    }
    return gradient;
}

/// ∂/∂x_j Σ_i g_i² for the gradient g of the weighed output for leaf 0.
Gradient model_second(const Program& program, const Gradient& g, int leaf, std::size_t size) {
    Gradient gradient(size);
    int refused_at = 0;
    for (std::size_t j = 0; j < size; ++j) {
        for (std::size_t i = 0; i < g.size(); ++i) {
            const Arrays values = run_model(program, {{0, 0, i, false}, {leaf, leaf, j, true}}, refused_at);
            gradient[j] += 2 * g[i] * weighed(program, value(values, program.output)).d.ab;
        }
    }
    return gradient;
}

struct Difference : std::runtime_error {
    using std::runtime_error::runtime_error;
};
template <class... Parts>
[[noreturn]] void differ(const Parts&... parts) {
    std::ostringstream text;
    (text << ... << parts);
    throw Difference(text.str());
}

void compare(const std::string& what, const Tensor& tensor, const Gradient& expected) {
    constexpr double kTolerance = 1e-7;
    const std::vector<double> found =
        tensor.defined() ? tensor.to_vector<double>() : std::vector<double>(expected.size(), 0.0);
    double size = 1;
    for (const double x : expected) size = std::max(size, std::abs(x));
    for (std::size_t i = 0; i < expected.size(); ++i) {
        if (std::abs(found.at(i) - expected[i]) <= kTolerance * size) continue;
        differ(what, ": element ", i, " is ", found[i], ", not ", expected[i]);
    }
}

/// The library's side of a program. Compares as it goes.
class Run {
public:
    Run(const Program& program, const Arrays& model, int refused_at)
        : program_(program), model_(model), refused_at_(refused_at) {}

    void statements() {
        for (const Statement& statement : program_.statements) {
            Tensor made;
            if (statement.rule) made = run(statement);
            values_.push_back(made);
            if (statement.id == refused_at_) return;
        }
        for (std::size_t i = 0; i < values_.size(); ++i) {
            if (!model_[i]) continue;
            Gradient expected;
            for (std::size_t k = 0; k < model_[i].numel(); ++k) expected.push_back(model_[i][k].x);
            compare("v" + std::to_string(i), values_[i], expected);
            if (values_[i].requires_grad() != model_[i].depends()) {
                differ("v", i, ".requires_grad() is ", values_[i].requires_grad());
            }
        }
    }

    void ending() {
        const Tensor& y = values_[static_cast<std::size_t>(program_.output)];
        const Tensor& other = values_[static_cast<std::size_t>(program_.second_output)];
        switch (program_.ending) {
            case Ending::kBackward:
                y.backward(weights(y));
                return compare_leaves(1, {program_.output});
            case Ending::kGuarded: {
                const NoGradGuard guard;
                y.backward(weights(y));
                return compare_leaves(1, {program_.output});
            }
            case Ending::kTwice:
                y.backward(weights(y), true);
                other.backward(weights(other));
                return compare_leaves(1, {program_.output, program_.second_output});
            case Ending::kOfValue:
                return compare("grad of v" + std::to_string(program_.second_output),
                               grad({y}, {other}, {.grad_outputs = {weights(y)}, .allow_unused = true})[0],
                               model_gradient_of_value(program_, model_));
            case Ending::kSecond:
                return second(y);
            case Ending::kScaledGradient:
                return scaled(y);
        }
    }

private:
    Tensor run(const Statement& statement) {
        Tensors in;
        for (const int id : statement.in) in.push_back(values_[static_cast<std::size_t>(id)]);
        if (statement.id != refused_at_) return statement.rule->library(in, statement);
        try {
            statement.rule->library(in, statement);
        } catch (const Error&) {
            return {};
        }
        differ(text_of(statement), " is not refused");
    }

    Tensor weights(const Tensor& y) const {
        std::vector<double> list;
        for (std::size_t i = 0; i < static_cast<std::size_t>(y.numel()); ++i)
            list.push_back(program_.weight(i));
        return tensor(list, kFloat64).view(y.sizes());
    }

    void compare_leaves(double factor, const std::vector<int>& outputs) const {
        for (int leaf = 0; leaf < kLeaves; ++leaf) {
            const auto size = value(model_, leaf).numel();
            Gradient expected(size);
            for (const int output : outputs) {
                const Gradient part = model_gradient(program_, output, leaf, size);
                for (std::size_t i = 0; i < size; ++i) expected[i] += factor * part[i];
            }
            compare("the gradient of v" + std::to_string(leaf),
                    values_[static_cast<std::size_t>(leaf)].grad(), expected);
        }
    }

    void second(const Tensor& y) const {
        const Tensor g = grad({y}, {values_[0]},
                              {.grad_outputs = {weights(y)}, .create_graph = true, .allow_unused = true})[0];
        const Gradient expected = model_gradient(program_, program_.output, 0, value(model_, 0).numel());
        compare("the gradient of v0", g, expected);
        if (!g.defined()) return;
        g.square().sum().backward();
        for (int leaf = 0; leaf < kLeaves; ++leaf) {
            compare("the second gradient of v" + std::to_string(leaf),
                    values_[static_cast<std::size_t>(leaf)].grad(),
                    model_second(program_, expected, leaf, value(model_, leaf).numel()));
        }
    }

    void scaled(const Tensor& y) const {
        const Tensor v = weights(y);
        const Tensor before = v.clone();
        y.backward(v, false, true);
        const NoGradGuard guard;
        for (int leaf = 0; leaf < kLeaves; ++leaf) {
            const Tensor g = values_[static_cast<std::size_t>(leaf)].grad();
            if (g.defined()) g.mul_(0.5);
        }
        compare_leaves(0.5, {program_.output});
        if (!v.equal(before)) differ("the cotangent has changed");
    }

    const Program& program_;
    const Arrays& model_;
    int refused_at_;
    std::vector<Tensor> values_;
};

/// Whether something was written that a derivative of the rewound values may read.
bool overwritten(const Program& program, const Arrays& model) {
    for (const int output : {program.output, program.second_output}) {
        for (const Saved& saved : value(model, output).memory->saved) {
            if (saved.values->written != saved.written) return true;
        }
    }
    return false;
}

enum class Outcome { kSame, kOutOfReach, kOverwritten };

/// Throws a `Difference`.
Outcome check(const Program& program) {
    int refused_at = -1;
    Arrays model;
    try {
        model = run_model(program, {}, refused_at);
    } catch (const OutOfReach&) {
        return Outcome::kOutOfReach;
    } catch (const Refused&) {
        model.resize(program.statements.size());
    }
    const Tape tape;
    Run run(program, model, refused_at);
    try {
        run.statements();
        if (refused_at < 0) run.ending();
    } catch (const AutogradError& error) {
        // A value that is saved and then written is refused. Where it is not, though the model has it so, the
        // gradient must be right.
        const bool refused = std::string(error.what()).find("overwritten by") != std::string::npos;
        if (refused && refused_at < 0 && overwritten(program, model)) return Outcome::kOverwritten;
        differ("it throws: ", error.what());
    } catch (const Error& error) {
        differ("it throws: ", error.what());
    }
    return Outcome::kSame;
}

/// One more statement, drawn where the values are what the model says; none where nothing fits.
std::optional<Statement> draw_statement(Draw& draw, const Arrays& values, int id) {
    std::int64_t total = 0;
    for (const Rule& rule : rules()) total += rule.weight;
    std::int64_t ticket = draw.whole(0, total - 1);
    for (const Rule& rule : rules()) {
        ticket -= rule.weight;
        if (ticket >= 0) continue;
        Statement statement{&rule, id, {}, {}, {}};
        if (!rule.draw(Scope(draw, values), statement)) return std::nullopt;
        return statement;
    }
    return std::nullopt;
}

std::optional<Program> draw_program(Draw& draw) {
    constexpr std::size_t kMostElements = 12;
    Program program;
    for (int leaf = 0; leaf < kLeaves; ++leaf) {
        Statement statement{&leaf_rule(), leaf, {}, {3}, {}};
        if (leaf == 0) statement.p = draw.pick<Sizes>({{3}, {2, 3}, {3, 2}, {2}});
        for (std::size_t i = 0; i < count(statement.p); ++i) statement.x.push_back(draw.real(-1.5, 1.5));
        program.statements.push_back(statement);
    }
    for (int i = 0; i < 16; ++i) program.weights.push_back(draw.real(-1, 1));
    const std::int64_t length = draw.whole(2, 9);
    Arrays values;
    int refused_at = -1;
    for (std::int64_t tries = 0; tries < 4 * length; ++tries) {
        values = run_model(program, {}, refused_at);
        const auto id = static_cast<int>(program.statements.size());
        if (id >= kLeaves + length) break;
        const auto statement = draw_statement(draw, values, id);
        if (!statement) continue;
        program.statements.push_back(*statement);
        try {
            values = run_model(program, {}, refused_at);
        } catch (const Refused&) {
            return program;
        }
        if (values.back() && values.back().numel() > kMostElements) program.statements.pop_back();
    }
    values = run_model(program, {}, refused_at);
    const Scope scope(draw, values);
    program.ending = static_cast<Ending>(draw.whole(0, kEndings - 1));
    program.output = scope.pick([](const Array& x) { return x.depends(); });
    // A view is not upstream of what it is a view of, though it shows the same memory.
    const bool whole = program.ending == Ending::kOfValue;
    program.second_output = scope.pick([&](const Array& x) { return x.depends() && (x.whole || !whole); });
    return program;
}

/// Whether `program` with other outputs fails too; it is then that.
bool fails_with(Program& program, int output, int second_output) {
    Program other = program;
    other.output = output;
    other.second_output = second_output;
    try {
        check(other);
    } catch (const Difference&) {
        program = other;
        return true;
    } catch (const std::exception&) {
    }
    return false;
}

/// Whether taking statement `id` out, with all that needs it, leaves a program that fails.
bool fails_without(Program& program, int id) {
    Program shorter = program;
    std::vector<bool> gone(shorter.statements.size());
    gone[static_cast<std::size_t>(id)] = true;
    for (Statement& statement : shorter.statements) {
        for (const int in : statement.in) {
            if (gone[static_cast<std::size_t>(in)]) gone[static_cast<std::size_t>(statement.id)] = true;
        }
        if (gone[static_cast<std::size_t>(statement.id)]) statement.rule = nullptr;
    }
    if (gone[static_cast<std::size_t>(shorter.output)] ||
        gone[static_cast<std::size_t>(shorter.second_output)]) {
        return false;
    }
    try {
        check(shorter);
    } catch (const Difference&) {
        program = shorter;
        return true;
    } catch (const std::exception&) {
    }
    return false;
}

std::string shortened(Program program) {
    fails_with(program, program.output, program.output);
    fails_with(program, 0, 0);
    for (bool again = true; again;) {
        again = false;
        for (auto id = static_cast<int>(program.statements.size()); id-- > kLeaves;) {
            again = (program.statements[static_cast<std::size_t>(id)].rule && fails_without(program, id)) ||
                    again;
        }
    }
    static const char* const kEndingNames[] = {
        "backward", "backward under a NoGradGuard",          "backward twice",
        "grad for", "the gradient of the gradient's square", "backward(create_graph), gradients halved"};
    std::ostringstream out;
    try {
        check(program);
    } catch (const std::exception& difference) {
        out << difference.what() << '\n';
    }
    for (const Statement& statement : program.statements) {
        if (statement.rule) out << "  " << text_of(statement) << '\n';
    }
    out << "  " << kEndingNames[static_cast<int>(program.ending)] << " v" << program.output << " (v"
        << program.second_output << ")";
    return out.str();
}

std::uint64_t variable(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

}  // namespace

TEST_CASE("random programs do what the model does") {
    constexpr std::uint64_t kCases = 10000;
    constexpr std::uint64_t kSpread = 0xd1342543de82ef95U;  // neighbours draw nothing alike
    const std::uint64_t first = variable("REEL_SEED", 1);
    const std::uint64_t cases = variable("REEL_CASES", kCases);
    const std::uint64_t most = variable("REEL_FAILURES", 1);
    std::uint64_t compared = 0;
    std::uint64_t failures = 0;
    for (std::uint64_t seed = first; seed < first + cases && failures < most; ++seed) {
        Draw draw(seed * kSpread);
        std::optional<Program> program;
        try {
            program = draw_program(draw);
            if (program) compared += check(*program) == Outcome::kSame;
        } catch (const OutOfReach&) {
        } catch (const Difference&) {
            ++failures;
            FAIL_CHECK(shortened(*program), "\nagain: REEL_SEED=", seed, " REEL_CASES=1");
        }
    }
    // Most programs are compared to their end, or the test tests little.
    if (cases >= kCases) CHECK(compared > cases / 2);
}
