/// \file
/// What a call could change, and what of it a test sees.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reel.hpp"

namespace reel::testing {

/// All that exists while a scenario runs.
struct World {
    std::vector<Tensor> x;        ///< the tensors, by the numbers of their maker's comment
    std::unique_ptr<Tape> outer;  ///< around it
    std::unique_ptr<Tape> tape;   ///< records the scenario, where it has one
    std::shared_ptr<Optimizer> optimizer;
    std::map<std::string, Tensor> state;  ///< for it to load
    std::vector<std::string> files;       ///< that it reads or writes
    std::vector<Tensor> results;          ///< of the call

    World() { results.reserve(kMostResults); }

    /// Keeps a result: what a call allocates is the library's alone.
    void keep(Tensor result) { results.push_back(std::move(result)); }
    void keep(std::vector<Tensor> all) { results = std::move(all); }
    void keep(const ValuesIndices& both) {
        keep(both.values);
        keep(both.indices);
    }

    template <class Kind>
    Kind& optimizer_as() {
        return static_cast<Kind&>(*optimizer);
    }

private:
    static constexpr std::size_t kMostResults = 8;
};

/// One call of the library, and on what. (Of two, the first one's nodes would rightly stay on the tape when
/// the second one fails.)
struct Scenario {
    const char* name;
    World (*make)();
    std::function<void(World&)> call;
    bool uses_tape_up =
        false;  ///< a rewind without `retain_graph`: when it has failed the tape may be used up
};

/// What is seen, part by part, each as bytes: to be compared, not read.
struct Part {
    std::string label;
    std::string bytes;
};
using Observation = std::vector<Part>;

/// All of the world: elements, layouts, versions, gradients, the tape's table, the optimizer's state, the
/// generator, the bytes of the files.
Observation observe(const World& world);

std::string bytes_of_file(const std::string& path);

/// The label of the first part in which two observations differ, "" where there is none. Parts whose label
/// starts with `but` are not looked at.
std::string difference(const Observation& a, const Observation& b, std::string_view but = {});

}  // namespace reel::testing
