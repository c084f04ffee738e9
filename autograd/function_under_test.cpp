#include "autograd/function_under_test.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "tensor/factory.hpp"
#include "tensor/random.hpp"

namespace reel::detail {

namespace {

/// Where the elements are, in row-major order, counted from the first.
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

/// A leaf with the elements and the layout of `x`, on memory of its own.
Tensor leaf_like(const Tensor& x) {
    const std::vector<std::int64_t> offsets = offsets_of(x);
    const auto [low, high] = std::minmax_element(offsets.begin(), offsets.end());
    const std::int64_t before = offsets.empty() ? 0 : -*low;
    const Tensor memory = zeros({offsets.empty() ? 0 : before + *high + 1}, kFloat64);
    const Tensor leaf = Tensor::make(memory.impl().storage, kFloat64, x.sizes(), x.strides(), before);
    const Numbers elements = x.to_vector<double>();
    for (std::size_t i = 0; i < offsets.size(); ++i) leaf.data_ptr<double>()[offsets[i]] = elements[i];
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

bool same_bits(const Numbers& a, const Numbers& b) {
    const auto bits = [](double x) { return std::bit_cast<std::uint64_t>(x); };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [&](double x, double y) { return bits(x) == bits(y); });
}

}  // namespace

double Weights::operator()() {
    constexpr int kSeedBits = 32;
    constexpr int kBits = 20;  // so few that a weight is exact in float32 too
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

PerturbedInput::PerturbedInput(const Tensor& original)
    : leaf_(any_alike(offsets_of(original)) ? leaf_like(original.detach().clone()) : leaf_like(original)),
      offsets_(offsets_of(leaf_)),
      home_(original.to_vector<double>()) {}

double PerturbedInput::reach(std::size_t element) const {
    constexpr double kLeast = 0.25;
    const double size = std::abs(home_[element]);
    return size > kLeast && std::isfinite(size) ? std::exp2(std::ilogb(size)) : kLeast;
}

double PerturbedInput::move(std::size_t element, double t) const {
    double& at = leaf_.data_ptr<double>()[offsets_[element]];
    at = home_[element] + t;
    return at - home_[element];
}

FunctionUnderTest::FunctionUnderTest(const TensorFunction& f, const std::vector<Tensor>& inputs,
                                     const GradcheckOptions& options, double grain)
    : f_(f), inputs_(inputs), full_(options.mode == GradcheckMode::kFullJacobian), grain_(grain) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (!inputs[i].is_floating_point()) continue;
        if (inputs[i].dtype() != kFloat64) {
            fail<DTypeError>("gradcheck: input ", i, " is ", inputs[i].dtype(),
                             "; numeric derivatives need float64, convert it with to(kFloat64)");
        }
        numbers_.push_back(i);
        perturbed_.emplace_back(inputs[i]);
        perturbed_leaves_.push_back(perturbed_.back().leaf());
    }
    if (numbers_.empty()) fail<DTypeError>("gradcheck: none of the ", inputs.size(), " inputs is float64");
    Weights weights(options.seed);
    run_twice(options.name, weights);
    if (!deterministic_) return;
    centre_ = values();
    measure_size();
    measure_noise(weights);
}

/// What the tape says, in the layouts of the inputs; and whether it says so again.
void FunctionUnderTest::run_twice(const std::string& name, Weights& weights) {
    std::vector<Tensor> leaves;
    for (const std::size_t number : numbers_) leaves.push_back(leaf_like(inputs_[number]));
    Numbers values;
    {
        const Tape tape;
        const std::vector<Tensor> outputs = call(leaves);
        name_ = name.empty() ? operations_of(tape) : name;
        for (const Tensor& output : outputs) {
            output_sizes_.push_back(output.sizes());
            for (std::int64_t i = 0; i < output.numel(); ++i) weights_.push_back(weights());
        }
        values = weigh(outputs);
        gradients_ = differentiate(outputs, leaves);
    }
    const Tape tape;
    const std::vector<Tensor> outputs = call(leaves);
    deterministic_ = std::equal(outputs.begin(), outputs.end(), output_sizes_.begin(), output_sizes_.end(),
                                [](const Tensor& y, const Shape& sizes) { return y.sizes() == sizes; }) &&
                     same_bits(weigh(outputs), values);
    if (!deterministic_) return;
    const Gradients again = differentiate(outputs, leaves);
    for (std::size_t part = 0; part < again.size(); ++part) {
        for (std::size_t k = 0; k < checked(); ++k) {
            deterministic_ = deterministic_ && same_bits(again[part][k], gradients_[part][k]);
        }
    }
}

/// The inputs with `leaves` in the place of those that are checked.
std::vector<Tensor> FunctionUnderTest::with_leaves(const std::vector<Tensor>& leaves) const {
    std::vector<Tensor> inputs = inputs_;
    for (std::size_t k = 0; k < leaves.size(); ++k) inputs[numbers_[k]] = leaves[k];
    return inputs;
}

