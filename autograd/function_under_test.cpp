#include "autograd/function_under_test.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>

#include "tensor/factory.hpp"
#include "tensor/random.hpp"

namespace reel::detail {

namespace {

Tensor leaf(const Shape& sizes, const Shape& strides, DType dtype, std::span<const double> elements) {
    return placed(sizes, strides, dtype, elements).set_requires_grad();
}

Shape strided(Shape strides, Placing placing) {
    if (placing == Placing::kApart) {
        for (std::int64_t& stride : strides) stride *= 2;
    }
    return strides;
}

/// The operations on the tape, in order.
std::string operations_of(const Tape& tape) {
    constexpr std::size_t kMost = 6;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < tape.size(); ++i) {
        const std::string name = tape.state().nodes[i].name;
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
    if (names.empty()) return "a function that records nothing";
    std::string text = names[0];
    for (std::size_t i = 1; i < std::min(names.size(), kMost); ++i) text += ", " + names[i];
    return names.size() > kMost ? text + ", ..." : text;
}

bool same_bits(const Numbers& a, const Numbers& b) {
    const auto bits = [](double x) { return std::bit_cast<std::uint64_t>(x); };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [&](double x, double y) { return bits(x) == bits(y); });
}

/// Above it outputs are weighed and added up, so many at a time, before they are differenced.
constexpr std::size_t kMostOutputs = 1024;

/// How far beside x, relatively, the rounding of a second derivative is looked for.
constexpr double kBeside = 0x1p-24;

}  // namespace

Numbers elements_of(const std::vector<Tensor>& tensors) {
    Numbers all;
    for (const Tensor& tensor : tensors) {
        const Numbers elements = tensor.to_vector<double>();
        all.insert(all.end(), elements.begin(), elements.end());
    }
    return all;
}

double Weights::operator()() {
    constexpr int kSeedBits = 32;
    constexpr int kBits = 20;
    const auto [size, sign, unused, also_unused] =
        philox4x32({drawn_++, 0, 0, 0},
                   {static_cast<std::uint32_t>(seed_), static_cast<std::uint32_t>(seed_ >> kSeedBits)});
    const double weight = 0.5 + std::ldexp(static_cast<double>(size % (1U << kBits)), -kBits);
    return sign & 1 ? weight : -weight;
}

FunctionUnderTest::FunctionUnderTest(const TensorFunction& f, const std::vector<Tensor>& inputs,
                                     const GradcheckOptions& options, const Numbers& floor)
    : f_(f),
      inputs_(inputs),
      full_(options.mode == GradcheckMode::kFullJacobian),
      accuracy_(options.accuracy),
      draw_(options.seed) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (inputs[i].is_floating_point()) numbers_.push_back(i);
    }
    if (numbers_.empty()) {
        fail<DTypeError>("gradcheck: none of the ", inputs.size(),
                         " inputs is floating-point, as float64 is");
    }
    choose_dtype();
    std::size_t begin = 0;
    for (const std::size_t number : numbers_) {
        perturbed_.emplace_back(inputs_[number], dtype_);
        const Numbers& home = perturbed_.back().home();
        subject_.x.insert(subject_.x.end(), home.begin(), home.end());
        subject_.groups.push_back({begin, begin + home.size()});
        begin += home.size();
    }
    subject_.single = dtype_ == kFloat32;
    subject_.elements = options.mode != GradcheckMode::kProjection;
    run(options.name, floor);
    subject_.f = [this](std::span<const double> x) { return values(x); };
    if (weights_.size() <= kMostOutputs) subject_.floor = floor;
}

/// Where a function saturates its gradient is next to nothing, made of numbers that are not, as 1 − tanh² is: it has
/// their rounding, which may be the same for all points nearby, and so not seen. Those numbers are of the size by which
/// the function differs from that at 0, divided by the argument.
Numbers FunctionUnderTest::gradient_floor() const {
    constexpr double kUnits = 32 * std::numeric_limits<double>::epsilon();
    constexpr double kSaturated = 1e-4;
    double change = 0;
    try {
        const Numbers here = values(subject_.x);
        const Numbers there = values(Numbers(subject_.x.size()));
        for (std::size_t i = 0; i < here.size(); ++i) {
            const double difference = std::abs(here[i] - there[i]);
            if (std::isfinite(difference)) change = std::max(change, difference);
        }
    } catch (const std::exception&) {
        // No number at 0.
    }
    Numbers floor;
    for (std::size_t i = 0; i < subject_.x.size(); ++i) {
        const double natural = change / (subject_.x[i] != 0 ? std::abs(subject_.x[i]) : 1);
        double slope = 0;
        for (const Numbers& row : subject_.analytic) slope = std::max(slope, std::abs(row[i]));
        floor.push_back(slope < kSaturated * natural ? kUnits * natural : 0);
    }
    return floor;
}

