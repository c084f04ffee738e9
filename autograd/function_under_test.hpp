/// \file
/// What `gradcheck` examines: a function at a point, whose elements can be moved. Not a public header.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "autograd/gradcheck.hpp"
#include "autograd/numeric.hpp"
#include "autograd/tape_state.hpp"

namespace reel::detail {

using Numbers = std::vector<double>;

/// Random numbers ±[0.5, 1.5): weights of either sign that pass nothing over. A sequence of its own, so that
/// the user's generator stays where it is.
class Weights {
public:
    explicit Weights(std::uint64_t seed) : seed_(seed) {}
    double operator()();

private:
    std::uint64_t seed_;
    std::uint32_t drawn_ = 0;
};

/// Row-major index of an element.
Shape index_of(std::size_t element, const Shape& sizes);

/// An input whose elements can be moved one by one: a leaf on memory of its own. It has the layout of the
/// original, or is dense where elements of that share a place.
class PerturbedInput {
public:
    explicit PerturbedInput(const Tensor& original);

    const Tensor& leaf() const { return leaf_; }
    std::size_t size() const { return home_.size(); }
    double home(std::size_t element) const { return home_[element]; }
    /// What counts as far for an element: a power of two about as large; a move by a fraction of it is small.
    double reach(std::size_t element) const;
    /// Puts an element at its home + t; returns by how much rounding lets it differ from home.
    double move(std::size_t element, double t) const;

private:
    Tensor leaf_;
    std::vector<std::int64_t> offsets_;
    Numbers home_;
};

/// The function, its outputs weighed by random numbers: their sum, or each by itself (the parts). Hides this
/// thread's tapes while it lives.
class FunctionUnderTest {
public:
    /// `grain` is the size of the numbers that the outputs are made of where they are smaller themselves:
    /// what is left of these has their rounding.
    FunctionUnderTest(const TensorFunction& f, const std::vector<Tensor>& inputs,
                      const GradcheckOptions& options, double grain = std::numeric_limits<double>::min());

    /// How many inputs are checked, and the number of the k-th of them.
    std::size_t checked() const { return numbers_.size(); }
    std::size_t number(std::size_t k) const { return numbers_[k]; }
    const PerturbedInput& perturbed(std::size_t k) const { return perturbed_[k]; }

    std::size_t parts() const { return centre_.size(); }
    /// The tape's gradient of a part for the k-th checked input.
    const Numbers& gradient(std::size_t part, std::size_t k) const { return gradients_[part][k]; }
    /// Whether a second run gave the same bits.
    bool deterministic() const { return deterministic_; }
    const std::string& name() const { return name_; }
    const std::vector<Shape>& output_sizes() const { return output_sizes_; }

    /// The parts where the inputs are now; where they are at home; their rounding noise there; Σ |weight ·
    /// output|, no output counting less than the grain.
    Numbers values() const;
    const Numbers& centre() const { return centre_; }
    const Numbers& noise() const { return noise_; }
    const Numbers& magnitudes() const { return magnitudes_; }

private:
    using Gradients = std::vector<std::vector<Numbers>>;  // [part][checked input][element]

    std::vector<Tensor> with_leaves(const std::vector<Tensor>& leaves) const;
    std::vector<Tensor> call(const std::vector<Tensor>& leaves) const;
    Numbers weigh(const std::vector<Tensor>& outputs) const;
    Numbers to_parts(const Numbers& weighed) const;
    Gradients differentiate(const std::vector<Tensor>& outputs, const std::vector<Tensor>& leaves) const;
    void run_twice(const std::string& name, Weights& weights);
    void measure_noise(Weights& weights);
    void measure_size();

    Swap<Tape::State*> hidden_{innermost, nullptr};
    Swap<bool> recording_{paused, false};
    TensorFunction f_;
    std::vector<Tensor> inputs_;
    bool full_;
    double grain_;
    std::vector<std::size_t> numbers_;
    std::vector<PerturbedInput> perturbed_;
    std::vector<Tensor> perturbed_leaves_;
    Numbers weights_;
    Gradients gradients_;
    bool deterministic_ = true;
    std::string name_;
    std::vector<Shape> output_sizes_;
    Numbers centre_;
    Numbers noise_;
    Numbers magnitudes_;
};

}  // namespace reel::detail
