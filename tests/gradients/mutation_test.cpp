// The check, checked: with any one pullback of any row spoilt, gradcheck must go red.
#include <doctest/doctest.h>

#include "autograd/tape_state.hpp"
#include "tests/gradients/rows.hpp"

using namespace reel;
using namespace reel::testing;

namespace {

struct Mutation {
    const char* name;
    Tensor (*of)(const Tensor& x_bar);
};

constexpr Mutation kMutations[] = {
    {"scaled by 1.001", [](const Tensor& x_bar) { return x_bar * 1.001; }},
    {"negated", [](const Tensor& x_bar) { return -x_bar; }},
    {"dropped", [](const Tensor&) { return Tensor(); }},
};

/// The pullback of one edge of one node.
using Place = std::pair<std::size_t, std::size_t>;

/// Where the row's operation stands on the tape. Edges without a pullback cannot be spoilt.
std::vector<Place> places_of(const Row& row) {
    std::vector<Tensor> leaves;
    for (const Tensor& input : row.inputs) {
        leaves.push_back(input.is_floating_point() ? input.clone().set_requires_grad() : input);
    }
    const Tape tape;
    row.f(leaves);
    std::vector<Place> places;
    for (const TapeNode& node : tape) {
        if (node.operation != row.operation) continue;
        const auto number = static_cast<std::size_t>(node.number);
        for (std::size_t edge = 0; edge < node.inputs.size(); ++edge) {
            const Tape::State& state = tape.state();
            const bool zero = !state.edges[state.nodes[number].edges_begin + edge].pullback;
            if (!zero) places.emplace_back(number, edge);
        }
    }
    return places;
}

}  // namespace

TEST_CASE("gradcheck goes red when any pullback of any operation is spoilt") {
    for (const Row& row : all_rows()) {
        const std::vector<Place> places = places_of(row);
        const std::string name = row.operation + " (" + row.variant + ")";
        CHECK_MESSAGE((!places.empty() || row.flat), name, " records nothing of this name");
        if (row.flat) continue;
        for (const Place& spoilt : places) {
            for (const Mutation& mutation : kMutations) {
                const detail::Tamper tamper = [&](std::size_t node, std::size_t edge, const Tensor& x_bar) {
                    return Place(node, edge) == spoilt && x_bar.defined() ? mutation.of(x_bar) : x_bar;
                };
                const detail::Swap<const detail::Tamper*> active(detail::tamper, &tamper);
                const GradcheckReport report =
                    gradcheck(row.f, row.inputs, {.mode = GradcheckMode::kProjection});
                CHECK_MESSAGE(report.verdict() == Verdict::kWrong, name, ", node ", spoilt.first, ", input ",
                              spoilt.second, " ", std::string(mutation.name), ": ", report);
            }
        }
    }
}
