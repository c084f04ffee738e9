// The softmax family and cross-entropy against a battery of inputs whose truth was computed in long double,
// and compared with PyTorch and SciPy, by fixtures/make_softmax_fixtures.py: 4 ulp of the result.
#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "reel.hpp"

using namespace reel;

namespace {

using nlohmann::json;

constexpr double kTolerance = 4;     // ulp
constexpr std::size_t kShown = 300;  // characters of a case

const json& fixture() {
    static const json data = json::parse(std::ifstream(REEL_TESTS "/fixtures/softmax.json"));
    return data;
}

// ---- The inputs, made as the script makes them ---------------------------------------------------------

std::vector<std::uint64_t> states(std::uint64_t seed, std::int64_t count) {
    std::vector<std::uint64_t> result;
    for (std::int64_t i = 0; i < count; ++i)
        result.push_back(seed = seed * 6364136223846793005U + 1442695040888963407U);
    return result;
}

/// Numbers of [0, 1), multiples of 2^-24.
std::vector<double> uniform(std::uint64_t seed, std::int64_t count) {
    std::vector<double> result;
    for (const std::uint64_t state : states(seed, count))
        result.push_back(static_cast<double>(state >> 40U) * 0x1p-24);
    return result;
}

/// Whether number i of a sequence is one of the chosen, about one in `n`.
std::vector<bool> one_in(std::uint64_t n, std::uint64_t seed, std::int64_t count) {
    std::vector<bool> result;
    for (const std::uint64_t state : states(seed, count)) result.push_back((state >> 33U) % n == 0);
    return result;
}

/// Values given with the classes' dimension last, as a tensor of `sizes`.
Tensor classes_last(const std::vector<double>& values, const Shape& sizes, std::int64_t dim) {
    const Tensor x = tensor(values, kFloat64);
    Shape moved = sizes;
    const std::int64_t classes = sizes[static_cast<std::size_t>(dim)];
    moved.erase(static_cast<std::size_t>(dim));
    moved.push_back(classes);
    return x.view(moved).movedim(-1, dim).contiguous();
}

struct Input {
    Shape sizes;
    std::int64_t dim;
    DType dtype;
    std::uint64_t seed;
    std::int64_t classes;
    std::int64_t rows;

