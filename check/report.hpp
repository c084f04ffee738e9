/// \file
/// What a checker of derivatives says. Apart from `check.hpp`, so that who includes all of reel may still call a function
/// of his own `check`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#pragma GCC visibility push(default)
namespace reel {
namespace verdicts {

/// What is said of an element, in rising order of severity. The first two pass.
enum class Verdict : std::uint8_t {
    kMatch,             ///< both derivatives agree within the error bar
    kKink,              ///< the one-sided derivatives differ, and the analytic one lies between them
    kJump,              ///< the function itself jumps here
    kUnresolved,        ///< the error bar is too wide to tell
    kWrong,             ///< they disagree
    kNonFinite,         ///< the function or its derivative is not finite here, or next to here
    kNondeterministic,  ///< the same point gave different values or derivatives
};
/// "match", "kink", "jump", …
const char* to_string(Verdict verdict);
std::ostream& operator<<(std::ostream& out, Verdict verdict);

/// The column of what was looked at along a direction, not along an axis.
inline constexpr std::size_t kDirection = static_cast<std::size_t>(-1);

/// One derivative: that of output `row` (0 for a gradient) for x[column].
struct Element {
    std::size_t row, column;
    double x, analytic, numeric, error;  ///< `error`: how far `numeric` may be off
    Verdict verdict;
    std::string hint;  ///< what may be the matter, in words; often empty
};

/// True when every element is a match or a kink. Printable: what is wrong comes first.
struct Report {
    bool passed = true;
    std::string name;
    std::uint64_t seed = 0;  ///< replays it
    std::vector<Element> elements;
    std::size_t evaluations = 0;  ///< of f
    std::string call;             ///< the function that made the report, for the line that replays it
    std::string hint;             ///< what may be the matter with all of it
    std::string steps;            ///< of `taylor`: the table of steps, remainders and orders

    explicit operator bool() const { return passed; }
    /// The worst of the elements' verdicts.
    Verdict verdict() const;
    /// How many elements got this verdict.
    std::size_t count(Verdict which) const;
    /// The worst element, null where there is none: by verdict, then by how many error bars it misses.
    const Element* worst() const;
    /// The largest part of a derivative in which a mistake could hide: of one that matches, and is told from 0.
    double could_hide() const;
    std::string to_json() const;
    /// Writes a page for a browser, which needs no network: the elements, and a picture of their errors.
    void to_html(const std::string& path) const;
};
std::ostream& operator<<(std::ostream& out, const Report& report);

/// Parts of a report, which tensors' reports print too: "3 match, 1 wrong"; ": analytic a, numeric b +- c, ratio r
/// (hint)"; and how large a mistake could hide where that is worth a line.
void print_counts(std::ostream& out, const Report& report);
void print_derivatives(std::ostream& out, const Element& element);
void print_could_hide(std::ostream& out, double part);

}  // namespace verdicts
}  // namespace reel
#pragma GCC visibility pop
