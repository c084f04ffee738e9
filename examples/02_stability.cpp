// Why softmax is shifted by the maximum, and log-softmax is not the log of softmax. The numbers printed
// here, but for the smallest of the long row, are tests in tests/seeds/softmax_test.cpp. Next: 03_shapes.cpp.
#include <CLI/CLI.hpp>
#include <iostream>

#include "teaching.hpp"

using namespace reel;

namespace {
void show(const char* label, const Tensor& t) { std::cout << "  " << label << t << "\n"; }
}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Shows why softmax is shifted by the maximum.");
    std::uint64_t seed = 0;
    app.add_option("--seed", seed, "of the row of 50,257 logits")->capture_default_str();
    CLI11_PARSE(app, argc, argv);

    const Tensor large = tensor({1000.0, 1001.0, 1002.0});
    std::cout << "softmax of [1000, 1001, 1002] as the formula stands:\n";
    show("exp(x)            ", exp(large));
    show("exp(x) / sum      ", teaching::softmax(large));
    std::cout << "shifted by the maximum, which cancels:\n";
    const Tensor shifted = large - large.max();
    show("x - max           ", shifted);
    show("exp(x - max)      ", exp(shifted));
    show("sum               ", exp(shifted).sum());
    show("reel::softmax     ", softmax(large, -1));

    std::cout << "\nsoftmax of [-1000, -999, -998]: 0 / 0 without the shift\n";
    const Tensor low = tensor({-1000.0, -999.0, -998.0});
    show("exp(x)            ", exp(low));
    show("exp(x) / sum      ", teaching::softmax(low));
    show("reel::softmax     ", softmax(low, -1));

    std::cout << "\nBoth agree where nothing overflows, and a constant changes nothing:\n";
    const Tensor tame = tensor({1.0, 2.0, 3.0});
    show("as it stands      ", teaching::softmax(tame));
    show("reel::softmax     ", softmax(tame, -1));
    show("softmax(x + 100)  ", softmax(tame + 100, -1));

    std::cout << "\nlog-softmax of [1000, 1001, 1002] in float32: -2.407606, -1.407606, -0.407606\n";
    set_printoptions({.precision = 6});
    show("log(softmax(x))   ", log(teaching::softmax(large)));
    show("x - logsumexp(x)  ", large - logsumexp(large, -1));  // one rounded sum near 1002 costs two digits
    show("reel::log_softmax ", log_softmax(large, -1));

    std::cout << "\nWhere float32 exp ends: inf above 88.72, subnormal below -87.34, 0 below -103.97\n";
    show("exp               ", exp(tensor({88.72, 88.73, -87.34, -103.97, -103.98})));

    manual_seed(seed);
    const Tensor row = softmax(randn({50257}) * 10, -1);
    std::cout << "\nOne row of 50,257 logits:\n";
    show("sum               ", row.sum());
    show("smallest          ", row.min());
    show("any NaN           ", row.isnan().any());
}
