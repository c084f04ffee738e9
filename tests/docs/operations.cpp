#include "tests/docs/operations.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <sstream>

#include "autograd/tape_state.hpp"
#include "tests/docs/docstrings.hpp"
#include "tests/docs/long_products.hpp"
#include "tests/gradients/rows.hpp"
#include "tests/ops/kernels/accuracy.hpp"
#include "tests/property/calls.hpp"

namespace reel::docs {

namespace {

using property::Call;
using property::Draw;
using property::Inputs;

constexpr const char* kIntroduction = R"(# Operations

This page is generated from the headers and from measurements, and a test fails when it is stale
(`tests/docs/operations_test.cpp` says how to write it anew).

- **Keeps** is what the tape holds until the rewind, measured: inputs by their names, the result as y. What else
  there is, the docstring says; "no gradient" is for results that are integer or bool, or do not change with the input.
- **ulp** bounds the measured error of float32 results against float64 ones, in units in the last place of the largest
  element: ½ is correctly rounded. Four numbers, for four kinds of inputs: *ordinary* ones without signs; *extreme* ones,
  each times a power of two between 2⁻⁴⁰ and 2⁴⁰; *cancelling* ones, small numbers beside 4096; *long* ones, some 70,000
  elements. What overflows in float32 does not count. Functions of one number are measured over the whole range of
  float32 and float64 instead, element by element, which is their ordinary and their extreme.

The command in `tests/docs/operations_test.cpp` measures hundreds of calls of each kind; the suite replays a few, and
fails where one exceeds its bound.
)";

/// What numbers an operation is measured on.
enum class Kind { kOrdinary, kExtreme, kCancelling, kLong };
constexpr Kind kKinds[] = {Kind::kOrdinary, Kind::kExtreme, Kind::kCancelling, Kind::kLong};
using Bounds = std::array<double, std::size(kKinds)>;

struct Effort {
    std::uint64_t draws;       ///< calls that are measured
    std::uint64_t long_draws;  ///< of long inputs
    bool anew;
};

std::string first_word(const std::string& name) { return name.substr(0, name.find(' ')); }

/// The inputs dense, the floating ones as `dtype`.
Inputs prepared(const Inputs& inputs, DType dtype) {
    Inputs result;
    for (const Tensor& x : inputs) {
        const Tensor dense = x.detach().clone();
        result.push_back(x.is_floating_point() ? dense.to(dtype) : dense);
    }
    return result;
}

/// The numbers as float32 of this kind.
Tensor of_kind(const Tensor& x, Kind kind, Draw& draw) {
    const Tensor y = x.to(kFloat32);
    if (kind == Kind::kCancelling) return y + 4096;
    if (kind != Kind::kExtreme) return abs(y);
    constexpr std::int64_t kWidest = 40;
    const Tensor scaled = abs(y).contiguous();
    auto* at = scaled.data_ptr<float>();
    for (std::int64_t i = 0; i < scaled.numel(); ++i) {
        at[i] = std::ldexp(at[i], static_cast<int>(draw.whole(-kWidest, kWidest)));
    }
    return scaled;
}

// ---- What is kept

struct Kept {
    bool gradient = false;
    std::set<std::size_t> inputs;
    std::set<std::size_t> outputs;
    bool more = false;
};

/// What the tape holds after a call with float64 in the place of other floating types.
Kept kept_by(const Call& call) {
    const Inputs inputs = prepared(call.inputs, kFloat64);
    for (const Tensor& x : inputs) {
        if (x.is_floating_point()) x.set_requires_grad();
    }
    const Tape tape;
    const Inputs outputs = call.f(inputs);
    Kept kept;
    for (const Tensor& y : outputs) kept.gradient = kept.gradient || y.requires_grad();
    const Tape::State& state = tape.state();
    for (std::size_t i = 0; i < state.blocks.size(); ++i) {
        const auto place = [&](const Inputs& tensors) {
            const auto holds = [&](const Tensor& x) {
                return x.impl().storage.get() == state.blocks[i].storage;
            };
            return static_cast<std::size_t>(std::find_if(tensors.begin(), tensors.end(), holds) -
                                            tensors.begin());
        };
        if (place(inputs) < inputs.size()) {
            kept.inputs.insert(place(inputs));
        } else if (place(outputs) < outputs.size()) {
            kept.outputs.insert(place(outputs));
        } else {
            kept.more = true;
        }
    }
    return kept;
}

/// How much is seen of an operation by a call: the floating inputs count, and all that have several elements.
std::size_t worth(const Call& call) {
    std::size_t points = 0;
    for (const Tensor& x : call.inputs) {
        points += (x.is_floating_point() ? 2U : 0U) + (x.numel() > 1 ? 1U : 0U);
    }
    return points;
}

Kept kept_by(const property::Operation& operation) {
    constexpr std::uint64_t kDraws = 100;
    Call best;
    for (std::uint64_t seed = 1; seed < kDraws; ++seed) {
        Draw draw(seed);
        const Call call = operation.draw(draw);
        if (!best.f || worth(call) > worth(best)) best = call;
    }
    return kept_by(best);
}

/// "Keeps this." → "this".
std::string what(const std::string& sentence) {
    const std::size_t start = std::string("Keeps ").size();
    return sentence.substr(start, sentence.size() - 1 - start);
}

/// In the words of the table.
std::string words(const Kept& kept, const Docstring& doc) {
    if (!kept.gradient) return "no gradient";
    std::vector<std::string> names;
    for (const std::size_t i : kept.inputs) names.push_back(doc.tensors[std::min(i, doc.tensors.size() - 1)]);
    for (const std::size_t i : kept.outputs) names.emplace_back(i == 0 ? "y" : "indices");
    if (kept.more) names.push_back(doc.keeps.empty() ? "**not documented**" : what(doc.keeps));
    names.erase(std::unique(names.begin(), names.end()), names.end());
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
    return text.empty() ? "nothing" : text;
}

// ---- How exact it is

/// The largest error of a call in float32, in units in the last place of the largest element.
double error_of(const Call& call, Kind kind, Draw& draw) {
    Inputs narrow = prepared(call.inputs, kFloat32);
    for (Tensor& x : narrow) {
        if (x.is_floating_point()) x = of_kind(x, kind, draw);
    }
    const Inputs y = call.f(narrow);
    const Inputs truth = call.f(prepared(narrow, kFloat64));
    double worst = 0;
    for (std::size_t k = 0; k < y.size(); ++k) {
        if (!y[k].is_floating_point()) continue;
        const std::vector<double> found = y[k].to_vector<double>();
        const std::vector<double> wanted = truth[k].to_vector<double>();
        double most = 0;
        double far = 0;
        for (std::size_t i = 0; i < std::min(found.size(), wanted.size()); ++i) {
            if (!std::isfinite(wanted[i]) || !std::isfinite(found[i])) continue;
            most = std::max(most, std::abs(wanted[i]));
            far = std::max(far, std::abs(found[i] - wanted[i]));
        }
        constexpr int kDigits = 23;
        constexpr int kLeast = std::numeric_limits<float>::min_exponent - 1;  // below, places get no smaller
        if (far > 0 && most > 0)
            worst = std::max(worst, far / std::ldexp(1, std::max(std::ilogb(most), kLeast) - kDigits));
    }
    return worst;
}

double error_of(const property::Operation& operation, Kind kind, const Effort& effort) {
    double worst = 0;
    if (kind == Kind::kOrdinary || kind == Kind::kExtreme) {
        for (const accuracy::Accuracy& measured : accuracy::accuracies()) {
            if (first_word(measured.name) == first_word(operation.name))
                worst = std::max(worst, measured.ulps);
        }
        if (worst > 0) return worst;
    }
    const bool is_long = kind == Kind::kLong;
    for (std::uint64_t seed = 1; seed <= (is_long ? effort.long_draws : effort.draws); ++seed) {
        Draw draw(seed, is_long ? Draw::Size::kLarge : Draw::Size::kSmall);
        worst = std::max(worst, error_of(operation.draw(draw), kind, draw));
    }
    return worst;
}

std::string word(double bound) {
    if (bound == 0) return "exact";
    return bound == 0.5 ? "½" : std::to_string(static_cast<int>(bound));
}

/// The next of 0, ½, 1, 2, 4, … with some room for other instruction sets.
double bound_on(double error) {
    constexpr double kRoom = 1.2;
    if (error == 0) return 0;
    double bound = 0.5;
    if (error <= bound) return bound;
    while (bound < kRoom * error) bound *= 2;
    return bound;
}

double number_of(const std::string& text) {
    return text == "exact" ? 0 : text == "½" ? 0.5 : std::stod(text);
}

/// The bounds in a page that was made before, by signature.
std::map<std::string, Bounds> bounds_in(const std::string& page) {
    std::map<std::string, Bounds> bounds;
    std::istringstream lines(page);
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with("| `")) continue;
        const std::size_t end = line.find('`', 3);
        const std::size_t cell = line.rfind("| ", line.size() - 3) + 2;
        std::istringstream words(line.substr(cell, line.size() - 2 - cell));
        Bounds& found = bounds[line.substr(3, end - 3)];
        std::size_t k = 0;
        for (std::string text; words >> text && k < found.size();) {
            if (text != "·") found[k++] = number_of(text);
        }
        while (k > 0 && k < found.size()) found[k++] = found[0];
    }
    return bounds;
}

