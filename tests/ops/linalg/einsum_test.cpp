// einsum against torch.einsum (torch 1.13) and against explicit products.
#include <doctest/doctest.h>

#include "reel.hpp"

using namespace reel;

namespace {

Tensor whole(const Shape& sizes, std::int64_t salt) {
    Tensor x = empty(sizes, kFloat64);
    for (std::int64_t i = 0; i < x.numel(); ++i) {
        x.data_ptr<double>()[i] = static_cast<double>(((i + salt) * (i + 7 * salt + 3)) % 9 - 4);
    }
    return x;
}

struct Case {
    const char* equation;
    std::vector<Shape> operands;
    Shape result;
    double weighted_sum;  ///< Σ (i + 1) y[i] of torch.einsum on the same numbers
};

}  // namespace

TEST_CASE("einsum agrees with torch.einsum") {
    const std::vector<Case> cases = {
        {"ij,jk->ik", {{2, 3}, {3, 4}}, {2, 4}, -266},
        {"ij,jk", {{2, 3}, {3, 4}}, {2, 4}, -266},
        {"ij->ji", {{2, 3}}, {3, 2}, -29},
        {"ii->i", {{2, 2}}, {2}, 3},
        {"ii", {{2, 2}}, {}, 0},
        {"ii->", {{2, 2}}, {}, 0},
        {"ij->", {{2, 3}}, {}, -5},
        {"ij->j", {{2, 3}}, {3}, -18},
        {"bij,bjk->bik", {{2, 2, 3}, {2, 3, 4}}, {2, 2, 4}, 1257},
        {"i,j->ij", {{2}, {3}}, {2, 3}, 15},
        {"i,i->", {{2}, {2}}, {}, -9},
        {"i,i", {{2}, {2}}, {}, -9},
        {"bij,bj->bi", {{2, 2, 3}, {2, 3}}, {2, 2}, 141},
        {"...ij,...jk->...ik", {{2, 3, 2, 3}, {3, 3, 4}}, {2, 3, 2, 4}, 6768},
        {"...ij,...jk", {{2, 3, 2, 3}, {3, 3, 4}}, {2, 3, 2, 4}, 6768},
        {"i...,i...->...", {{2, 2, 3}, {2, 3}}, {2, 3}, 135},
        {"ij,jk,kl->il", {{2, 3}, {3, 4}, {4, 2}}, {2, 2}, 1794},
        {"ij,ik,il->jkl", {{2, 3}, {2, 4}, {2, 2}}, {3, 4, 2}, -4690},
        {"aab,bcc->ac", {{2, 2, 2}, {2, 3, 3}}, {2, 3}, -42},
        {"bhqd,bhkd->bhqk", {{2, 3, 4, 3}, {2, 3, 4, 3}}, {2, 3, 4, 4}, -1458},
        {"ab,cd->dbca", {{2, 2}, {3, 3}}, {3, 2, 3, 2}, 516},
        {"...,...->...", {{2, 3}, {3}}, {2, 3}, -33},
        {"ba", {{2, 2}}, {2, 2}, 1},
        {"Zz", {{2, 3}}, {2, 3}, -12},
        {"ij,j", {{2, 3}, {3}}, {2}, -15},
        {"i...j->...", {{2, 2, 3, 3}}, {2, 3}, -168},
        {"...i->i", {{2, 3, 2}}, {2}, -30},
        {"abc,cb,a->b", {{2, 2, 3}, {3, 2}, {2}}, {2}, -148},
    };
    for (const Case& c : cases) {
        CAPTURE(c.equation);
        std::vector<Tensor> operands;
        for (const Shape& sizes : c.operands) {
            operands.push_back(whole(sizes, static_cast<std::int64_t>(operands.size()) + 1));
        }
        const Tensor y = einsum(c.equation, operands);
        CHECK(y.sizes() == c.result);
        const Tensor weights = arange(1, y.numel() + 1).to(kFloat64);
        CHECK((y.reshape({-1}) * weights).sum().item<double>() == c.weighted_sum);
    }
}

TEST_CASE("einsum: sizes of 1 broadcast, also where they are summed") {
    const Tensor a = whole({2, 3}, 1);
    const Tensor b = whole({1, 4}, 2);
    CHECK(einsum("ij,jk->ik", {a, b}).equal(a.sum({1}, true) * b));
    CHECK(einsum("ij,ij->ij", {a, whole({2, 1}, 3)}).equal(a * whole({2, 1}, 3)));
}

TEST_CASE("einsum: empty sums are zero, integers stay exact") {
    CHECK(einsum("ij,jk->ik", {ones({2, 0}), ones({0, 3})}).equal(zeros({2, 3})));
    CHECK(einsum("ij,kj->", {ones({2, 3}, kInt64), ones({2, 3}, kInt64)}).item<std::int64_t>() == 12);
}

TEST_CASE("einsum names the position where an equation is wrong") {
    const Tensor a = ones({2, 3});
    CHECK_THROWS_WITH_AS(einsum("ij->iz", {a}),
                         "einsum: \"ij->iz\", position 6: the letter 'z' of the result appears in no operand",
                         ShapeError);
    CHECK_THROWS_WITH_AS(einsum("i1->i", {a}),
                         "einsum: \"i1->i\", position 1: neither a letter nor an ellipsis", ShapeError);
    CHECK_THROWS_WITH_AS(
        einsum("ijk->i", {a}),
        "einsum: \"ijk->i\", position 3: the term before has 3 letters for an operand of 2 dimensions",
        ShapeError);
    CHECK_THROWS_AS(einsum("ij,jk->ik", {a}), ShapeError);
    CHECK_THROWS_AS(einsum("ij", {a, a}), ShapeError);
    CHECK_THROWS_AS(einsum("ij->ii", {a}), ShapeError);
    CHECK_THROWS_AS(einsum("ij->i->j", {a}), ShapeError);
    CHECK_THROWS_AS(einsum("......", {a}), ShapeError);
    CHECK_THROWS_AS(einsum("ijk...", {a}), ShapeError);
    CHECK_THROWS_AS(einsum("", {}), ShapeError);
    CHECK_THROWS_WITH_AS(einsum("ij,ij->i", {a, ones({2, 4})}),
                         "einsum: the dimension 'j' has size 3 in one operand and 4 in another", ShapeError);
    CHECK_THROWS_AS(einsum("ii->i", {a}), ShapeError);
}
