// The softmax family and the fused cross-entropy, forward and backward, from few classes to a vocabulary.
#include "family.hpp"

using namespace dialect;

namespace {

struct Table {
    int64_t rows;
    int64_t classes;

    double count() const { return static_cast<double>(rows * classes); }
    std::string name() const { return std::to_string(rows) + "x" + std::to_string(classes); }
};

const Table kTables[] = {{65536, 10}, {8192, 64}, {4096, 1000}, {64, 50257}};

Tensor softmax(Operands x) { return x[0].softmax(1); }
Tensor log_softmax(Operands x) { return x[0].log_softmax(1); }
Tensor logsumexp(Operands x) { return x[0].logsumexp(1); }

/// Every member on every table, each byte read and written once.
void members(Family& family) {
    for (const Table& t : kTables) {
        const MakeOperands x = normal({{t.rows, t.classes}});
        const Cost copied = {.bytes = 2 * kFloat * t.count(), .exps = t.count()};
        const Cost twice = {.bytes = 5 * kFloat * t.count(), .exps = t.count()};
        family.forward("softmax_" + t.name(), copied, x, softmax);
        family.forward("log_softmax_" + t.name(), copied, x, log_softmax);
        family.forward("logsumexp_" + t.name(), {.bytes = kFloat * t.count(), .exps = t.count()}, x,
                       logsumexp);
        family.both("softmax_fwdbwd_" + t.name(), twice, x, softmax);
        family.both("log_softmax_fwdbwd_" + t.name(),
                    {.bytes = 5 * kFloat * t.count(), .exps = 2 * t.count()}, x, log_softmax);
    }
    const Cost copied4m = {.bytes = 8 * 4 * kM, .exps = 4 * kM};
    const MakeOperands wide = normal({{4096, 1024}});
    family.forward("softmax_4096x1024", copied4m, wide, softmax);
    family.forward("log_softmax_4096x1024", copied4m, wide, log_softmax);
    family.forward("logsumexp_4096x1024", {.bytes = 4 * 4 * kM, .exps = 4 * kM}, wide, logsumexp);
    family.both("softmax_fwdbwd_4096x1024", {.bytes = 20 * 4 * kM, .exps = 4 * kM}, wide, softmax);
}

/// Other dimensions, views, 16 bits, tiny.
void sources(Family& family) {
    const Cost copied = {.bytes = 8 * kM, .exps = kM};
    const MakeOperands square = normal({{1024, 1024}});
    family.forward("softmax_dim0_1024", copied, square, [](Operands x) { return x[0].softmax(0); });
    family.forward("softmax_transposed_1024", copied, square, [](Operands x) { return x[0].t().softmax(1); });
    family.forward("softmax_cols_step2", copied, normal({{1024, 2048}}), [](Operands x) {
        return x[0].index({Slice(), Slice(None, None, 2)}).softmax(1);
    });
    family.forward("log_softmax_middle", copied, normal({{64, 64, 256}}),
                   [](Operands x) { return x[0].log_softmax(1); });
    family.forward("logsumexp_first_last", {.bytes = 4 * kM, .exps = kM}, normal({{64, 64, 256}}),
                   [](Operands x) {
                       return x[0].logsumexp(Sizes{0, 2});
                   });
    family.forward(
        "softmax_bfloat16", {.bytes = 4 * kM, .exps = kM},
        [] {
            return std::vector<Tensor>{randn({1024, 1024}).to(kBFloat16)};
        },
        softmax);
    family.forward("softmax_8x8", {}, normal({{8, 8}}), softmax);
    family.both("softmax_attention_fwdbwd", {.bytes = 20 * 2 * kM, .exps = 2 * kM},
                normal({{32, 4, 128, 128}}), [](Operands x) { return x[0].softmax(-1); });
}

enum class Targets { kHard, kSmooth, kWeighted, kIgnored, kSoft };

MakeOperands logits_and_targets(const Table& t, Targets kind) {
    return [=] {
        Tensor target =
            kind == Targets::kSoft ? randn({t.rows, t.classes}).softmax(1) : randint(0, t.classes, {t.rows});
        if (kind == Targets::kIgnored) target = target.masked_fill(rand({t.rows}) < 0.3, -100);
        std::vector<Tensor> operands = {randn({t.rows, t.classes}), target};
        if (kind == Targets::kWeighted) operands.push_back(rand({t.classes}) + 0.5);
        return operands;
    };
}

/// The loss of logits and targets alone, then with the gradient of the logits.
void loss(Family& family, const std::string& prefix, const Table& t, Targets kind, bool forward = true) {
    const double smoothing = kind == Targets::kSmooth ? 0.1 : 0;
    const double soft = kind == Targets::kSoft ? t.count() : 0;
    const Function f = [=](Operands x) {
        return dialect::cross_entropy(x[0], x[1], smoothing, x.size() > 2 ? x[2] : Tensor());
    };
    const MakeOperands operands = logits_and_targets(t, kind);
    if (forward)
        family.forward(prefix + "_fwd_" + t.name(), {.bytes = kFloat * (t.count() + soft), .exps = t.count()},
                       operands, f);
    family.both(prefix + "_fwdbwd_" + t.name(),
                {.bytes = kFloat * (3 * t.count() + 2 * soft), .exps = 2 * t.count()}, operands, f, 1);
}

void losses(Family& family) {
    for (const Table& t : kTables) loss(family, "ce", t, Targets::kHard);
    for (const Table& t : kTables) loss(family, "ce_smooth", t, Targets::kSmooth, t.classes == 64);
    for (const Table& t : kTables) loss(family, "ce_soft", t, Targets::kSoft, t.classes == 64);
    for (const Table& t : {kTables[0], kTables[1], kTables[2]}) {
        loss(family, "ce_ignored", t, Targets::kIgnored, false);
        loss(family, "ce_weighted", t, Targets::kWeighted, false);
    }
    loss(family, "ce", {512, 50257}, Targets::kHard);
    loss(family, "ce_smooth", {512, 50257}, Targets::kSmooth, false);
    loss(family, "ce", {32, 10}, Targets::kHard, false);
}

}  // namespace

std::vector<Workload> softmax_workloads() {
    Family family("softmax");
    members(family);
    sources(family);
    losses(family);
    return family.rows();
}