/// The bounds that the page had where they hold and, in one that is made anew, are not far too wide.
std::string measured(const property::Operation& call, const Bounds* before, const Effort& effort) {
    Bounds bounds{};
    for (std::size_t k = 0; k < bounds.size(); ++k) {
        const double error = error_of(call, kKinds[k], effort);
        constexpr double kFarTooWide = 8;
        const bool holds =
            before && error <= (*before)[k] && !(effort.anew && (*before)[k] > kFarTooWide * bound_on(error));
        bounds[k] = holds ? (*before)[k] : bound_on(error);
    }
    if (std::all_of(bounds.begin(), bounds.end(), [&](double bound) { return bound == bounds[0]; })) {
        return word(bounds[0]);
    }
    std::string text;
    for (const double bound : bounds) text += (text.empty() ? "" : " · ") + word(bound);
    return text;
}

// ---- The page

std::string cell(const std::string& text) {
    std::string result;
    for (const char c : text) result += c == '|' ? "\\|" : std::string(1, c);
    return " " + result + " |";
}

/// The calls of the property tests and, behind them, the rows of the gradient-check table.
property::Operations calls_and_rows() {
    property::Operations calls = property::all_calls();
    for (const testing::Row& row : testing::all_rows()) {
        const auto f = [row](const Inputs& x) -> Inputs { return {row.f(x)}; };
        calls.push_back({row.operation, [row, f](Draw&) { return Call{row.inputs, f}; }});
    }
    return calls;
}

