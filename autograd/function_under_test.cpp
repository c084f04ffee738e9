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

/// Where the elements stand, in row-major order, counted from the first.
std::vector<std::int64_t> offsets_of(const Tensor& x) {
    std::vector<std::int64_t> offsets;
    for (std::size_t i = 0; i < static_cast<std::size_t>(x.numel()); ++i) {
        const Shape index = index_of(i, x.sizes());
        std::int64_t place = 0;
        for (std::size_t d = 0; d < index.size(); ++d) place += index[d] * x.strides()[d];
        offsets.push_back(place);
    }
    return offsets;
}

bool any_alike(std::vector<std::int64_t> offsets) {
    std::sort(offsets.begin(), offsets.end());
    return std::adjacent_find(offsets.begin(), offsets.end()) != offsets.end();
}

void put(const Tensor& leaf, const std::vector<std::int64_t>& offsets, std::span<const double> elements) {
    for (std::size_t i = 0; i < offsets.size(); ++i) {
        if (leaf.dtype() == kFloat32) {
            leaf.data_ptr<float>()[offsets[i]] = static_cast<float>(elements[i]);
        } else {
            leaf.data_ptr<double>()[offsets[i]] = elements[i];
        }
    }
}

/// A leaf with the elements and the layout of `x`, on memory of its own.
Tensor leaf_like(const Tensor& x, DType dtype, std::span<const double> elements) {
    const std::vector<std::int64_t> offsets = offsets_of(x);
    const auto [low, high] = std::minmax_element(offsets.begin(), offsets.end());
    const std::int64_t before = offsets.empty() ? 0 : -*low;
    const Tensor memory = zeros({offsets.empty() ? 0 : before + *high + 1}, dtype);
    const Tensor leaf = Tensor::make(memory.impl().storage, dtype, x.sizes(), x.strides(), before);
    put(leaf, offsets, elements);
    return leaf.set_requires_grad();
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

Numbers elements_of(const std::vector<Tensor>& tensors) {
    Numbers all;
    for (const Tensor& tensor : tensors) {
        const Numbers elements = tensor.to_vector<double>();
        all.insert(all.end(), elements.begin(), elements.end());
    }
    return all;
}

bool same_bits(const Numbers& a, const Numbers& b) {
    const auto bits = [](double x) { return std::bit_cast<std::uint64_t>(x); };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [&](double x, double y) { return bits(x) == bits(y); });
}

/// Above it outputs are weighed and added up, so many at a time, before they are differenced.
constexpr std::size_t kMostOutputs = 1024;

}  // namespace

double Weights::operator()() {
    constexpr int kSeedBits = 32;
    constexpr int kBits = 20;
    const auto [size, sign, unused, also_unused] =
        philox4x32({drawn_++, 0, 0, 0},
                   {static_cast<std::uint32_t>(seed_), static_cast<std::uint32_t>(seed_ >> kSeedBits)});
    const double weight = 0.5 + std::ldexp(static_cast<double>(size % (1U << kBits)), -kBits);
    return sign & 1 ? weight : -weight;
}

Shape index_of(std::size_t element, const Shape& sizes) {
    Shape index = sizes;
    auto rest = static_cast<std::int64_t>(element);
    for (std::size_t d = sizes.size(); d-- > 0; rest /= sizes[d]) index[d] = rest % sizes[d];
    return index;
}

PerturbedInput::PerturbedInput(const Tensor& original, DType dtype) : home_(original.to_vector<double>()) {
    const bool dense = any_alike(offsets_of(original));
    leaf_ = leaf_like(dense ? original.detach().clone() : original, dtype, home_);
    offsets_ = offsets_of(leaf_);
}

void PerturbedInput::set(std::span<const double> elements) const { put(leaf_, offsets_, elements); }

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
    run(options.name);
    subject_.f = [this](std::span<const double> x) { return values(x); };
    if (floor.empty()) return;
    if (weights_.size() <= kMostOutputs) subject_.floor = floor;
    // And the second derivative is made of such numbers, too: silu'' at 37.5 is 0 for the tape, 1.7e-15 in truth.
    constexpr double kUnits = 512 * std::numeric_limits<double>::epsilon();
    const auto size = [&](std::size_t i) { return subject_.x[i] != 0 ? std::abs(subject_.x[i]) : 1; };
    for (std::size_t row = 0; row < subject_.rounding.size(); ++row) {
        double largest = 0;
        for (std::size_t i = 0; i < subject_.x.size(); ++i) {
            const double a = std::abs(subject_.analytic[row][i]) * size(i);
            if (std::isfinite(a)) largest = std::max(largest, a);
        }
        for (std::size_t i = 0; i < subject_.x.size(); ++i)
            subject_.rounding[row][i] += kUnits * largest / size(i);
    }
}

