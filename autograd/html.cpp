// A tape as one page for a browser: its data as JSON inside the page that `page.hpp` brings.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

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

using Json = nlohmann::json;

/// A number as a reader wants it; JSON has no NaN, so it is text.
std::string text_of(double number) {
    if (std::isnan(number)) return "nan";  // without the sign that some have
    constexpr int kDigits = 6;
    char text[32];
    const auto end =
        std::to_chars(std::begin(text), std::end(text), number, std::chars_format::general, kDigits);
    return {text, end.ptr};
}

Json json_of(const detail::Snapshot& snapshot) {
    Json numbers = Json::array();
    std::int64_t shown = 0;
    for (const auto& row : snapshot.corner) {
        Json& cells = numbers.emplace_back(Json::array());
        for (const double number : row) cells.push_back(text_of(number));
        shown += static_cast<std::int64_t>(row.size());
    }
    return {{"numbers", numbers},
            {"min", text_of(snapshot.min)},
            {"max", text_of(snapshot.max)},
            {"mean", text_of(snapshot.mean)},
            {"not_finite", snapshot.not_finite},
            {"count", snapshot.count},
            {"whole", shown == snapshot.count}};
}

Json gradient_of(const Tape::State& state, detail::Target target) {
    if (!state.watch) return nullptr;
    const auto found = state.watch->gradients.find(target);
    return found != state.watch->gradients.end() ? json_of(found->second) : Json();
}

Json entry_of(const Tape& tape, std::size_t number) {
    const Tape::State& state = tape.state();
    const TapeNode node = tape[number];
    Json inputs = Json::array();
    for (std::size_t i = state.entries[number].edges_begin; i < state.edges_end(number); ++i) {
        inputs.push_back(state.edges[i].target);
    }
    return {{"op", node.operation},
            {"shape", node.shape.vec()},
            {"dtype", detail::concat(node.dtype)},
            {"bytes", state.watch ? state.watch->bytes_kept[number] : node.bytes_kept},
            {"freed", node.freed},
            {"inputs", inputs},
            {"value", state.watch ? json_of(state.watch->values[number]) : Json()},
            {"gradient", gradient_of(state, node.number)}};
}

Json leaf_of(const Tape::State& state, std::size_t number) {
    const Tensor& leaf = state.leaves[number];
    return {{"shape", leaf.sizes().vec()},
            {"dtype", detail::concat(leaf.dtype())},
            {"value", state.watch ? json_of(state.watch->leaf_values[number]) : Json()},
            {"gradient", gradient_of(state, ~static_cast<detail::Target>(number))}};
}

/// As the text of an element `script`, which nothing in it can end: `<` is written as an escape.
std::string embedded(const Json& json) {
    const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        if (c == '<') {
            out += "\\u003c";
        } else {
            out += c;
        }
    }
    return out;
}

}  // namespace

void Tape::to_html(const std::string& path) const {
    Json json = {{"watched", state_->watch != nullptr},
                 {"bytes", bytes_kept()},
                 {"entries", Json::array()},
                 {"leaves", Json::array()},
                 {"operations", Json::object()}};
    for (std::size_t number = 0; number < size(); ++number) {
        json["entries"].push_back(entry_of(*this, number));
        const std::string& operation = state_->entries[number].name;
        const detail::OperationText text = detail::text_of(operation);
        if (!text.pullback.empty())
            json["operations"][operation] = {{"formula", text.pullback}, {"text", text.rest}};
    }
    for (std::size_t number = 0; number < state_->leaves.size(); ++number) {
        json["leaves"].push_back(leaf_of(*state_, number));
    }
    const std::string text = embedded(json);
    detail::write_file(path, {std::as_bytes(std::span(detail::page_before)), std::as_bytes(std::span(text)),
                              std::as_bytes(std::span(detail::page_behind))});
}

}  // namespace reel