/// A second derivative is made of such numbers, too: silu'' at 37.5 is 0 for the tape, 1.7e-15 in truth. Where it is the
/// same at points beside, their rounding may be all it is; where it varies it is some of it.
void FunctionUnderTest::heed_floor(const Numbers& floor, const check::detail::Beside& beside) {
    constexpr double kUnits = 512 * std::numeric_limits<double>::epsilon();
    constexpr double kSame = 1e-10;
    constexpr double kPart = 1e-5;
    constexpr double kFast = 64;  // the length over which it varies is less than x
    const double most = *std::max_element(floor.begin(), floor.end());
    const auto size = [&](std::size_t i) { return subject_.x[i] != 0 ? std::abs(subject_.x[i]) : 1; };
    const auto& [above, below] = beside;
    for (std::size_t row = 0; row < subject_.rounding.size(); ++row) {
        const Numbers& analytic = subject_.analytic[row];
        double largest = 0;
        for (std::size_t i = 0; i < analytic.size(); ++i) {
            const double a = std::abs(analytic[i]) * size(i);
            if (std::isfinite(a)) largest = std::max(largest, a);
        }
        for (std::size_t i = 0; i < analytic.size(); ++i) {
            const double a = std::abs(analytic[i]);
            const double made_of = kFast * (i < floor.size() ? floor[i] : most) / size(i);
            const double varies =
                std::max(std::abs(above[row][i] - analytic[i]), std::abs(below[row][i] - analytic[i]));
            subject_.rounding[row][i] +=
                kUnits * largest / size(i) + (varies <= kSame * a ? made_of : std::min(made_of, kPart * a));
        }
    }
}

/// float64, unless the function refuses it or computes in another type, and the inputs are float32.
void FunctionUnderTest::choose_dtype() {
    const auto is_float64 = [&](std::size_t number) { return inputs_[number].dtype() == kFloat64; };
    if (std::all_of(numbers_.begin(), numbers_.end(), is_float64)) return;
    const bool all_float32 = std::all_of(numbers_.begin(), numbers_.end(), [&](std::size_t number) {
        return inputs_[number].dtype() == kFloat32;
    });
    std::string reason;
    try {
        const Tape tape;
        std::vector<Tensor> leaves;
        for (const std::size_t number : numbers_) {
            const Tensor& input = inputs_[number];
            leaves.push_back(leaf(input.sizes(), input.strides(), kFloat64, input.to_vector<double>()));
        }
        const std::vector<Tensor> outputs = call(leaves);
        const auto wide = [](const Tensor& y) { return y.dtype() == kFloat64 || !y.is_floating_point(); };
        if (std::all_of(outputs.begin(), outputs.end(), wide) || !all_float32) return;
    } catch (const DTypeError&) {
        if (!all_float32) throw;
    }
    dtype_ = kFloat32;
}

/// The inputs with `leaves` in the place of those that are checked.
std::vector<Tensor> FunctionUnderTest::call(const std::vector<Tensor>& leaves) const {
    std::vector<Tensor> inputs = inputs_;
    for (std::size_t k = 0; k < leaves.size(); ++k) inputs[numbers_[k]] = leaves[k];
    return f_(inputs);
}

/// Leaves in the layouts of the inputs.
std::vector<Tensor> FunctionUnderTest::leaves_at(std::span<const double> x, Placing placing) const {
    std::vector<Tensor> leaves;
    for (std::size_t k = 0; k < checked(); ++k) {
        const auto [begin, end] = subject_.groups[k];
        const Tensor& input = inputs_[numbers_[k]];
        leaves.push_back(
            leaf(input.sizes(), strided(input.strides(), placing), dtype_, x.subspan(begin, end - begin)));
    }
    return leaves;
}

