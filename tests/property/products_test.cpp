// Products against their definition, written out: einsum letter by letter, matmul matrix by matrix. The
// numbers are whole, so that their sums are exact in any order.
#include <doctest/doctest.h>

#include <map>

#include "tests/property/property.hpp"

using namespace reel;
using namespace reel::property;

namespace {

Tensor wholes(Draw& draw, const Shape& sizes) {
    return draw.wholes(sizes, draw.pick({kFloat32, kFloat64, kInt64}), -4, 4);
}

/// A random equation: a term of letters for each operand, and for the result.
struct Equation {
    std::vector<std::string> terms;
    std::string result;
    std::map<char, std::int64_t> sizes;

    std::string text() const {
        std::string left = terms[0];
        for (std::size_t i = 1; i < terms.size(); ++i) left += "," + terms[i];
        return left + "->" + result;
    }
};

Equation draw_equation(Draw& draw) {
    constexpr std::int64_t kLetters = 5;
    Equation e;
    for (std::int64_t i = draw.whole(1, 3); i > 0; --i) {
        std::string term;
        for (std::int64_t n = draw.whole(0, 3); n > 0; --n) {
            const char letter = static_cast<char>('a' + draw.whole(0, kLetters - 1));
            term += letter;
            e.sizes.try_emplace(letter, draw.whole(1, 3));
        }
        e.terms.push_back(term);
    }
    std::string letters;
    for (const auto& [letter, size] : e.sizes) letters += letter;
    for (const std::int64_t i : draw.permutation(static_cast<std::int64_t>(letters.size()))) {
        if (draw.chance(0.5)) e.result += letters[static_cast<std::size_t>(i)];
    }
    return e;
}

/// Element `at` of an operand; a size of 1 broadcasts.
double element(const Tensor& x, const std::string& term, const std::map<char, std::int64_t>& at) {
    std::int64_t place = 0;
    for (std::size_t d = 0; d < term.size(); ++d) {
        place += x.sizes()[d] == 1 ? 0 : at.at(term[d]) * x.strides()[d];
    }
    return x.data_ptr<double>()[place];
}

/// Σ over all letters of the product of the operands' elements.
Tensor explicit_product(const Equation& e, const std::vector<Tensor>& operands) {
    Shape sizes;
    for (const char letter : e.result) sizes.push_back(e.sizes.at(letter));
    const Tensor y = zeros(sizes, kFloat64);
    std::map<char, std::int64_t> at;
    std::int64_t count = 1;
    for (const auto& [letter, size] : e.sizes) count *= size;
    for (std::int64_t i = 0; i < count; ++i) {
        std::int64_t rest = i;
        for (const auto& [letter, size] : e.sizes) {
            at[letter] = rest % size;
            rest /= size;
        }
        double product = 1;
        for (std::size_t k = 0; k < operands.size(); ++k) product *= element(operands[k], e.terms[k], at);
        std::int64_t place = 0;
        for (std::size_t d = 0; d < e.result.size(); ++d) place += at[e.result[d]] * y.strides()[d];
        y.data_ptr<double>()[place] += product;
    }
    return y;
}

}  // namespace

TEST_CASE("property: einsum is the explicit product") {
    for_all("einsum", 400, [](Draw& draw) {
        const Equation e = draw_equation(draw);
        std::vector<Tensor> operands;
        for (const std::string& term : e.terms) {
            Shape sizes;
            for (const char letter : term) sizes.push_back(e.sizes.at(letter));
            operands.push_back(draw.wholes(sizes, kFloat64, -4, 4));
        }
        demand_same(einsum(e.text(), operands) + 0, explicit_product(e, operands), e.text());
    });
}

TEST_CASE("property: matmul broadcasts matrix by matrix") {
    for_all("matmul", 300, [](Draw& draw) {
        const Shape batch = draw.shape(0, 2);
        const std::int64_t m = draw.whole(0, 4);
        const std::int64_t k = draw.whole(0, 4);
        const std::int64_t n = draw.whole(0, 4);
        Shape left = draw.narrower(batch);
        Shape right = draw.narrower(batch);
        const Shape both = broadcast_shapes(left, right, "");
        for (const std::int64_t size : {m, k}) left.push_back(size);
        for (const std::int64_t size : {k, n}) right.push_back(size);
        const Tensor a = wholes(draw, left);
        const Tensor b = draw.wholes(right, a.dtype(), -4, 4);
        Shape full = both;
        for (const std::int64_t size : {m, n}) full.push_back(size);
        const Tensor y = a.matmul(b);
        demand(y.sizes() == full, "matmul of", describe({a, b}), " has shape ", y.sizes());
        const auto matrices = [&](const Tensor& x) {
            Shape sizes = both;
            for (const std::int64_t d : {-2, -1}) sizes.push_back(x.size(d));
            return x.expand(sizes).reshape({numel(both), x.size(-2), x.size(-1)});
        };
        const Tensor as = matrices(a);
        const Tensor bs = matrices(b);
        const Tensor ys = matrices(y);
        demand_same(as.bmm(bs), ys, "bmm");
        for (std::int64_t i = 0; i < ys.size(0); ++i) {
            demand_same(as[i].mm(bs[i]), ys[i], "mm");
            demand_same((as[i].unsqueeze(-1) * bs[i]).sum(1), ys[i], "the sum of products");
        }
    });
    for_all("vectors", 200, [](Draw& draw) {
        const std::int64_t k = draw.whole(0, 9);
        const Tensor a = wholes(draw, {draw.whole(0, 4), k});
        const Tensor v = draw.wholes({k}, a.dtype(), -4, 4);
        const Tensor w = draw.wholes({a.size(0)}, a.dtype(), -4, 4);
        const Tensor column = a.mm(v.unsqueeze(1)).squeeze(1);
        demand_same(a.mv(v), column, "mv");
        demand_same(a.matmul(v), column, "matmul");
        demand_same(linear(v, a), column, "linear");
        demand_same(dot(w, column), w.matmul(a).matmul(v), "dot");
        demand_same(outer(w, v) + 0, w.unsqueeze(1).mm(v.unsqueeze(0)), "outer");
        demand_same(a.mm(a.t()).t(), a.mm(a.t()), "a product with its transpose");
    });
}
