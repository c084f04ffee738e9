// einsum: an equation read into labels, then contracted pair by pair with views and `matmul`.
#include "ops/linalg/einsum.hpp"

#include "autograd/tape.hpp"

#include <algorithm>
#include <cctype>
#include <string>

#include "ops/linalg/matmul.hpp"
#include "ops/pointwise/transcendental.hpp"
#include "ops/reduce/reduce.hpp"
#include "ops/shape/views.hpp"

namespace reel {

namespace {

using std::int64_t;

/// What a dimension is called: a letter, or a number below kFirstLetter for a dimension of the ellipsis,
/// counted from its last one.
using Label = char;
using Labels = std::string;
constexpr Label kFirstLetter = 'A';

bool has(const Labels& labels, Label label) { return labels.find(label) != Labels::npos; }
int64_t place(const Labels& labels, Label label) { return static_cast<int64_t>(labels.find(label)); }

/// A tensor whose dimensions have labels, no two alike.
struct Labelled {
    Tensor tensor;
    Labels labels;

    int64_t size(Label label) const { return tensor.size(place(labels, label)); }
};

/// Reads the equation from left to right; keeps it for the errors.
class Equation {
public:
    explicit Equation(std::string_view text) : text_(text) {}

    /// The labels of one operand of `dim` dimensions, or of the result (`dim` -1: the ellipsis has
    /// `ellipsis_` dimensions). Ends after them, at `,`, `->` or the end.
    Labels term(int64_t dim) {
        Labels labels;
        std::size_t ellipsis_at = Labels::npos;
        for (; position_ < text_.size() && text_[position_] != ',' && !at_arrow(); ++position_) {
            const char c = text_[position_];
            if (std::isalpha(static_cast<unsigned char>(c))) {
                labels += c;
            } else if (text_.substr(position_, 3) == "...") {
                if (ellipsis_at != Labels::npos) refuse("a second ellipsis in one term");
                ellipsis_at = labels.size();
                position_ += 2;
            } else if (c != ' ') {
                refuse("neither a letter nor an ellipsis");
            }
        }
        const auto letters = static_cast<int64_t>(labels.size());
        const int64_t covered = dim < 0 ? ellipsis_ : dim - letters;
        if (dim >= 0 && (ellipsis_at == Labels::npos ? covered != 0 : covered < 0)) {
            refuse(detail::concat("the term before has ", letters, " letters for an operand of ", dim,
                                  " dimensions"));
        }
        if (ellipsis_at == Labels::npos) return labels;
        if (covered >= kFirstLetter) refuse(detail::concat("the ellipsis covers ", covered, " dimensions"));
        ellipsis_ = std::max(ellipsis_, covered);
        Labels dots;
        for (int64_t i = covered; i-- > 0;) dots += static_cast<Label>(i);
        return labels.insert(ellipsis_at, dots);
    }
    bool at_end() const { return position_ == text_.size(); }
    bool at_arrow() const { return text_.substr(position_, 2) == "->"; }
    void skip(std::size_t characters) { position_ += characters; }
    int64_t ellipsis() const { return ellipsis_; }