/// What the tape says, in the layouts of the inputs; whether it says so again; and how much of it is rounding.
void FunctionUnderTest::run(const std::string& name, const Numbers& floor) {
    using check::detail::Beside;
    Numbers first;
    {
        const Tape tape;
        const std::vector<Tensor> leaves = leaves_at(subject_.x);
        const std::vector<Tensor> outputs = call(leaves);
        name_ = name.empty() ? operations_of(tape) : name;
        for (const Tensor& output : outputs) {
            if (!output.is_floating_point()) {
                fail<DTypeError>("gradcheck: the function returns ", output.dtype(), " of shape ",
                                 output.sizes(), "; what is differentiated is floating-point, as float64 is");
            }
            if (output.dtype() != kFloat64) output_dtype_ = output.dtype();
            output_sizes_.push_back(output.sizes());
            for (std::int64_t i = 0; i < output.numel(); ++i) weights_.push_back(draw_());
        }
        if (weights_.size() == 1) weights_[0] = 1;
        if (!floor.empty()) weigh_by_inputs();
        first = elements_of(outputs);
        subject_.analytic = differentiate(outputs, leaves, 1, &reached_);
    }
    {
        const Tape tape;
        const std::vector<Tensor> leaves = leaves_at(subject_.x);
        const std::vector<Tensor> again = call(leaves);
        const bool same_shapes =
            std::equal(again.begin(), again.end(), output_sizes_.begin(), output_sizes_.end(),
                       [](const Tensor& y, const Shape& sizes) { return y.sizes() == sizes; });
        if (!same_shapes) {
            nondeterministic_ = "a second call returned tensors of other shapes";
            return;
        }
        const auto differs = [&](const Numbers& a, const Numbers& b) {
            return accuracy_ == 0 ? !same_bits(a, b)
                                  : !check::detail::deterministic(a, b, accuracy_, nondeterministic_);
        };
        if (differs(first, elements_of(again))) {
            nondeterministic_ = "a second call returned other values";
            return;
        }
        const Rows second = differentiate(again, leaves, 1);
        for (std::size_t row = 0; row < second.size(); ++row) {
            if (differs(subject_.analytic[row], second[row]))
                nondeterministic_ = "a second call gave another gradient";
        }
        if (!nondeterministic_.empty()) return;
        check_exactly(again, leaves);
    }
    if (inexact_.empty()) check_layout(first);
    on_tape_ = needs_tape(first);
    check::detail::Random random(weights_.size());
    const auto at = [&](const Numbers& x) {
        const Tape tape;
        const std::vector<Tensor> leaves = leaves_at(x);
        const std::vector<Tensor> outputs = call(leaves);
        return elements_of(outputs).size() == weights_.size() ? differentiate(outputs, leaves, 1)
                                                              : subject_.analytic;
    };
    std::vector<Beside> beside;
    try {
        const auto [above, below] =
            check::detail::nearby(subject_.x, random, dtype_ == kFloat32 ? 0x1p-23 : 0x1p-52);
        beside.push_back({at(above), at(below)});
    } catch (const std::exception&) {
        // Out of its domain already: rounding is taken to be a few units.
    }
    subject_.rounding = check::detail::rounding_of(subject_.analytic, beside);
    if (!floor.empty()) {
        try {
            auto [above, below] = check::detail::nearby(subject_.x, random, kBeside);
            for (Numbers* x : {&above, &below}) {  // the cotangents, in which all is linear, stay
                for (std::size_t i = weights_.size(); i < x->size(); ++i) (*x)[i] = subject_.x[i];
            }
            heed_floor(floor, {at(above), at(below)});
        } catch (const std::exception&) {
            // Out of its domain: nothing saturates there.
        }
    }
    if (!full_) {
        subject_.weights = weights_;
        if (weights_.size() > kMostOutputs) subject_.weights.assign(kMostOutputs, 1);
    }
}

