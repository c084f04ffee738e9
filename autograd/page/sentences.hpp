/// \file
/// How docstrings are read: by sentences, of which those with an equation for a gradient are the pullback's
/// formula. Used by what is made of docstrings: the page of `Tape::to_html`, and `docs/operations.md`.
#pragma once

#include <regex>
#include <string>
#include <vector>

namespace reel::docs {

inline std::vector<std::string> sentences(const std::string& text) {
    std::vector<std::string> result;
    std::size_t start = 0;
    for (std::size_t end; (end = text.find(". ", start)) != std::string::npos; start = end + 2) {
        result.push_back(text.substr(start, end + 1 - start));
    }
    if (start < text.size()) result.push_back(text.substr(start));
    return result;
}

/// Whether there is an equation for a letter with a bar.
inline bool is_gradient(const std::string& sentence) {
    static const std::regex equation("(\u0304|\u0233|\u0101|\u0113|\u1e21|\u0100)\\S* (is|=) ");
    return std::regex_search(sentence, equation);
}

}  // namespace reel::docs