/// Where a function saturates its gradient is next to nothing, made of numbers that are not, as 1 − tanh² is: it has
/// their rounding, which may be the same for all points nearby, and so not seen. Those numbers are of the size that
/// the function has here or at 0, divided by the argument.
Numbers FunctionUnderTest::gradient_floor() const {
    constexpr double kUnits = 32 * std::numeric_limits<double>::epsilon();
    constexpr double kSaturated = 1e-4;
    double size = 0;
    try {
        for (const Numbers& x : {subject_.x, Numbers(subject_.x.size())}) {
            for (const double y : values(x)) {
                if (std::isfinite(y)) size = std::max(size, std::abs(y));
            }
        }
    } catch (const std::exception&) {
        // No number at 0.
    }
    Numbers floor;
    for (std::size_t i = 0; i < subject_.x.size(); ++i) {
        const double natural = size / (subject_.x[i] != 0 ? std::abs(subject_.x[i]) : 1);
        double slope = 0;
        for (const Numbers& row : subject_.analytic) slope = std::max(slope, std::abs(row[i]));
        floor.push_back(slope < kSaturated * natural ? kUnits * natural : 0);
    }
    return floor;
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
            leaves.push_back(leaf_like(inputs_[number], kFloat64, inputs_[number].to_vector<double>()));
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
std::vector<Tensor> FunctionUnderTest::leaves_at(std::span<const double> x) const {
    std::vector<Tensor> leaves;
    for (std::size_t k = 0; k < checked(); ++k) {
        const auto [begin, end] = subject_.groups[k];
        // Elements that share a place have one value.
        leaves.push_back(leaf_like(inputs_[numbers_[k]], dtype_, x.subspan(begin, end - begin)));
    }
    return leaves;
}

/// What the tape says, in the layouts of the inputs; whether it says so again; and how much of it is rounding.
void FunctionUnderTest::run(const std::string& name) {
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
    on_tape_ = needs_tape(first);
    check::detail::Random random(weights_.size());
    const double unit = dtype_ == kFloat32 ? 0x1p-23 : 0x1p-52;
    const auto [above, below] = check::detail::nearby(subject_.x, random, unit);
    const auto at = [&](const Numbers& x) {
        const Tape tape;
        const std::vector<Tensor> leaves = leaves_at(x);
        const std::vector<Tensor> outputs = call(leaves);
        return elements_of(outputs).size() == weights_.size() ? differentiate(outputs, leaves, 1)
                                                              : subject_.analytic;
    };
    std::vector<Beside> beside;
    try {
        beside.push_back({at(above), at(below)});
    } catch (const std::exception&) {
        // Out of its domain already: rounding is taken to be a few units.
    }
    subject_.rounding = check::detail::rounding_of(subject_.analytic, beside);
    if (!full_) {
        subject_.weights = weights_;
        if (weights_.size() > kMostOutputs) subject_.weights.assign(kMostOutputs, 1);
    }
}

/// Whether the function asks for a tape, as one does that takes a gradient itself: without one it throws, or returns
/// something else. The others are evaluated without, which is faster.
bool FunctionUnderTest::needs_tape(const Numbers& on_tape) const {
    try {
        return !same_bits(elements_of(call(leaves_at(subject_.x))), on_tape);
    } catch (const std::exception&) {
        return true;
    }
}

/// The gradient of each part, for `factor` times its cotangent.
FunctionUnderTest::Rows FunctionUnderTest::differentiate(const std::vector<Tensor>& outputs,
                                                         const std::vector<Tensor>& leaves, double factor,
                                                         std::vector<bool>* reached) const {
    Rows rows;
    const std::size_t parts = full_ ? weights_.size() : 1;
    if (reached != nullptr) reached->assign(leaves.size(), false);
    for (std::size_t part = 0; part < parts; ++part) {
        std::vector<Tensor> recorded;
        GradOptions options{.retain_graph = true, .allow_unused = true};
        std::size_t first = 0;
        for (const Tensor& output : outputs) {
            const Tensor cotangent = Tensor::empty(output.sizes(), kFloat64);
            const auto count = static_cast<std::size_t>(output.numel());
            for (std::size_t i = 0; i < count; ++i) {
                const double weight = !full_ ? weights_[first + i] : first + i == part ? 1 : 0;
                cotangent.data_ptr<double>()[i] = factor * weight;
            }
            first += count;
            if (!output.requires_grad()) continue;
            recorded.push_back(output);
            options.grad_outputs.push_back(cotangent.to(output.dtype()));
        }
        const std::vector<Tensor> found =
            recorded.empty() ? std::vector<Tensor>(leaves.size()) : grad(recorded, leaves, options);
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

/// A pullback is linear: 0 for 0, and −2 times as much for −2 times the cotangent, to the last bit but where numbers
/// are subnormal. No difference sees a constant of 1e-12 that is added.
void FunctionUnderTest::check_exactly(const std::vector<Tensor>& outputs, const std::vector<Tensor>& leaves) {
    const double unit = output_dtype_ == kFloat64 ? 0x1p-52 : 0x1p-8;
    const Rows zero = differentiate(outputs, leaves, 0);
    const Rows twice = differentiate(outputs, leaves, -2);
    for (std::size_t row = 0; row < zero.size(); ++row) {
        double largest = std::numeric_limits<double>::min() / unit;
        for (const double a : subject_.analytic[row]) {
            if (std::isfinite(a)) largest = std::max(largest, std::abs(a));
        }
        for (std::size_t i = 0; i < zero[row].size(); ++i) {
            const double a = subject_.analytic[row][i];
            if (!std::isfinite(a) || !std::isfinite(twice[row][i])) continue;
            if (zero[row][i] != 0 && std::isfinite(zero[row][i])) {
                inexact_ = concat("the gradient for the cotangent 0 is not 0 but ", zero[row][i],
                                  ": a pullback adds what does not come from the cotangent");
                return;
            }
            if (std::abs(twice[row][i] + 2 * a) <= 8 * unit * std::max(std::abs(a), 1e-3 * largest)) continue;
            inexact_ = concat("the gradient for -2 times a cotangent is ", twice[row][i], ", not -2 times ",
                              a, ": a pullback is not linear in it");
            return;
        }
    }
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
