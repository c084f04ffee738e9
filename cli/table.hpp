/// \file
/// A table of words in aligned columns.
#pragma once

#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

namespace reel::cli {

using Line = std::vector<std::string>;

/// How many columns UTF-8 text takes: the bytes that begin a character.
inline std::size_t columns(const std::string& text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

inline void print_table(std::ostream& out, const std::vector<Line>& lines) {
    std::vector<std::size_t> widths;
    for (const Line& line : lines) {
        widths.resize(std::max(widths.size(), line.size()));
        for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], columns(line[i]));
    }
    for (const Line& line : lines) {
        for (std::size_t i = 0; i + 1 < line.size(); ++i) {
            out << line[i] << std::string(widths[i] - columns(line[i]) + 2, ' ');
        }
        out << line.back() << '\n';
    }
}

}  // namespace reel::cli
