#include "tests/starved/world.hpp"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace reel::testing {

namespace {

std::string elements(const Tensor& tensor) {
    const Tensor dense = tensor.detach().clone();
    return {reinterpret_cast<const char*>(dense.raw()),
            static_cast<std::size_t>(dense.numel() * dense.itemsize())};
}

std::string layout(const Tensor& tensor) {
    const Storage& storage = *tensor.impl().storage;
    return detail::concat(tensor.dtype(), tensor.sizes(), tensor.strides(), tensor.storage_offset(), ' ',
                          storage.bytes, ' ', storage.version, storage.overwritten_by);
}

std::string gradient(const Tensor& tensor) {
    if (tensor.grad_fn()) {  // not a leaf: asking would throw unless it retains its gradient
        try {
            return tensor.grad().defined() ? layout(tensor.grad()) + elements(tensor.grad()) : "none yet";
        } catch (const AutogradError&) {
            return "not kept";
        }
    }
    return tensor.grad().defined() ? layout(tensor.grad()) + elements(tensor.grad()) : "none";
}

void add_tensor(Observation& seen, const std::string& label, const Tensor& tensor) {
    if (!tensor.defined()) {
        seen.push_back({label, "undefined"});
        return;
    }
    seen.push_back({label + ": layout", layout(tensor)});
    seen.push_back({label + ": elements", elements(tensor)});
    seen.push_back({label + ": gradient", gradient(tensor)});
    seen.push_back({label + ": history", detail::concat(tensor.requires_grad(), tensor.is_leaf(), ' ',
                                                        tensor.grad_fn() ? tensor.grad_fn() : "")});
}

}  // namespace

std::string bytes_of_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

Observation observe(const World& world) {
    Observation seen;
    for (std::size_t i = 0; i < world.x.size(); ++i)
        add_tensor(seen, "x[" + std::to_string(i) + "]", world.x[i]);
    for (std::size_t i = 0; i < world.results.size(); ++i)
        add_tensor(seen, "result " + std::to_string(i), world.results[i]);
    for (const Tape* tape : {world.outer.get(), world.tape.get()}) {
        if (!tape) continue;
        std::ostringstream table;
        table << *tape;
        seen.push_back({"tape: table", table.str()});
        seen.push_back({"tape: graph", tape->to_dot()});
    }
    if (world.optimizer) {
        for (const auto& [name, value] : world.optimizer->state()) {
            seen.push_back({"optimizer: " + name, layout(value) + elements(value)});
        }
    }
    const GeneratorState generator = generator_state();
    seen.push_back({"generator", detail::concat(generator.seed, ' ', generator.counter)});
    {
        // Whether this thread records as before, and on whose tape.
        const Tensor leaf = ones({1}).set_requires_grad();
        const Tape inner;
        seen.push_back({"recording", detail::concat((leaf * 2).requires_grad())});
    }
    for (const std::string& path : world.files) {
        seen.push_back({"file " + path, bytes_of_file(path)});
        std::string beside;
        for (const auto& entry :
             std::filesystem::directory_iterator(std::filesystem::path(path).parent_path())) {
            beside += entry.path().filename().string().find(".tmp") != std::string::npos ? 't' : '.';
        }
        seen.push_back(
            {"temporary files", std::string(beside.find('t') == std::string::npos ? "none" : "some")});
    }
    return seen;
}

std::string difference(const Observation& a, const Observation& b, std::string_view but) {
    if (a.size() != b.size()) return "the number of parts";
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (!but.empty() && a[i].label.starts_with(but)) continue;
        if (a[i].label != b[i].label || a[i].bytes != b[i].bytes) return a[i].label;
    }
    return "";
}

}  // namespace reel::testing
