/// \file
/// The reference battery: what PyTorch makes of every operation, in fixtures/battery/*.json, and how reel is
/// held to it. What a case is stands in fixtures/battery/cases.py, which makes them. Here a family has a
/// table that says how each of its operations is called; the test cases and their tolerances are in
/// `battery_test.cpp`, the comparison in `battery.cpp`.
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "reel.hpp"
#include "tests/tensor/files.hpp"

namespace reel::testing {

using Inputs = std::vector<Tensor>;
/// The arguments that are no differentiable tensors, under their Python names.
using Arguments = nlohmann::json;

/// What an operation gives: one tensor or several.
struct Outputs : std::vector<Tensor> {
    Outputs(const Tensor& y) : std::vector<Tensor>{y} {}
    Outputs(const ValuesIndices& y) : std::vector<Tensor>{y.values, y.indices} {}
    Outputs(std::vector<Tensor> y) : std::vector<Tensor>(std::move(y)) {}
    Outputs(bool y) : Outputs(tensor(y)) {}
};

/// How an operation is called: a function of one or two tensors, or of all inputs and the arguments.
struct Operation : std::function<Outputs(const Inputs&, const Arguments&)> {
    template <class F>
    Operation(F f) : function(adapted(f)) {}

private:
    template <class F>
    static function adapted(F f) {
        if constexpr (std::is_invocable_v<F, const Inputs&, const Arguments&>) {
            return f;
        } else if constexpr (std::is_invocable_v<F, const Inputs&>) {
            return [f](const Inputs& x, const Arguments&) { return f(x); };
        } else if constexpr (std::is_invocable_v<F, const Tensor&>) {
            return [f](const Inputs& x, const Arguments&) { return f(x.at(0)); };
        } else {
            return [f](const Inputs& x, const Arguments&) { return f(x.at(0), x.at(1)); };
        }
    }
};

/// A family's operations by their name in reel.
using Table = std::map<std::string, Operation>;

Table pointwise_table();
Table reduce_table();
Table shape_table();
Table index_table();
Table linear_table();
Table losses_table();
Table layers_table();

/// Input i, or an undefined tensor where there are fewer.
inline Tensor optional_input(const Inputs& x, std::size_t i) { return x.size() > i ? x[i] : Tensor(); }

/// Arguments as reel takes them.
Scalar scalar(const Arguments& value);
std::optional<Scalar> optional_scalar(const Arguments& args, const char* name);
std::optional<double> optional_number(const Arguments& args, const char* name);
/// One integer or several as a shape; empty where not given.
Shape shape(const Arguments& args, const char* name);
std::optional<std::int64_t> integer(const Arguments& args, const char* name);

/// How far values and gradients may be from the reference, in units of the last place that the coarsest dtype
/// of the case has: values at each element, or (`by_size`, where elements are sums) at the largest of the
/// tensor; gradients at the largest. The 16-bit types are computed in float32 and rounded once: a value is
/// off by half a unit.
struct Tolerance {
    double value;
    double first;
    double second;
    double value16;
    double first16;
    bool by_size = true;
};

/// What is not as it should be, each in a line.
using Mismatches = std::vector<std::string>;

/// Runs the cases of fixtures/battery/<family>.json that are of an operation of the table, in every layout.
Mismatches mismatches(const std::string& family, const Table& table, const Tolerance& tolerance);
/// The operations that have a case.
std::set<std::string> operations_of(const std::string& family);

}  // namespace reel::testing
