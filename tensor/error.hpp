/// \file
/// The errors that reel throws. Every misuse ends in one of them, with a message that names the operation,
/// what is at fault, and the remedy where there is one; after it every tensor and tape is as before the call.
#pragma once

#include <locale>
#include <sstream>
#include <stdexcept>
#include <string>

#pragma GCC visibility push(default)
namespace reel {

/// The root of all errors of the library.
class Error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Sizes, strides or dimensions that do not fit.
struct ShapeError : Error {
    using Error::Error;
};

/// An index, a dimension or a class label out of its range.
struct IndexError : Error {
    using Error::Error;
};

/// An element type that the operation does not take.
struct DTypeError : Error {
    using Error::Error;
};

/// A question to the tape that it cannot answer.
struct AutogradError : Error {
    using Error::Error;
};

/// A file that cannot be read or written, or is not what it claims to be.
struct IoError : Error {
    using Error::Error;
};

namespace detail {

/// The arguments printed one after the other, numbers without the global locale's grouping.
template <class... Args>
std::string concat(const Args&... args) {
    std::ostringstream out;
    out.exceptions(std::ios::badbit);  // where memory is out it throws, instead of leaving out the rest
    out.imbue(std::locale::classic());
    (out << ... << args);
    return out.str();
}

}  // namespace detail

/// Throws `Kind` with a message put together from the arguments. Kept out of the functions that call it.
template <class Kind, class... Args>
[[noreturn, gnu::cold, gnu::noinline]] void fail(const Args&... args) {
    throw Kind(detail::concat(args...));
}

}  // namespace reel
#pragma GCC visibility pop
