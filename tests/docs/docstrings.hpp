/// \file
/// The docstrings of the public operations, read from the headers. What is made of them: `operations.cpp`.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace reel::docs {

/// An operation as its docstring describes it.
struct Docstring {
    std::string name;
    std::string signature;             ///< `name(parameters)`; a method as `x.name(parameters)`
    std::vector<std::string> tensors;  ///< the parameters that are tensors
    std::string formula;               ///< the first sentence, up to what it says of the gradient
    std::string gradient;              ///< the sentences with an equation for it
    std::string conventions;           ///< the others, without errors and sources
    std::string keeps;                 ///< the sentence that begins with "Keeps"
};

/// A header: what it says of itself, and its operations.
struct Header {
    std::string path;
    std::string about;
    std::vector<Docstring> operations;
    std::vector<std::string> undocumented;  ///< operations without a docstring of their own or of an overload
};

/// The headers of operations that `reel.hpp` includes, and the methods of `Tensor`.
std::vector<Header> public_headers(const std::filesystem::path& root);

}  // namespace reel::docs
