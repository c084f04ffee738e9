// The whole idea of reel in one file that includes nothing of it: a tape, `record`, a rewind, a dozen
// operations, a check of their gradients, and a network that learns. Numbers instead of tensors; the rest is
// as in the library, where each part is named beside it. Read from the top. Next: 02_stability.cpp.
#include <algorithm>
#include <cmath>
#include <functional>
#include <iostream>
#include <random>
#include <vector>

namespace {

/// A number with its place on the tape. In reel: `Tensor`, with its `TapeSlot`.
struct Value {
    double data = 0;
    std::size_t node = kConstant;
    static constexpr std::size_t kConstant = static_cast<std::size_t>(-1);
    Value(double number = 0) : data(number) {}
};

/// What turns the gradient of the result, y_bar, into that of one input. In reel: `Pullback`.
using Pullback = std::function<double(double y_bar)>;
struct Edge {
    Value input;
    Pullback pullback;
};

/// The list of what was done, in the order of execution: for each result its edges. In reel: `Tape`.
std::vector<std::vector<Edge>> tape;

/// Puts a result on the tape; edges to constants are dropped. In reel: `record`, and every operation calls
/// it.
Value record(Value y, std::vector<Edge> edges) {
    std::erase_if(edges, [](const Edge& edge) { return edge.input.node == Value::kConstant; });
    if (edges.empty()) return y;
    y.node = tape.size();
    tape.push_back(std::move(edges));
    return y;
}

/// A number whose gradient is wanted. In reel: `set_requires_grad`.
Value leaf(double number) {
    Value x = number;
    x.node = tape.size();
    tape.emplace_back();
    return x;
}

// A dozen operations: each is its value, and a pullback for each input. In reel: `ops/`.
Value operator+(Value a, Value b) {
    return record(a.data + b.data, {{a, [](double g) { return g; }}, {b, [](double g) { return g; }}});
}
Value operator*(Value a, Value b) {
    return record(a.data * b.data,
                  {{a, [=](double g) { return g * b.data; }}, {b, [=](double g) { return g * a.data; }}});
}
Value pow(Value x, double n) {
    return record(std::pow(x.data, n), {{x, [=](double g) { return g * n * std::pow(x.data, n - 1); }}});
}
Value exp(Value x) {
    const double y = std::exp(x.data);
    return record(y, {{x, [=](double g) { return g * y; }}});
}
Value tanh(Value x) {
    const double y = std::tanh(x.data);
    return record(y, {{x, [=](double g) { return g * (1 - y * y); }}});
}
Value log(Value x) {
    return record(std::log(x.data), {{x, [=](double g) { return g / x.data; }}});
}
Value sin(Value x) {
    return record(std::sin(x.data), {{x, [=](double g) { return g * std::cos(x.data); }}});
}
Value relu(Value x) {
    return record(std::max(x.data, 0.0), {{x, [=](double g) { return x.data > 0 ? g : 0; }}});
}
Value operator-(Value x) { return x * -1; }
Value operator-(Value a, Value b) { return a + -b; }
Value operator/(Value a, Value b) { return a * pow(b, -1); }
Value sigmoid(Value x) { return 1 / (1 + exp(-x)); }

/// The gradient of `y` with respect to every node. Walks the tape from its end: when a node is reached,
/// all that used its result have been, so its gradient is complete. In reel: `Rewind::run`, and `accumulate`
/// for the +=.
std::vector<double> rewind(Value y) {
    std::vector<double> bar(tape.size());
    bar[y.node] = 1;
    for (std::size_t node = tape.size(); node-- > 0;) {
        for (const Edge& edge : tape[node]) bar[edge.input.node] += edge.pullback(bar[node]);
    }
    return bar;
}

/// What must not be done: walk down from `y`, and hand each gradient on before it is complete.
void recurse(std::size_t node, double y_bar, std::vector<double>& bar) {
    bar[node] += y_bar;
    for (const Edge& edge : tape[node]) recurse(edge.input.node, edge.pullback(bar[node]), bar);
}

/// The largest difference between the gradient of f and a central difference. In reel: `gradcheck`, which
/// knows its own error too.
double check(const std::function<Value(Value, Value)>& f) {
    constexpr double kStep = 1e-5;
    double worst = 0;
    for (const auto& [a, b] : {std::pair(0.7, 1.3), std::pair(2.1, 0.4)}) {
        tape.clear();
        const Value x = leaf(a), y = leaf(b);
        const std::vector<double> bar = rewind(f(x, y));
        const double by_x = (f(a + kStep, b).data - f(a - kStep, b).data) / (2 * kStep);
        const double by_y = (f(a, b + kStep).data - f(a, b - kStep).data) / (2 * kStep);
        worst = std::max({worst, std::abs(bar[x.node] - by_x), std::abs(bar[y.node] - by_y)});
    }
    return worst;
}

/// A network 2-8-1 learns the sign of x·y, which no line separates. Returns how many of 100 points it has
/// right.
int train() {
    constexpr std::size_t kHidden = 8;
    std::mt19937 generator(1);
    const auto draw = [&] {
        return static_cast<double>(generator()) / 2147483648.0 - 1;
    };  // between -1 and 1
    std::vector<double> weights(4 * kHidden), points(200);
    for (double& w : weights) w = 2 * draw();
    for (double& p : points) p = draw();
    int right = 0;
    for (int step = 0; step <= 300; ++step) {
        tape.clear();  // one tape a step
        std::vector<Value> w;
        for (const double number : weights) w.push_back(leaf(number));
        Value loss = 0;
        right = 0;
        for (std::size_t i = 0; i < points.size(); i += 2) {
            Value logit = 0;
            for (std::size_t h = 0; h < kHidden; ++h) {
                logit = logit + w[4 * h] * tanh(w[4 * h + 1] * points[i] + w[4 * h + 2] * points[i + 1] +
                                                w[4 * h + 3]);
            }
            const double sign = points[i] * points[i + 1] > 0 ? 1 : -1;
            loss = loss - log(sigmoid(sign * logit)) / 100;
            right += sign * logit.data > 0;
        }
        const std::vector<double> bar = rewind(loss);
        for (std::size_t i = 0; i < weights.size(); ++i) weights[i] -= 2 * bar[w[i].node];
        if (step % 100 == 0) std::cout << step << " loss " << loss.data << " right " << right << " of 100\n";
    }
    return right;
}

}  // namespace

int main() {
    const Value a = leaf(3);
    const Value b = a + a;
    const Value c = b + b;
    std::vector<double> bar(tape.size());
    recurse(c.node, 1, bar);
    std::cout << "b = a + a, c = b + b: dc/da by the rewind " << rewind(c)[a.node] << ", by recursion "
              << bar[a.node] << "\n";

    const double worst = std::max({check([](Value x, Value y) { return x * sin(y) - x / y + relu(x - y); }),
                                   check([](Value x, Value y) { return log(x) + pow(x, 3) * sigmoid(y); }),
                                   check([](Value x, Value y) { return exp(-x * y) + tanh(x + y); })});
    std::cout << "gradients differ from central differences by at most " << worst << "\n";
    const int right = train();
    return worst < 1e-8 && right > 90 ? 0 : 1;
}