    explicit Input(const json& data)
        : sizes(data["shape"].get<std::vector<std::int64_t>>()),
          dim((data["dim"].get<std::int64_t>() + static_cast<std::int64_t>(sizes.size())) %
              static_cast<std::int64_t>(sizes.size())),
          dtype(data["dtype"] == "float32" ? kFloat32 : kFloat64),
          seed(data["logits"]["seed"].get<std::uint64_t>()),
          classes(sizes[static_cast<std::size_t>(dim)]),
          rows(numel(sizes) / classes) {}
};

Tensor logits_of(const Input& in, const json& spec) {
    const std::int64_t count = numel(in.sizes);
    std::vector<double> values = uniform(in.seed, count);
    for (double& z : values) {
        z = spec.value("offset", 0.0) + spec["scale"].get<double>() * (2 * z - 1);
        if (spec.contains("quantum")) {
            const auto quantum = spec["quantum"].get<double>();
            z = std::floor(z / quantum) * quantum;
        }
    }
    const Tensor z = tensor(values, kFloat64).view(in.sizes);
    const Tensor by_rows = z.movedim(in.dim, -1).contiguous();
    auto* element = by_rows.data_ptr<double>();
    for (std::int64_t r = 0; r < in.rows && spec.contains("lead"); ++r)
        element[r * in.classes + (7 * r + 3) % in.classes] += spec["lead"].get<double>();
    const std::vector<bool> holes = one_in(3, in.seed + 1, count);
    for (std::int64_t i = 0; i < count && spec.value("infinities", false); ++i) {
        if (holes[static_cast<std::size_t>(i)]) element[i] = -std::numeric_limits<double>::infinity();
    }
    const std::string special = spec.value("special", "");
    for (std::int64_t c = 0; c < in.classes && special == "empty row"; ++c)
        element[c] = -std::numeric_limits<double>::infinity();
    if (special == "infinite") element[0] = std::numeric_limits<double>::infinity();
    if (special == "nan") element[0] = std::numeric_limits<double>::quiet_NaN();
    return by_rows.movedim(-1, in.dim).contiguous().to(in.dtype);
}

/// The same elements in another layout.
Tensor arranged(const Tensor& z, const std::string& layout) {
    if (layout == "transposed") return z.transpose(0, -1).contiguous().transpose(0, -1);
    if (layout == "flipped") return z.flip(-1).contiguous().flip(-1);
    if (layout == "expanded") return z.narrow(0, 0, 1).expand(z.sizes());
    if (layout != "sliced") return z;
    Shape sizes = z.sizes();
    sizes.back() = 2 * sizes.back() + 1;
    return full(sizes, 7.0, z.dtype()).slice(-1, 1, None, 2).copy_(z);
}

Tensor targets_of(const Input& in, const std::string& kind) {
    if (kind == "probabilities") {
        std::vector<double> q = uniform(in.seed + 7, in.rows * in.classes);
        const std::vector<bool> none = one_in(4, in.seed + 8, in.rows * in.classes);
        for (std::size_t i = 0; i < q.size(); ++i) q[i] = none[i] ? 0 : q[i];
        return classes_last(q, in.sizes, in.dim).to(in.dtype);
    }
    std::vector<std::int64_t> labels;
    for (const std::uint64_t state : states(in.seed + 2, in.rows))
        labels.push_back(static_cast<std::int64_t>((state >> 33U) % static_cast<std::uint64_t>(in.classes)));
    const std::vector<bool> ignored = one_in(3, in.seed + 3, in.rows);
    for (std::size_t r = 0; r < labels.size(); ++r) {
        if (kind == "ignored" && ignored[r]) labels[r] = -100;
        if (kind == "leaders") labels[r] = (7 * static_cast<std::int64_t>(r) + 3) % in.classes;
    }
    Shape sizes = in.sizes;
    sizes.erase(static_cast<std::size_t>(in.dim));
    return tensor(labels).view(sizes);
}

CrossEntropyOptions options_of(const Input& in, const json& data) {
    CrossEntropyOptions options;
    options.dim = in.dim;
    options.label_smoothing = data["smoothing"].get<double>();
    options.reduction = data["reduction"] == "mean" ? kMean : data["reduction"] == "sum" ? kSum : kNone;
    if (data["weight"].get<bool>()) {
        std::vector<double> weight = uniform(in.seed + 5, in.classes);
        for (double& w : weight) w = 0.25 + 2 * w;
        options.weight = tensor(weight, kFloat64).to(in.dtype);
    }
    return options;
}

// ---- The comparison ------------------------------------------------------------------------------------

/// The distance of `x` from the truth in units of the last place that numbers of this type have at `scale`.
double ulps(double x, long double truth, long double scale, DType dtype) {
    if (std::isnan(truth)) return std::isnan(x) ? 0 : std::numeric_limits<double>::infinity();
    if (std::isinf(truth))
        return static_cast<long double>(x) == truth ? 0 : std::numeric_limits<double>::infinity();
    const bool narrow = dtype == kFloat32;
    const long double least = narrow ? std::numeric_limits<float>::min() : std::numeric_limits<double>::min();
    const int digits = narrow ? std::numeric_limits<float>::digits : std::numeric_limits<double>::digits;
    const long double unit = std::ldexp(1.0L, std::ilogb(std::max(std::abs(scale), least)) - digits + 1);
    // A truth that rounds to infinity, or to zero, is an infinity or a zero.
    const double rounded =
        narrow ? static_cast<double>(static_cast<float>(truth)) : static_cast<double>(truth);
    return x == rounded ? 0 : static_cast<double>(std::abs(static_cast<long double>(x) - truth) / unit);
}

/// The largest error of the elements that the fixture has noted.
double worst_ulps(const Tensor& x, const json& data, const std::string& prefix) {
    const std::vector<double> values = x.to_vector<double>();
    const json& at = data[prefix + "at"];
    const json& truth = data[prefix.empty() ? "value" : "gradient"];
    const json scale = data.value(prefix + "scale", json::array());
    double worst = 0;
    for (std::size_t i = 0; i < at.size(); ++i) {
        const long double wanted = std::strtold(truth[i].get<std::string>().c_str(), nullptr);
        const long double unit_at = scale.empty() ? wanted : static_cast<long double>(scale[i].get<double>());
        worst = std::max(worst, ulps(values[at[i].get<std::size_t>()], wanted, unit_at, x.dtype()));
    }
    return worst;
}

struct Errors {
    double value = 0;
    double gradient = 0;
};

Errors errors_of(const json& data) {
    const Input in(data);
    const Tensor z = arranged(logits_of(in, data["logits"]), data["layout"]);
    const std::string op = data["op"];
    if (op == "softmax") return {worst_ulps(softmax(z, in.dim), data, "")};
    if (op == "log_softmax") return {worst_ulps(log_softmax(z, in.dim), data, "")};
    if (op == "logsumexp") return {worst_ulps(logsumexp(z, in.dim, true), data, "")};
    const Tensor leaf = z.detach().set_requires_grad();
    const Tape tape;
    const Tensor loss =
        cross_entropy(leaf, targets_of(in, data["options"]["targets"]), options_of(in, data["options"]));
    loss.backward(ones_like(loss));
    return {worst_ulps(loss.detach(), data, ""), worst_ulps(leaf.grad(), data, "gradient_")};
}

}  // namespace

TEST_CASE("the softmax family and cross_entropy are within 4 ulp on a battery of inputs") {
    REQUIRE(fixture().size() >= 500);
    for (const json& data : fixture()) {
        const Errors errors = errors_of(data);
        CHECK_MESSAGE((errors.value <= kTolerance && errors.gradient <= kTolerance), "value ", errors.value,
                      " ulp, gradient ", errors.gradient, " ulp: ", data.dump().substr(0, kShown));
    }
}
