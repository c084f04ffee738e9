#include "optim/checkpoint.hpp"

#include <map>

#include "autograd/tape.hpp"
#include "optim/flat.hpp"
#include "tensor/factory.hpp"
#include "tensor/io/safetensors.hpp"
#include "tensor/random.hpp"

namespace reel {

namespace {

constexpr const char* kOptimizer = "optimizer.";

using Entries = std::map<std::string, Tensor>;

/// Takes an entry of this dtype and shape out of those of a file.
Tensor take(Entries& entries, const std::string& path, const std::string& name, DType dtype,
            const Shape& sizes) {
    const auto node = entries.extract(name);
    if (node.empty()) fail<Error>("load_checkpoint: ", path, " has no \"", name, "\"");
    const Tensor& t = node.mapped();
    if (t.sizes() != sizes) {
        fail<ShapeError>("load_checkpoint: ", path, ": \"", name, "\" has shape ", t.sizes(), ", expected ",
                         sizes);
    }
    if (t.dtype() != dtype) {
        fail<DTypeError>("load_checkpoint: ", path, ": \"", name, "\" is ", t.dtype(), ", expected ", dtype);
    }
    return t;
}

using Named = std::vector<Parameters::Named>;

/// Tensors whose names are their numbers.
Named numbered(const std::vector<Tensor>& tensors) {
    Named list;
    for (const Tensor& tensor : tensors) list.emplace_back(std::to_string(list.size()), tensor);
    return list;
}

void save(const std::string& path, const Named& params, const Optimizer& optimizer, std::int64_t step) {
    Entries entries;
    for (const auto& [name, tensor] : params) entries["parameter." + name] = tensor;
    for (const auto& [name, value] : optimizer.state()) entries[kOptimizer + name] = value;
    const auto [seed, counter] = generator_state();
    entries["generator"] = tensor({static_cast<std::int64_t>(seed), static_cast<std::int64_t>(counter)});
    entries["step"] = tensor(step);
    save_safetensors(path, entries);
}

std::int64_t load(const std::string& path, const Named& params, Optimizer& optimizer) {
    Entries entries = load_safetensors(path);
    std::vector<Tensor> values;
    for (const auto& [name, tensor] : params) {
        values.push_back(take(entries, path, "parameter." + name, tensor.dtype(), tensor.sizes()));
    }
    const auto generator = take(entries, path, "generator", kInt64, {2}).to_vector<std::int64_t>();
    const auto step = take(entries, path, "step", kInt64, {}).item<std::int64_t>();
    Entries state;
    for (const auto& [name, value] : entries) {
        if (!name.starts_with(kOptimizer)) {
            fail<Error>("load_checkpoint: ", path, " has \"", name, "\", which belongs to no parameter here");
        }
        state[name.substr(std::char_traits<char>::length(kOptimizer))] = value;
    }
    const NoGradGuard quiet;
    std::vector<detail::Flat> targets;
    for (const auto& [name, tensor] : params) {
        check_in_place("load_checkpoint", tensor);
        targets.emplace_back(tensor);
    }
    optimizer.load_state(state);  // checks before it changes anything
    // From here on nothing fails: see Note [Whole or not at all].
    for (std::size_t i = 0; i < params.size(); ++i) {
        targets[i].assign(values[i]);
        targets[i].write_back("load_checkpoint");
    }
    set_generator_state({static_cast<std::uint64_t>(generator[0]), static_cast<std::uint64_t>(generator[1])});
    return step;
}

}  // namespace

void save_checkpoint(const std::string& path, const Parameters& params, const Optimizer& optimizer,
                     std::int64_t step) {
    save(path, {params.begin(), params.end()}, optimizer, step);
}
void save_checkpoint(const std::string& path, const std::vector<Tensor>& params, const Optimizer& optimizer,
                     std::int64_t step) {
    save(path, numbered(params), optimizer, step);
}

std::int64_t load_checkpoint(const std::string& path, const Parameters& params, Optimizer& optimizer) {
    return load(path, {params.begin(), params.end()}, optimizer);
}
std::int64_t load_checkpoint(const std::string& path, const std::vector<Tensor>& params,
                             Optimizer& optimizer) {
    return load(path, numbered(params), optimizer);
}

}  // namespace reel
