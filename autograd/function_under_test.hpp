/// \file
/// What `gradcheck` examines: a function of tensors at a point, as the checker of `check/` wants it, which knows no
/// tensor. Not a public header.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "autograd/gradcheck.hpp"
#include "autograd/perturbed_input.hpp"
#include "autograd/tape_state.hpp"
#include "check/examine.hpp"

namespace reel::detail {

/// Random numbers ±[0.5, 1.5) of so few bits that they are exact in float32: weights of either sign that pass
/// nothing over. A sequence of its own, so that the user's generator stays where it is.
class Weights {
public:
    explicit Weights(std::uint64_t seed) : seed_(seed) {}
    double operator()();

private:
    std::uint64_t seed_;
    std::uint32_t drawn_ = 0;
};

/// The elements of all of them, one after the other.
Numbers elements_of(const std::vector<Tensor>& tensors);

/// Whether leaves and cotangents are as the inputs are, or twice as far apart in memory.
enum class Placing { kAsGiven, kApart };

/// The function, its outputs weighed by random numbers. Hides this thread's tapes while it lives.
class FunctionUnderTest {
public:
    /// `floor`: of the noise of the outputs' elements, where these are a gradient; otherwise empty.
    FunctionUnderTest(const TensorFunction& f, const std::vector<Tensor>& inputs,
                      const GradcheckOptions& options, const Numbers& floor = {});
    /// The floor of the noise of the function's gradient.
    Numbers gradient_floor() const;

    /// How many inputs are checked, and the number of the k-th of them, and its shape.
    std::size_t checked() const { return numbers_.size(); }
    std::size_t number(std::size_t k) const { return numbers_[k]; }
    const Shape& sizes(std::size_t k) const { return inputs_[numbers_[k]].sizes(); }

    /// For the checker; empty where the function is not deterministic.
    const check::detail::Subject& subject() const { return subject_; }
    /// Why not; empty where it is.
    const std::string& nondeterministic() const { return nondeterministic_; }
    /// What of the exact checks failed; empty where none did.
    const std::string& inexact() const { return inexact_; }
    /// Whether the tape leads from the k-th checked input to an output.
    bool reached(std::size_t k) const { return reached_[k]; }
    bool in_float32() const { return dtype_ == kFloat32; }
    const std::string& name() const { return name_; }
    const std::vector<Shape>& output_sizes() const { return output_sizes_; }

private:
    using Rows = std::vector<Numbers>;  // [part][column]

    void choose_dtype();
    std::vector<Tensor> call(const std::vector<Tensor>& leaves) const;
    std::vector<Tensor> leaves_at(std::span<const double> x, Placing placing = Placing::kAsGiven) const;
    Rows differentiate(const std::vector<Tensor>& outputs, const std::vector<Tensor>& leaves, double factor,
                       std::vector<bool>* reached = nullptr, Placing placing = Placing::kAsGiven) const;
    void run(const std::string& name, const Numbers& floor);
    void heed_floor(const Numbers& floor, const check::detail::Beside& beside);
    void weigh_by_inputs();
    bool needs_tape(const Numbers& on_tape) const;
    void check_exactly(const std::vector<Tensor>& outputs, const std::vector<Tensor>& leaves);
    void check_layout(const Numbers& first);
    Numbers values(std::span<const double> x) const;

    Swap<Tape::State*> hidden_{innermost, nullptr};
    Swap<bool> recording_{paused, false};
    TensorFunction f_;
    std::vector<Tensor> inputs_;
    bool full_;
    double accuracy_;
    Weights draw_;
    DType dtype_ = kFloat64;  // of the inputs that are checked
    DType output_dtype_ = kFloat64;
    bool on_tape_ = true;  // the function is evaluated
    std::vector<std::size_t> numbers_;
    std::vector<PerturbedInput> perturbed_;
    Numbers weights_;  // of the outputs' elements
    check::detail::Subject subject_;
    std::vector<bool> reached_;
    std::string nondeterministic_, inexact_;
    std::string name_;
    std::vector<Shape> output_sizes_;
};

}  // namespace reel::detail