/// A gradient counts in units of 1/x: weighed by x, what is wrong for a small element shows beside the large ones. 0 is
/// taken for as large as the largest.
void FunctionUnderTest::weigh_by_inputs() {
    const int most = dtype_ == kFloat64 ? 300 : 60;  // powers of 2
    if (weights_.size() < 2) return;
    for (std::size_t k = 0; k < checked(); ++k) {
        const auto [begin, end] = subject_.groups[k];
        double largest = 0;
        for (std::size_t i = begin; i < end; ++i) largest = std::max(largest, std::abs(subject_.x[i]));
        for (std::size_t i = begin; i < std::min(end, weights_.size()); ++i) {
            const double x = subject_.x[i] == 0 ? largest : subject_.x[i];
            if (x != 0 && std::isfinite(x))
                weights_[i] = std::ldexp(weights_[i], std::clamp(std::ilogb(x), -most, most));
        }
    }
}

/// Whether the function asks for a tape, as one does that takes a gradient itself: without one it throws, or returns
/// something else. Where that gradient is 0 it returns the same: so a point beside is asked, too. The others are
/// evaluated without, which is faster.
bool FunctionUnderTest::needs_tape(const Numbers& on_tape) const {
    const auto without = [&](const Numbers& x) { return elements_of(call(leaves_at(x))); };
    try {
        if (!same_bits(without(subject_.x), on_tape)) return true;
    } catch (const std::exception&) {
        return true;
    }
    Numbers beside = subject_.x;
    for (double& x : beside) x = x == 0 ? 0x1p-20 : x + 0x1p-20 * x;
    Numbers there;
    try {
        const Tape tape;
        there = elements_of(call(leaves_at(beside)));
    } catch (const std::exception&) {
        return false;  // out of its domain
    }
    try {
        return !same_bits(without(beside), there);
    } catch (const std::exception&) {
        return true;
    }
}

/// The gradient of each part, for `factor` times its cotangent.
FunctionUnderTest::Rows FunctionUnderTest::differentiate(const std::vector<Tensor>& outputs,
                                                         const std::vector<Tensor>& leaves, double factor,
                                                         std::vector<bool>* reached, Placing placing) const {
    Rows rows;
    const std::size_t parts = full_ ? weights_.size() : 1;
    if (reached != nullptr) reached->assign(leaves.size(), false);
    for (std::size_t part = 0; part < parts; ++part) {
        std::vector<Tensor> cotangents;
        std::size_t first = 0;
        for (const Tensor& output : outputs) {
            Numbers cotangent(static_cast<std::size_t>(output.numel()));
            for (double& element : cotangent) {
                element = factor * (!full_ ? weights_[first] : first == part ? 1 : 0);
                ++first;
            }
            const Shape strides = strided(contiguous_strides(output.sizes()), placing);
            cotangents.push_back(placed(output.sizes(), strides, kFloat64, cotangent).to(output.dtype()));
        }
        const std::vector<Tensor> found = grad_of_recorded(outputs, cotangents, leaves, false);
        Numbers& row = rows.emplace_back();
        for (std::size_t k = 0; k < leaves.size(); ++k) {
            const Numbers gradient =
                found[k].defined() ? found[k].to_vector<double>() : Numbers(perturbed_[k].size());
            row.insert(row.end(), gradient.begin(), gradient.end());
            if (reached != nullptr && found[k].defined()) (*reached)[k] = true;
        }
    }
    return rows;
}

/// The outputs' elements for the inputs' elements x.
Numbers FunctionUnderTest::values(std::span<const double> x) const {
    std::vector<Tensor> leaves;
    for (std::size_t k = 0; k < checked(); ++k) {
        const auto [begin, end] = subject_.groups[k];
        perturbed_[k].set(x.subspan(begin, end - begin));
        leaves.push_back(perturbed_[k].leaf());
    }
    std::optional<Tape> tape;
    if (on_tape_) tape.emplace();
    Numbers all = elements_of(call(leaves));
    // Outputs whose number is another one this time are no numbers to differentiate.
    if (all.size() != weights_.size()) all.assign(weights_.size(), std::numeric_limits<double>::quiet_NaN());
    if (full_ || all.size() <= kMostOutputs) return all;
    Numbers sums(kMostOutputs);
    for (std::size_t i = 0; i < all.size(); ++i) sums[i % kMostOutputs] += weights_[i] * all[i];
    return sums;
}

}  // namespace reel::detail
