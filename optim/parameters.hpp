/// \file
/// A model's parameters by name: listed once, where they are made, they are what optimizers,
/// `clip_grad_norm_`, checkpoints, files and the page of a tape take. Compiles against libtorch as well
/// (`interop/libtorch.hpp`).
#pragma once

#include <algorithm>
#include <initializer_list>
#include <map>
#include <string>
#include <utility>
#include <vector>

#ifndef REEL_ON_LIBTORCH
#include "../autograd/tape.hpp"
#include "../tensor/io/safetensors.hpp"
#endif

#pragma GCC visibility push(default)
namespace reel {

namespace detail {
#ifdef REEL_ON_LIBTORCH
inline void overwrite_all(const char*, const std::vector<Tensor>& tensors,
                          const std::vector<Tensor>& values) {
    const NoGradGuard quiet;
    for (std::size_t i = 0; i < tensors.size(); ++i) tensors[i].copy_(values[i]);
}
#else
/// Writes values to tensors of the same shapes, converted: to all of them or, where that throws, to none. Values may
/// stand in memory that is written.
void overwrite_all(const char* operation, const std::vector<Tensor>& tensors,
                   const std::vector<Tensor>& values);
#endif
}  // namespace detail

/// Tensors that want gradients, each with a name, in the order in which they were added.
///
///     Parameters p;
///     const Tensor w = p.add("weight", randn({16, 2}));
///     Adam optimizer(p, {.lr = 0.01});
///     save_safetensors("model.safetensors", p);
class Parameters {
public:
    using Named = std::pair<std::string, Tensor>;
    Parameters() = default;
    Parameters(std::initializer_list<Named> list) {
        for (const auto& [name, value] : list) add(name, value);
    }

    /// Makes `value` a leaf that requires grad, and returns it. Throws an `Error` for a name that is taken.
    Tensor add(const std::string& name, const Tensor& value) {
        if (find(name) != list_.end()) fail<Error>("Parameters: there is a \"", name, "\" already");
        const Tensor leaf = value.is_leaf() ? value : value.detach();
        leaf.set_requires_grad();
        list_.emplace_back(name, leaf);
        return leaf;
    }
    /// Adds those of a part of the model, the same tensors, as "prefix.name".
    void add(const std::string& prefix, const Parameters& part) {
        for (const auto& [name, tensor] : part) add(prefix + "." + name, tensor);
    }

    /// Throws an `Error` where there is none of this name.
    const Tensor& operator[](const std::string& name) const {
        const auto found = find(name);
        if (found == list_.end()) fail<Error>("Parameters: there is no \"", name, "\"; there are ", names());
        return found->second;
    }
    std::vector<Named>::const_iterator begin() const { return list_.begin(); }
    std::vector<Named>::const_iterator end() const { return list_.end(); }
    std::size_t size() const { return list_.size(); }
    /// Of all tensors together.
    std::int64_t numel() const {
        std::int64_t count = 0;
        for (const auto& [name, tensor] : list_) count += tensor.numel();
        return count;
    }

    /// The same names for other tensors, taken as they are: for a function that `gradcheck` calls.
    Parameters with(const std::vector<Tensor>& tensors) const {
        if (tensors.size() != size())
            fail<Error>("Parameters: ", tensors.size(), " tensors for ", size(), " names");
        Parameters other = *this;
        for (std::size_t i = 0; i < size(); ++i) other.list_[i].second = tensors[i];
        return other;
    }
    /// New leaves of another type.
    Parameters to(DType dtype) const {
        Parameters other;
        for (const auto& [name, tensor] : list_) other.add(name, tensor.detach().to(dtype));
        return other;
    }
    /// Copies the values of the same names into the tensors. Throws an `Error` that names what is missing,
    /// unknown or of another shape. Whatever it throws, nothing is changed.
    void load(const std::map<std::string, Tensor>& values) const {
        for (const auto& [name, value] : values) (*this)[name];
        std::vector<Tensor> ordered;
        for (const auto& [name, tensor] : list_) {
            const auto found = values.find(name);
            if (found == values.end()) fail<Error>("Parameters: load: \"", name, "\" is missing");
            if (!found->second.defined())
                fail<Error>("Parameters: load: \"", name, "\" is an undefined tensor");
            if (found->second.sizes() != tensor.sizes()) {
                fail<Error>("Parameters: load: \"", name, "\" has shape ", found->second.sizes(), ", not ",
                            tensor.sizes());
            }
            ordered.push_back(found->second);
        }
        detail::overwrite_all("Parameters::load", *this, ordered);
    }

    operator std::vector<Tensor>() const {
        std::vector<Tensor> tensors;
        for (const auto& [name, tensor] : list_) tensors.push_back(tensor);
        return tensors;
    }
    operator std::map<std::string, Tensor>() const { return {list_.begin(), list_.end()}; }

private:
    std::vector<Named>::const_iterator find(const std::string& name) const {
        return std::find_if(list_.begin(), list_.end(),
                            [&](const Named& named) { return named.first == name; });
    }
    std::string names() const {
        std::string all;
        for (const auto& [name, tensor] : list_) all += (all.empty() ? "" : ", ") + name;
        return all.empty() ? "none" : all;
    }

    std::vector<Named> list_;
};

#ifndef REEL_ON_LIBTORCH
/// Reads a file into parameters of the same names and shapes (`Parameters::load`).
inline void load_safetensors(const std::string& path, const Parameters& parameters) {
    parameters.load(load_safetensors(path));
}
#endif

}  // namespace reel
#pragma GCC visibility pop