    [[noreturn]] void refuse(const std::string& why) const {
        fail<ShapeError>("einsum: \"", text_, "\", position ", position_, ": ", why);
    }

private:
    std::string_view text_;
    std::size_t position_ = 0;
    int64_t ellipsis_ = 0;
};

/// How a label is called in an error.
std::string shown(Label label) {
    return label < kFirstLetter ? std::string("of the ellipsis") : detail::concat("'", label, "'");
}

/// The operand with the diagonal in the place of dimensions of the same label.
Labelled without_repeats(Tensor x, Labels labels) {
    for (std::size_t i = 0; i < labels.size(); ++i) {
        for (std::size_t j = labels.find(labels[i], i + 1); j != Labels::npos;
             j = labels.find(labels[i], i + 1)) {
            const auto first = static_cast<int64_t>(i);
            const auto second = static_cast<int64_t>(j);
            if (x.size(first) != x.size(second)) {
                fail<ShapeError>("einsum: the letter ", shown(labels[i]), " has sizes ", x.size(first),
                                 " and ", x.size(second), " in an operand of shape ", x.sizes());
            }
            x = x.diagonal(0, first, second).movedim(-1, first);
            labels.erase(j, 1);
        }
    }
    return {x, labels};
}

void check_sizes(const std::vector<Labelled>& operands) {
    for (const Labelled& a : operands) {
        for (const Labelled& b : operands) {
            for (Label label : a.labels) {
                if (!has(b.labels, label) || a.size(label) == b.size(label)) continue;
                if (a.size(label) == 1 || b.size(label) == 1) continue;
                fail<ShapeError>("einsum: the dimension ", shown(label), " has size ", a.size(label),
                                 " in one operand and ", b.size(label), " in another");
            }
        }
    }
}

/// The result's labels where the equation does not give them: the ellipsis, then what occurs once.
Labels implied_result(const std::vector<Labels>& terms, int64_t ellipsis) {
    Labels all;
    for (const Labels& term : terms) all += term;
    Labels result;
    for (int64_t i = ellipsis; i-- > 0;) result += static_cast<Label>(i);
    std::sort(all.begin(), all.end());
    for (Label label : all) {
        if (label >= kFirstLetter && std::count(all.begin(), all.end(), label) == 1) result += label;
    }
    return result;
}

void check_result(const Equation& equation, const Labels& result, const std::vector<Labels>& terms) {
    for (Label label : result) {
        if (label < kFirstLetter) continue;
        if (std::count(result.begin(), result.end(), label) > 1) {
            equation.refuse(detail::concat("the letter ", shown(label), " appears twice in the result"));
        }
        if (std::none_of(terms.begin(), terms.end(), [&](const Labels& term) { return has(term, label); })) {
            equation.refuse(
                detail::concat("the letter ", shown(label), " of the result appears in no operand"));
        }
    }
}

/// Sums over every label for which `gone(label)`; with `keepdim` it stays, with size 1.
void sum_over(Labelled& x, bool keepdim, const auto& gone) {
    Shape dims;
    Labels left;
    for (std::size_t i = 0; i < x.labels.size(); ++i) {
        gone(x.labels[i]) ? dims.push_back(static_cast<int64_t>(i)) : left.push_back(x.labels[i]);
    }
    if (dims.empty()) return;
    x.tensor = sum(x.tensor, dims, keepdim);
    if (!keepdim) x.labels = left;
}

Tensor arranged(const Labelled& x, const Labels& order) {
    Shape dims;
    for (Label label : order) dims.push_back(place(x.labels, label));
    return x.tensor.permute(dims);
}

/// The labels of `a`, in their order, for which `wanted(in b, kept)`.
Labels pick(const Labels& a, const Labels& b, const Labels& kept, const auto& wanted) {
    Labels picked;
    for (Label label : a) {
        if (wanted(has(b, label), has(kept, label))) picked += label;
    }
    return picked;
}

/// a b, summed over the labels that are not in `kept`: one product of (batch, rows, summed) and (batch,
/// summed, columns).
Labelled contract(Labelled a, Labelled b, const Labels& kept) {
    sum_over(a, false, [&](Label label) { return !has(b.labels, label) && !has(kept, label); });
    sum_over(b, false, [&](Label label) { return !has(a.labels, label) && !has(kept, label); });
    // Σ aₗ b = (Σ aₗ) b where b has size 1 there.
    const Labels summed =
        pick(a.labels, b.labels, kept, [](bool shared, bool stays) { return shared && !stays; });
    const auto stretched = [&](const Labelled& x, const Labelled& other) {
        return
            [&](Label label) { return has(summed, label) && x.size(label) != 1 && other.size(label) == 1; };
    };
    sum_over(a, true, stretched(a, b));
    sum_over(b, true, stretched(b, a));
    const Labels batch =
        pick(a.labels, b.labels, kept, [](bool shared, bool stays) { return shared && stays; });
    const Labels rows = pick(a.labels, b.labels, kept, [](bool shared, bool) { return !shared; });
    const Labels columns = pick(b.labels, a.labels, kept, [](bool shared, bool) { return !shared; });

    const auto sizes = [](const Labelled& x, const Labels& labels) {
        Shape shape;
        for (Label label : labels) shape.push_back(x.size(label));
        return shape;
    };
    const auto matrices = [&](const Labelled& x, const Labels& left, const Labels& right) {
        Shape shape = sizes(x, batch);
        shape.push_back(numel(sizes(x, left)));
        shape.push_back(numel(sizes(x, right)));
        return arranged(x, batch + left + right).reshape(shape);
    };
    const Tensor x = matrices(a, rows, summed);
    const Tensor y = matrices(b, summed, columns);
    const Tensor z = summed.empty() ? x * y : matmul(x, y);
    Shape shape;
    for (std::size_t i = 0; i < batch.size(); ++i) shape.push_back(z.sizes()[i]);
    for (int64_t size : sizes(a, rows)) shape.push_back(size);
    for (int64_t size : sizes(b, columns)) shape.push_back(size);
    return {z.reshape(shape), batch + rows + columns};
}

}  // namespace

Tensor einsum(std::string_view text, const std::vector<Tensor>& operands) {
    const Composite whole;
    Equation equation(text);
    if (operands.empty()) equation.refuse("no operands are given");
    std::vector<Labels> terms;
    for (const Tensor& operand : operands) {
        if (!terms.empty()) {
            if (equation.at_end() || equation.at_arrow()) {
                equation.refuse(
                    detail::concat(operands.size(), " operands, but only ", terms.size(), " terms"));
            }
            equation.skip(1);
        }
        terms.push_back(equation.term(operand.dim()));
    }
    if (!equation.at_end() && !equation.at_arrow()) {
        equation.refuse(detail::concat("more terms than the ", operands.size(), " operands"));
    }
    Labels result;
    if (equation.at_arrow()) {
        equation.skip(2);
        result = equation.term(-1);
        if (!equation.at_end()) equation.refuse("the result has one term, and ends the equation");
        check_result(equation, result, terms);
    } else {
        result = implied_result(terms, equation.ellipsis());
    }
    std::vector<Labelled> factors;
    for (std::size_t i = 0; i < operands.size(); ++i)
        factors.push_back(without_repeats(operands[i], terms[i]));
    check_sizes(factors);
    Labelled y = factors[0];
    for (std::size_t i = 1; i < factors.size(); ++i) {
        Labels kept = result;
        for (std::size_t later = i + 1; later < factors.size(); ++later) kept += factors[later].labels;
        y = contract(y, factors[i], kept);
    }
    sum_over(y, false, [&](Label label) { return !has(result, label); });
    return arranged(y, result);
}

}  // namespace reel