/// The call that stands for an operation: the one of its name, or else the first that begins with it. Where
/// several operations have one name, their calls stand in the order of the docstrings.
const property::Operation* call_of(const Docstring& doc, const std::vector<Docstring>& all,
                                   const property::Operations& calls) {
    std::vector<const property::Operation*> found;
    for (const property::Operation& call : calls) {
        if (first_word(call.name) == doc.name) found.push_back(&call);
    }
    if (found.empty()) return nullptr;
    std::size_t place = 0;
    bool alone = true;
    for (const Docstring& other : all) {
        if (other.name != doc.name || other.signature == doc.signature) continue;
        alone = false;
        if (&other < &doc) ++place;
    }
    if (!alone) return found[std::min(place, found.size() - 1)];
    const auto exact =
        std::find_if(found.begin(), found.end(), [&](const auto* call) { return call->name == doc.name; });
    return exact == found.end() ? found[0] : *exact;
}

}  // namespace

std::string operations_page(const std::filesystem::path& root, const std::string& previous,
                            std::uint64_t draws, bool anew) {
    const property::Operations calls = calls_and_rows();
    const std::map<std::string, Bounds> known = bounds_in(previous);
    const Effort effort{draws, std::max<std::uint64_t>(draws / 20, 1), anew};
    std::ostringstream page;
    page << kIntroduction;
    for (const Header& header : public_headers(root)) {
        page << "\n## " << header.path << "\n\n" << header.about << "\n\n";
        page << "| operation | formula | gradient | conventions | keeps | ulp |\n"
                "| --- | --- | --- | --- | --- | --- |\n";
        for (const std::string& name : header.undocumented)
            page << "| " << name << " | **not documented** |\n";
        for (const Docstring& doc : header.operations) {
            page << "|" << cell("`" + doc.signature + "`") << cell(doc.formula) << cell(doc.gradient)
                 << cell(doc.conventions);
            const property::Operation* call = call_of(doc, header.operations, calls);
            if (!call) {
                page << " **not called in tests/property nor in tests/gradients** | |\n";
                continue;
            }
            const auto before = known.find(doc.signature);
            page << cell(words(kept_by(*call), doc))
                 << cell(measured(*call, before == known.end() ? nullptr : &before->second, effort)) << "\n";
        }
    }
    page << long_products_section(previous);
    return page.str();
}

}  // namespace reel::docs
