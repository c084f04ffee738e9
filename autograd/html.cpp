// A tape as one page for a browser: its data as JSON inside the page that `page.hpp` brings.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <initializer_list>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "autograd/page.hpp"
#include "autograd/tape_state.hpp"
#include "tensor/io/file.hpp"

namespace reel {

namespace detail {

Snapshot snapshot(const Tensor& tensor) {
    constexpr std::int64_t kRows = 6;
    constexpr std::int64_t kColumns = 5;
    const std::vector<double> elements = tensor.to_vector<double>();
    Snapshot result;
    result.count = tensor.numel();
    if (result.count == 0) return result;
    const std::int64_t width = tensor.dim() > 0 ? tensor.size(-1) : 1;
    const std::int64_t height = tensor.dim() > 1 ? tensor.size(-2) : 1;
    for (std::int64_t row = 0; row < std::min(height, kRows); ++row) {
        const auto first = elements.begin() + row * width;
        result.corner.emplace_back(first, first + std::min(width, kColumns));
    }
    double sum = 0;
    std::int64_t finite = 0;
    for (const double element : elements) {
        if (!std::isfinite(element)) continue;
        result.min = finite == 0 ? element : std::min(result.min, element);
        result.max = finite == 0 ? element : std::max(result.max, element);
        sum += element;
        ++finite;
    }
    result.not_finite = result.count - finite;
    result.mean = sum / static_cast<double>(finite);
    return result;
}

OperationText text_of(std::string_view operation) {
    for (const OperationText& text : operation_texts()) {
        if (text.operation == operation) return text;
    }
    return operation.ends_with('_') ? text_of(operation.substr(0, operation.size() - 1)) : OperationText{};
}

}  // namespace detail

namespace {

// The page's data is written as it comes, never held as nlohmann's tree: to be destroyed that allocates, and
// it ends the process where memory is out.

/// A text as JSON. What is not UTF-8 is replaced; nothing in it can end an element `script`: `<` is an
/// escape.
std::string quoted(const std::string& text) {
    std::string out;
    for (const char c : nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)) {
        if (c == '<') {
            out += "\\u003c";
        } else {
            out += c;
        }
    }
    return out;
}

/// The items, made JSON by `to_json`, with commas between them.
std::string joined(const char* begin, const auto& items, const char* end, const auto& to_json) {
    std::string out = begin;
    bool first = true;
    for (const auto& item : items) {
        if (!std::exchange(first, false)) out += ',';
        out += to_json(item);
    }
    return out + end;
}
std::string list(const auto& items, const auto& to_json) { return joined("[", items, "]", to_json); }
std::string list(const auto& integers) {
    return list(integers, [](std::int64_t integer) { return std::to_string(integer); });
}

std::string object(const auto& members) {
    return joined("{", members, "}", [](const auto& one) { return quoted(one.first) + ':' + one.second; });
}
std::string object(std::initializer_list<std::pair<const char*, std::string>> members) {
    return object<decltype(members)>(members);
}

const char* boolean(bool value) { return value ? "true" : "false"; }

/// A number as a reader wants it; JSON has no NaN, so it is text.
std::string text_of(double number) {
    if (std::isnan(number)) return "nan";  // without the sign that some have
    constexpr int kDigits = 6;
    char text[32];
    const auto end =
        std::to_chars(std::begin(text), std::end(text), number, std::chars_format::general, kDigits);
    return {text, end.ptr};
}

std::string json_of(const detail::Snapshot& snapshot) {
    std::int64_t shown = 0;
    for (const auto& row : snapshot.corner) shown += static_cast<std::int64_t>(row.size());
    const auto number = [](double value) { return quoted(text_of(value)); };
    const auto row = [&](const std::vector<double>& numbers) { return list(numbers, number); };
    return object({{"numbers", list(snapshot.corner, row)},
                   {"min", number(snapshot.min)},
                   {"max", number(snapshot.max)},
                   {"mean", number(snapshot.mean)},
                   {"not_finite", std::to_string(snapshot.not_finite)},
                   {"count", std::to_string(snapshot.count)},
                   {"whole", boolean(shown == snapshot.count)}});
}

std::string gradient_of(const Tape::State& state, detail::Target target) {
    if (!state.watch) return "null";
    const auto found = state.watch->gradients.find(target);
    return found != state.watch->gradients.end() ? json_of(found->second) : "null";
}

std::string entry_of(const Tape& tape, std::size_t number) {
    const Tape::State& state = tape.state();
    const TapeNode node = tape[number];
    std::vector<std::int64_t> inputs;
    for (std::size_t i = state.entries[number].edges_begin; i < state.edges_end(number); ++i) {
        inputs.push_back(state.edges[i].target);
    }
    return object({{"op", quoted(node.operation)},
                   {"shape", list(node.shape)},
                   {"dtype", quoted(detail::concat(node.dtype))},
                   {"bytes", std::to_string(state.watch ? state.watch->bytes_kept[number] : node.bytes_kept)},
                   {"freed", boolean(node.freed)},
                   {"inputs", list(inputs)},
                   {"value", state.watch ? json_of(state.watch->values[number]) : "null"},
                   {"gradient", gradient_of(state, node.number)}});
}

std::string leaf_of(const Tape::State& state, std::size_t number) {
    const Tensor& leaf = state.leaves[number];
    return object({{"shape", list(leaf.sizes())},
                   {"dtype", quoted(detail::concat(leaf.dtype()))},
                   {"value", state.watch ? json_of(state.watch->leaf_values[number]) : "null"},
                   {"gradient", gradient_of(state, ~static_cast<detail::Target>(number))}});
}

}  // namespace

void Tape::to_html(const std::string& path) const {
    std::vector<std::string> entries;
    std::vector<std::string> leaves;
    std::map<std::string, std::string> operations;
    for (std::size_t number = 0; number < size(); ++number) {
        entries.push_back(entry_of(*this, number));
        const std::string& operation = state_->entries[number].name;
        const detail::OperationText text = detail::text_of(operation);
        if (text.pullback.empty()) continue;
        operations[operation] = object(
            {{"formula", quoted(std::string(text.pullback))}, {"text", quoted(std::string(text.rest))}});
    }
    for (std::size_t number = 0; number < state_->leaves.size(); ++number) {
        leaves.push_back(leaf_of(*state_, number));
    }
    const auto as_is = [](const std::string& json) -> const std::string& { return json; };
    const std::string text = object({{"watched", boolean(state_->watch != nullptr)},
                                     {"bytes", std::to_string(bytes_kept())},
                                     {"entries", list(entries, as_is)},
                                     {"leaves", list(leaves, as_is)},
                                     {"operations", object(operations)}});
    detail::write_file(path, {std::as_bytes(std::span(detail::page_before)), std::as_bytes(std::span(text)),
                              std::as_bytes(std::span(detail::page_behind))});
}

}  // namespace reel
