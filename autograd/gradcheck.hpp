/// \file
/// Is the gradient right? `gradcheck` holds what the tape says against numeric derivatives that know their own
/// error: the checker of `check/check.hpp`, on tensors.
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "../check/report.hpp"
#include "../tensor/tensor.hpp"
#include "function.hpp"

#pragma GCC visibility push(default)
namespace reel {

using verdicts::to_string;
using verdicts::Verdict;

enum class GradcheckMode : std::uint8_t {
    kElements,      ///< every input element, for a random cotangent; directions where there are thousands
    kFullJacobian,  ///< every input element, for every output element by itself
    kProjection,    ///< one random direction for each input; elements are looked at only where that fails
};

struct GradcheckOptions {
    GradcheckMode mode = GradcheckMode::kElements;
    std::uint64_t seed = 0;  ///< of the random cotangents, steps and directions
    std::string name = {};   ///< of the function; where empty, the operations that it recorded
    double accuracy = 0;     ///< what the function can be trusted to, relative; 0: it is measured
    std::size_t budget = 0;  ///< evaluations of the function; 0: as many as it takes
    std::function<void(std::size_t done, std::size_t all)> progress = {};  ///< lines looked at, of how many
};

/// What was found for one input.
struct GradcheckInput {
    std::size_t input = 0;              ///< its number
    Shape sizes;                        ///< its shape
    Verdict verdict = Verdict::kMatch;  ///< of its worst element
    /// Its elements: `column` counts them in row-major order, `row` those of the outputs in full-Jacobian mode.
    verdicts::Report report;

    /// How many elements got this verdict.
    std::size_t count(Verdict which) const { return report.count(which); }
    /// Index of the worst element; none for a direction.
    std::optional<Shape> worst() const;
};

/// True when every element of every input is a match or a kink. Printable.
struct GradcheckReport {
    bool passed;
    std::string function;
    std::uint64_t seed;  ///< replays it
    std::vector<GradcheckInput> inputs;
    std::string hint = {};    ///< what may be the matter with all of it
    bool in_float32 = false;  ///< it was checked in its own float32, for float64 it does not take

    operator bool() const { return passed; }
    /// The worst of the inputs' verdicts.
    Verdict verdict() const;
    std::string to_json() const;
};
std::ostream& operator<<(std::ostream& out, const GradcheckReport& report);

/// Compares the gradient of `f` at `inputs` with numeric derivatives, for random cotangents; and holds it to what is
/// exact: the gradient is 0 for the cotangent 0, linear in the cotangent, and the same at a second call.
///
/// Every floating input is checked; integer and bool ones are passed on. `f` is called with float64; where it throws
/// a `DTypeError` for it, or returns another type, it is checked in the types of `inputs`, with the noise that is
/// measured. `inputs` may have any layout and are never changed: `f` gets leaves with the same elements and strides.
/// Elements that share a place in memory (expanded ones) are perturbed one by one, on a dense copy. Needs no tape,
/// disturbs none, and leaves the random generator alone. See Note [The error bar] and Note [What passes].
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
