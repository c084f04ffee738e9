// Samples of given distributions, made of the uniform numbers of `random.cpp`.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "tensor/factory.hpp"
#include "tensor/parallel.hpp"
#include "tensor/portable_math.hpp"
#include "tensor/random.hpp"

namespace reel {

namespace {

/// Throws unless every row has weights, none negative or infinite or NaN, of which enough are positive.
void check_weights(const std::vector<double>& weights, std::int64_t rows, std::int64_t columns,
                   std::int64_t needed) {
    for (std::int64_t row = 0; row < rows; ++row) {
        std::int64_t positive = 0;
        double total = 0;
        for (std::int64_t i = 0; i < columns; ++i) {
            const double weight = weights[static_cast<std::size_t>(row * columns + i)];
            if (!(weight >= 0) || std::isinf(weight)) {
                fail<Error>("multinomial: weight ", i, " of row ", row, " is ", weight,
                            "; weights are finite and not negative");
            }
            positive += weight > 0;
            total += weight;
        }
        if (std::isinf(total)) fail<Error>("multinomial: the weights of row ", row, " add up to infinity");
        if (positive < needed) {
            fail<Error>("multinomial: ", positive, " weights of row ", row, " are positive, ", needed,
                        " are needed", needed > 1 ? " to draw as many without replacement" : "");
        }
    }
}

/// Where each u of [0, 1) falls among the partial sums of the weights.
void with_replacement(const double* weights, std::int64_t columns, const double* u, std::int64_t samples,
                      std::int64_t* to) {
    std::vector<double> sums(static_cast<std::size_t>(columns));
    std::partial_sum(weights, weights + columns, sums.begin());
    // u · total may round up to the total: the last weight that is not 0 ends there.
    const auto last = std::lower_bound(sums.begin(), sums.end(), sums.back());
    for (std::int64_t i = 0; i < samples; ++i) {
        to[i] = std::min(std::upper_bound(sums.begin(), sums.end(), u[i] * sums.back()), last) - sums.begin();
    }
}

/// A race: alternative i arrives after −ln uᵢ / wᵢ, an exponential time of rate wᵢ. The first to arrive is i
/// with probability wᵢ / Σ w, the second in the same way among the others, and so on.
void without_replacement(const double* weights, std::int64_t columns, const double* u, std::int64_t samples,
                         std::int64_t* to) {
    std::vector<std::pair<double, std::int64_t>> arrivals;
    for (std::int64_t i = 0; i < columns; ++i) {
        if (weights[i] > 0) arrivals.emplace_back(-portable::log(1 - u[i]) / weights[i], i);
    }
    std::partial_sort(arrivals.begin(), arrivals.begin() + samples, arrivals.end());
    for (std::int64_t i = 0; i < samples; ++i) to[i] = arrivals[static_cast<std::size_t>(i)].second;
}

}  // namespace

Tensor multinomial(const Tensor& probs, std::int64_t num_samples, bool replacement) {
    if (probs.dim() != 1 && probs.dim() != 2) {
        fail<ShapeError>("multinomial: weights are a row or a matrix of rows, not of shape ", probs.sizes());
    }
    if (!probs.is_floating_point()) {
        fail<DTypeError>("multinomial: weights are floating, not ", probs.dtype());
    }
    if (num_samples < 1) fail<Error>("multinomial: ", num_samples, " samples; at least 1 is needed");
    const std::int64_t columns = probs.size(-1);
    const std::int64_t rows = probs.dim() == 2 ? probs.size(0) : 1;
    const std::vector<double> weights = probs.to_vector<double>();
    check_weights(weights, rows, columns, replacement ? 1 : num_samples);

    const std::int64_t draws = replacement ? num_samples : columns;  // per row
    const detail::UndoDraws undo;
    const Tensor u = rand({rows, draws}, kFloat64);
    const Tensor result =
        Tensor::empty(probs.dim() == 2 ? Shape{rows, num_samples} : Shape{num_samples}, kInt64);
    const auto* numbers = u.data_ptr<double>();
    auto* to = result.data_ptr<std::int64_t>();
    constexpr std::int64_t kCost = 16;  // a search or a logarithm, in additions
    parallel_for(rows, 1, kCost * (columns + num_samples), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            (replacement ? with_replacement : without_replacement)(weights.data() + row * columns, columns,
                                                                   numbers + row * draws, num_samples,
                                                                   to + row * num_samples);
        }
    });
    return result;
}

Tensor detail::draw_bernoulli(const Tensor& probs) {
    if (!probs.is_floating_point()) {
        fail<DTypeError>("bernoulli: probabilities are floating, not ", probs.dtype());
    }
    const std::vector<double> p = probs.to_vector<double>();
    const auto wrong = std::find_if_not(p.begin(), p.end(), [](double x) { return x >= 0 && x <= 1; });
    if (wrong != p.end()) {
        fail<Error>("bernoulli: probability ", *wrong, " of element ", wrong - p.begin(),
                    " is not in [0, 1]");
    }
    const detail::UndoDraws undo;
    const Tensor u = rand(probs.sizes(), kFloat64);
    const Tensor result = Tensor::empty(probs.sizes(), probs.dtype());
    const auto* numbers = u.data_ptr<double>();
    dispatch(result.dtype(), [&](auto zero) {
        auto* to = reinterpret_cast<decltype(zero)*>(result.raw());
        for (std::size_t i = 0; i < p.size(); ++i) to[i] = convert_element<decltype(zero)>(numbers[i] < p[i]);
    });
    return result;
}

}  // namespace reel