std::vector<Tensor> FunctionUnderTest::call(const std::vector<Tensor>& leaves) const {
    std::vector<Tensor> outputs = f_(with_leaves(leaves));
    for (const Tensor& output : outputs) {
        if (output.dtype() == kFloat64) continue;
        fail<DTypeError>("gradcheck: the function returns ", output.dtype(), " of shape ", output.sizes(),
                         "; numeric derivatives need float64");
    }
    return outputs;
}

/// Outputs whose number is another one this time are no numbers to differentiate.
Numbers FunctionUnderTest::weigh(const std::vector<Tensor>& outputs) const {
    Numbers weighed;
    for (const Tensor& output : outputs) {
        const Numbers elements = output.to_vector<double>();
        weighed.insert(weighed.end(), elements.begin(), elements.end());
    }
    if (weighed.size() != weights_.size())
        return Numbers(weights_.size(), std::numeric_limits<double>::quiet_NaN());
    for (std::size_t i = 0; i < weighed.size(); ++i) weighed[i] *= weights_[i];
    return weighed;
}

Numbers FunctionUnderTest::to_parts(const Numbers& weighed) const {
    if (full_) return weighed;
    return {std::accumulate(weighed.begin(), weighed.end(), 0.0)};
}

FunctionUnderTest::Gradients FunctionUnderTest::differentiate(const std::vector<Tensor>& outputs,
                                                              const std::vector<Tensor>& leaves) const {
    Gradients gradients;
    const std::size_t parts = full_ ? weights_.size() : 1;
    for (std::size_t part = 0; part < parts; ++part) {
        std::vector<Tensor> recorded;
        GradOptions options{.retain_graph = true, .allow_unused = true};
        std::size_t first = 0;
        for (const Tensor& output : outputs) {
            const Tensor cotangent = Tensor::empty(output.sizes(), kFloat64);
            const auto count = static_cast<std::size_t>(output.numel());
            for (std::size_t i = 0; i < count; ++i) {
                cotangent.data_ptr<double>()[i] = !full_ || first + i == part ? weights_[first + i] : 0;
            }
            first += count;
            if (!output.requires_grad()) continue;
            recorded.push_back(output);
            options.grad_outputs.push_back(cotangent);
        }
        const std::vector<Tensor> found =
            recorded.empty() ? std::vector<Tensor>(leaves.size()) : grad(recorded, leaves, options);
        auto& of_part = gradients.emplace_back();
        for (std::size_t k = 0; k < leaves.size(); ++k) {
            of_part.push_back(found[k].defined() ? found[k].to_vector<double>()
                                                 : Numbers(perturbed_[k].size()));
        }
    }
    return gradients;
}

Numbers FunctionUnderTest::values() const {
    const Tape tape;
    return to_parts(weigh(call(perturbed_leaves_)));
}

void FunctionUnderTest::measure_size() {
    const Tape tape;
    Numbers sizes = weigh(call(perturbed_leaves_));
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        sizes[i] = std::max(std::abs(sizes[i]), grain_ * std::abs(weights_[i]));
    }
    magnitudes_ = to_parts(sizes);
}

/// The noise that is seen along one random direction, and at least half a unit in the last place of each
/// weighed output.
void FunctionUnderTest::measure_noise(Weights& weights) {
    struct Spacing {
        double size;
        std::size_t first_order;
    };
    constexpr Spacing kSpacings[] = {{1e-7, 4}, {1e-4, 6}};
    constexpr double kLeastMove = 1e-10;
    constexpr double kDeviations = 4;
    for (const double magnitude : magnitudes_) {
        noise_.push_back(std::numeric_limits<double>::epsilon() * magnitude);
    }
    std::vector<Numbers> direction;
    for (const PerturbedInput& perturbed : perturbed_) {
        direction.emplace_back(perturbed.size());
        for (double& share : direction.back()) share = weights();
    }
    for (const auto [size, first_order] : kSpacings) {
        const auto line = [&](double step) {
            for (std::size_t k = 0; k < checked(); ++k) {
                for (std::size_t i = 0; i < perturbed_[k].size(); ++i) {
                    const double far = std::max(size * std::abs(perturbed_[k].home(i)), kLeastMove);
                    perturbed_[k].move(i, step * far * direction[k][i]);
                }
            }
            return Point{step, values()};
        };
        const Numbers seen = rounding_noise(line, first_order);
        for (std::size_t part = 0; part < parts(); ++part) {
            noise_[part] = std::max(noise_[part], kDeviations * seen[part]);
        }
    }
    for (const PerturbedInput& perturbed : perturbed_) {
        for (std::size_t i = 0; i < perturbed.size(); ++i) perturbed.move(i, 0);
    }
}

}  // namespace reel::detail
