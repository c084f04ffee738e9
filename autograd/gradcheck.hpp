/// \file
/// Is the gradient right? `gradcheck` compares what the tape says with numeric derivatives that know their
/// own error (`numeric.hpp`), so that the tolerance is measured, not guessed.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "../tensor/tensor.hpp"
#include "function.hpp"

#pragma GCC visibility push(default)
namespace reel {

/// What is said of an input element, and of an input by its worst element. In rising order of severity.
enum class Verdict : std::uint8_t {
    kMatch,             ///< both derivatives agree within the error bar
    kKink,              ///< the one-sided derivatives differ, and the tape's lies between them
    kTooCoarse,         ///< they agree, but the error bar is too wide to mean it
    kWrong,             ///< they disagree
    kNonFinite,         ///< the function or its gradient is not finite here, or next to here
    kNondeterministic,  ///< the same inputs gave different values or gradients
};
/// "match", "kink", "too coarse", …
const char* to_string(Verdict verdict);
std::ostream& operator<<(std::ostream& out, Verdict verdict);

enum class GradcheckMode : std::uint8_t {
    kElements,      ///< every input element, for a random cotangent of the outputs
    kFullJacobian,  ///< every input element, for every output element by itself
    kProjection,    ///< one random direction for each input; elements are looked at only where that fails
};

struct GradcheckOptions {
    GradcheckMode mode = GradcheckMode::kElements;
    std::uint64_t seed = 0;  ///< of the random cotangents and directions
    std::string name = {};   ///< of the function; where empty, the operations that it recorded
};

/// What was found for one input.
struct GradcheckInput {
    std::size_t input = 0;              ///< its number
    Shape sizes;                        ///< its shape
    Verdict verdict = Verdict::kMatch;  ///< of its worst element
    std::vector<Verdict> elements;      ///< of each element in row-major order, or of the one direction
    std::optional<Shape> worst;         ///< index of the worst element; none for a direction
    std::int64_t output = -1;           ///< in full-Jacobian mode the element of the outputs at fault
    double analytic = 0;                ///< the tape's derivative there
    double numeric = 0;                 ///< the numeric one
    double error = 0;                   ///< how far the two may lie apart

    /// How many elements got this verdict.
    std::size_t count(Verdict which) const;
};

/// True when every element of every input is a match or a kink. Printable.
struct GradcheckReport {
    bool passed;
    std::string function;
    std::uint64_t seed;  ///< replays it
    std::vector<GradcheckInput> inputs;

    operator bool() const { return passed; }
    /// The worst of the inputs' verdicts.
    Verdict verdict() const;
};
std::ostream& operator<<(std::ostream& out, const GradcheckReport& report);

/// Compares the gradient of `f` at `inputs` with numeric derivatives, for random cotangents.
///
/// Every float64 input is checked; integer and bool ones are passed on. `inputs` may have any layout and are
/// never changed: `f` gets leaves with the same elements and strides. Elements that share a place in memory
/// (expanded ones) are perturbed one by one, on a dense copy. Needs no tape, disturbs none, and leaves the
/// random generator alone. Throws a `DTypeError` where a floating input or an output is not float64.
/// See Note [The error bar].
GradcheckReport gradcheck(const TensorFunction& f, const std::vector<Tensor>& inputs,
                          const GradcheckOptions& options = {});
GradcheckReport gradcheck(const TensorFunction& f, const Tensor& input, const GradcheckOptions& options = {});

/// The same for the gradient of `f`, as a function of the inputs and of the cotangents (which are checked as
/// inputs after the others).
GradcheckReport gradgradcheck(const TensorFunction& f, const std::vector<Tensor>& inputs,
                              const GradcheckOptions& options = {});
GradcheckReport gradgradcheck(const TensorFunction& f, const Tensor& input,
                              const GradcheckOptions& options = {});

}  // namespace reel
#pragma GCC visibility pop
