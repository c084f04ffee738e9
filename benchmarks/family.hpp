/// \file
/// How the workloads of a family are written down: a name, what it costs, the operands, a function of them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dialect.hpp"
#include "workload.hpp"

constexpr double kM = 1 << 20;
constexpr double kFloat = 4;  ///< bytes

using Operands = const std::vector<dialect::Tensor>&;
using MakeOperands = std::function<std::vector<dialect::Tensor>()>;
using Function = std::function<dialect::Tensor(Operands)>;
using Sizes = std::vector<int64_t>;

/// Operands of these sizes, normally distributed.
inline MakeOperands normal(std::vector<Sizes> shapes) {
    return [shapes = std::move(shapes)] {
        std::vector<dialect::Tensor> operands;
        for (const Sizes& sizes : shapes) operands.push_back(dialect::randn(sizes));
        return operands;
    };
}

class Family {
public:
    explicit Family(std::string name) : name_(std::move(name)) {}

    /// f(operands), recorded nowhere.
    void forward(std::string name, Cost cost, MakeOperands operands, Function f) {
        add(std::move(name), cost, [=] {
            const std::vector<dialect::Tensor> x = operands();
            return [=] { f(x); };
        });
    }

    /// f(operands) and the rewind with a fixed cotangent. The first `leaves` operands want gradients; 0: all.
    void both(std::string name, Cost cost, MakeOperands operands, Function f, std::size_t leaves = 0) {
        add(std::move(name), cost, [=] {
            std::vector<dialect::Tensor> x = operands();
            std::vector<dialect::Tensor> wanted;
            for (std::size_t i = 0; i < (leaves ? leaves : x.size()); ++i) {
                x[i] = x[i].detach().set_requires_grad(true);
                wanted.push_back(x[i]);
            }
            const dialect::Tensor y_bar = [&] {
                dialect::NoGradGuard guard;
                const dialect::Tensor y = f(x);
                return dialect::randn(Sizes(y.sizes().begin(), y.sizes().end()));
            }();
            return [=] {
                dialect::Tape tape;
                dialect::zero_grad(wanted);
                f(x).backward(y_bar);
            };
        });
    }

    void add(std::string name, Cost cost, std::function<std::function<void()>()> prepare) {
        rows_.push_back({std::move(name), name_, cost, std::move(prepare)});
    }

    const std::vector<Workload>& rows() const { return rows_; }

private:
    std::string name_;
    std::vector<Workload> rows_;
};
