// The questions of TOUR.md: each stop has one, and the number printed bold in its answer is what a program
// computes.
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <regex>
#include <sstream>

#include "reel.hpp"

using namespace reel;

namespace {

Tensor leaf(const Tensor& t) { return t.clone().set_requires_grad(); }

/// dc/da of b = a + a, c = b + b.
double twice_two() {
    const Tensor a = leaf(tensor(1.0));
    Tape tape;
    const Tensor b = a + a;
    (b + b).backward();
    return a.grad().item<double>();
}

double gradient_of_square(int rewinds) {
    const Tensor a = leaf(tensor(3.0));
    for (int i = 0; i < rewinds; ++i) {
        Tape tape;
        (a * a).backward();
    }
    return a.grad().item<double>();
}

double largest_exponent() {
    double n = 0;
    while (exp(tensor(n + 1)).isfinite().item<bool>()) ++n;
    return n;
}

double entries_of_layer() {
    const Tensor x = ones({4});
    const Tensor b = ones({4});
    const Tensor w = leaf(ones({4}));
    const Tape tape;
    const Tensor y = (x * w + b).tanh().sum();
    return static_cast<double>(tape.size());
}

double bytes_of_exp_square() {
    const Tensor x = leaf(ones({1000}));
    const Tape tape;
    const Tensor y = square(exp(x));
    return static_cast<double>(tape.bytes_kept());
}

double bias_gradient() {
    const Tensor b = leaf(ones({3}));
    Tape tape;
    (ones({2, 3}) + b).sum().backward();
    return b.grad()[0].item<double>();
}

double running_sum() {
    float sum = 0;
    for (int i = 0; i < 1000000; ++i) sum += 0.1f;
    return std::round(sum);
}

double central_difference_error() {
    constexpr double h = 1e-3;
    return ((std::exp(1 + h) - std::exp(1 - h)) / (2 * h) - std::exp(1)) / std::exp(1);
}

double untransposed_error() {
    const Tensor b = 2 * eye(3);
    const Tensor g = tensor({{1.0, 2.0, 3.0}});
    return (matmul(g, b) - matmul(g, b.t())).abs().max().item<double>();
}

double gradient_at_target() {
    const Tensor z = leaf(zeros({4}));
    Tape tape;
    cross_entropy(z, tensor(2)).backward();
    return z.grad()[2].item<double>();
}

double row_read_twice() {
    const Tensor table = leaf(ones({3, 2}));
    Tape tape;
    embedding(tensor({1, 1, 2}), table).sum().backward();
    return table.grad()[1][0].item<double>();
}

double entries_of_linear() {
    const Tape tape;
    const Tensor y = linear(ones({8, 4}), leaf(ones({3, 4})), leaf(ones({3})));
    return static_cast<double>(tape.size());
}

double same_place() {
    manual_seed(5);
    const Tensor ten = rand({10});
    manual_seed(5);
    return (ten[3] - rand({4})[3]).item<double>();
}

double first_adam_step() {
    const Tensor p = leaf(tensor(5.0, kFloat64));
    Adam adam({p}, {.lr = 0.1});
    Tape tape;
    (1000 * p).backward();
    adam.step();
    return 5 - p.item<double>();
}

const std::map<std::string, std::function<double()>> kAnswers = {
    {"0", twice_two},
    {"1",
     [] {
         return static_cast<double>(arange(6).view({2, 3}).t()[2][1].storage_offset());
     }},
    {"2",
     [] {
         return static_cast<double>(zeros({3}).expand({1000, 3}).impl().storage->bytes) / sizeof(float);
     }},
    {"3", largest_exponent},
    {"4", [] { return gradient_of_square(1); }},
    {"5", entries_of_layer},
    {"5a", bytes_of_exp_square},
    {"6", bias_gradient},
    {"6a", [] { return gradient_of_square(2); }},
    {"7", running_sum},
    {"8", central_difference_error},
    {"8a", untransposed_error},
    {"9",
     [] {
         return log_softmax(tensor({0.0, 200.0}), 0)[0].item<double>();
     }},
    {"10", gradient_at_target},
    {"11", row_read_twice},
    {"12", entries_of_linear},
    {"13", same_place},
    {"14", first_adam_step},
    {"15", [] { return cross_entropy(zeros({27}), tensor(0)).item<double>(); }},
};

}  // namespace

TEST_CASE("docs: the answers of TOUR.md are what programs compute") {
    std::stringstream text;
    text << std::ifstream(std::filesystem::path(REEL_TESTS).parent_path() / "TOUR.md").rdbuf();
    const std::string tour = text.str();
    static const std::regex heading("(?:^|\n)## ([0-9]+[a-z]?)\\. ");
    std::size_t answers = 0;
    for (std::sregex_iterator it(tour.begin(), tour.end(), heading), end; it != end; ++it) {
        const std::string stop = (*it)[1];
        CAPTURE(stop);
        const auto from = static_cast<std::size_t>(it->position());
        const std::string section = tour.substr(from, tour.find("\n## ", from + 1) - from);
        static const std::regex answer(
            "<details><summary>[^<]+</summary>[^*]*\\*\\*([-+.e0-9]+)\\*\\*[^*]*</details>");
        std::smatch found;
        REQUIRE(std::regex_search(section, found, answer));
        REQUIRE(kAnswers.contains(stop));
        const double told = std::stod(found[1]);
        // As many digits as are told.
        CHECK(kAnswers.at(stop)() == doctest::Approx(told).epsilon(2e-3).scale(1e-9));
        ++answers;
    }
    CHECK(answers == kAnswers.size());
}
