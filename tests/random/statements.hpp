/// \file
/// The statements of random programs: how each is drawn, how it reads, what the library does and what the model
/// says.
#pragma once

#include <string>

#include "tests/property/draw.hpp"
#include "tests/random/model.hpp"

namespace reel::random_programs {

struct Rule;

/// `v<id> = rule(v<in>..., p..., x...)`. One that writes in place, or only looks, makes no value.
struct Statement {
    const Rule* rule = nullptr;
    int id = 0;
    std::vector<int> in;          ///< the statements that made the operands
    std::vector<std::int64_t> p;  ///< dims, sizes, indices
    std::vector<double> x;
};

using Tensors = std::vector<Tensor>;

/// Picks operands among the values that there are, by statement.
class Scope {
public:
    Scope(property::Draw& draw, const Arrays& values) : draw_(draw), values_(values) {}
    /// A value for which `fits`; -1 where there is none. The newest are preferred.
    int pick(const std::function<bool(const Array&)>& fits) const;
    const Array& at(int id) const { return values_[static_cast<std::size_t>(id)]; }
    property::Draw& draw() const { return draw_; }

private:
    property::Draw& draw_;
    const Arrays& values_;
};

struct Rule {
    std::string text;  ///< with %r its result, %0 and %1 its operands, %p and %x its numbers
    int weight;
    bool writes;                                         ///< in place
    std::function<bool(const Scope&, Statement&)> draw;  ///< false: nothing fits
    std::function<Tensor(const Tensors&, const Statement&)> library;
    std::function<Array(const Arrays&, const Statement&)> model;
    /// Whose elements its derivative reads, besides what it has made for itself: `0`, `1` an operand, `r` the
    /// result, `x` each operand of a product for the gradient of the other one.
    std::string saves = "";
};

/// Adds what `statement` saves to what `result`, which it has made or written, depends on. `written` is what had
/// written each operand's values before it ran.
void save(const Statement& statement, const Arrays& in, const std::vector<int>& written, const Array& result);

const std::vector<Rule>& rules();
/// The leaves, with values `x` and sizes `p`.
const Rule& leaf_rule();
std::string text_of(const Statement& statement);

}  // namespace reel::random_programs
