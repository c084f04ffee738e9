/// \file
/// What the message of an error says.
#pragma once

#include <string>

namespace reel::testing {

/// The message of the `Kind` of error that f throws; "nothing thrown" if it throws none.
template <class Kind>
std::string message_of(const auto& f) {
    try {
        f();
    } catch (const Kind& error) {
        return error.what();
    }
    return "nothing thrown";
}

inline bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace reel::testing
