// A tape as one page for a browser: its data as JSON inside the page that `page.hpp` brings.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <initializer_list>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "autograd/page.hpp"
#include "autograd/tape_page.hpp"
#include "autograd/tape_state.hpp"
#include "check/check.hpp"
#include "check/judge.hpp"
#include "tensor/io/file.hpp"

namespace reel {

namespace detail {

OperationText text_of(std::string_view operation) {
    for (const OperationText& text : operation_texts()) {
        if (text.operation == operation) return text;
    }
    return operation.ends_with('_') ? text_of(operation.substr(0, operation.size() - 1)) : OperationText{};
}

}  // namespace detail

namespace {

using detail::Snapshot;
using detail::Target;

// The page's data is written as it comes, never held as nlohmann's tree: to be destroyed that allocates, and
// it ends the process where memory is out.

/// A text as JSON. What is not UTF-8 is replaced; nothing in it can end an element `script`: `<` is an
/// escape.
std::string quoted(const std::string& text) {
    std::string out;
    for (const char c : nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)) {
        out += c == '<' ? "\\u003c" : std::string(1, c);
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

/// How many units in the last place of `dtype` lie between a value and what it should be.
double ulp_between(double value, double exact, DType dtype) {
    if (value == exact || (std::isnan(value) && std::isnan(exact))) return 0;
    if (!std::isfinite(value) || !std::isfinite(exact)) return std::numeric_limits<double>::infinity();
    const auto [digits, smallest] = dtype == kFloat64    ? std::pair(52, -1074)
                                    : dtype == kFloat32  ? std::pair(23, -149)
                                    : dtype == kBFloat16 ? std::pair(7, -133)
                                                         : std::pair(10, -24);
    const int exponent = exact == 0 ? smallest : std::ilogb(exact) - digits;
    return std::abs(value - exact) / std::ldexp(1.0, std::max(exponent, smallest));
}

/// Rows of numbers, as text.
std::string matrix(const std::vector<std::vector<double>>& rows) {
    return list(rows, [](const std::vector<double>& row) {
        return list(row, [](double number) { return quoted(text_of(number)); });
    });
}

using Members = std::vector<std::pair<const char*, std::string>>;

/// A snapshot; with `exact`, one of a run in float64, each number's distance from there.
std::string json_of(const Snapshot& snapshot, const Snapshot* exact = nullptr, DType dtype = kFloat32) {
    std::int64_t shown = 0;
    for (const auto& row : snapshot.corner) shown += static_cast<std::int64_t>(row.size());
    Members members = {{"numbers", matrix(snapshot.corner)},
                       {"not_finite", std::to_string(snapshot.not_finite)},
                       {"count", std::to_string(snapshot.count)},
                       {"whole", boolean(shown == snapshot.count)}};
    if (snapshot.not_finite < snapshot.count) {  // of the finite ones
        members.emplace_back("min", quoted(text_of(snapshot.min)));
        members.emplace_back("max", quoted(text_of(snapshot.max)));
        members.emplace_back("mean", quoted(text_of(snapshot.mean)));
    }
    if (!exact || exact->corner.size() != snapshot.corner.size()) return object(members);
    double most = 0;
    auto ulp = snapshot.corner;
    for (std::size_t i = 0; i < ulp.size(); ++i) {
        for (std::size_t j = 0; j < ulp[i].size(); ++j) {
            ulp[i][j] = ulp_between(snapshot.corner[i][j], exact->corner[i][j], dtype);
            most = std::max(most, ulp[i][j]);
        }
    }
    members.emplace_back("ulp", matrix(ulp));
    members.emplace_back("most_ulp", quoted(text_of(most)));
    return object(members);
}

/// The elements of a float64 leaf that its snapshot shows, to be changed where they stand: not an operation, of which
/// a tape would have to know.
class ShownElements {
public:
    ShownElements(const Tensor& leaf, const Snapshot& shown) {
        const std::int64_t down = leaf.dim() > 1 ? leaf.stride(-2) : 0;
        const std::int64_t across = leaf.dim() > 0 ? leaf.stride(-1) : 0;
        for (std::size_t i = 0; i < shown.corner.size(); ++i) {
            for (std::size_t j = 0; j < shown.corner[i].size(); ++j) {
                elements_.push_back(leaf.data_ptr<double>() + static_cast<std::int64_t>(i) * down +
                                    static_cast<std::int64_t>(j) * across);
            }
        }
        for (const double* element : elements_) before_.push_back(*element);
    }
    ShownElements(const ShownElements&) = delete;
    ShownElements& operator=(const ShownElements&) = delete;
    ~ShownElements() { set(before_); }

    const std::vector<double>& before() const { return before_; }
    void set(std::span<const double> values) const {
        for (std::size_t i = 0; i < elements_.size(); ++i) *elements_[i] = values[i];
    }

private:
    std::vector<double*> elements_;
    std::vector<double> before_;
};

/// For each number of a leaf's gradient that is shown: the numeric derivative of `loss`, its error bar, the verdict.
std::string check_of(const std::function<Tensor()>& loss, const Tensor& leaf, const Snapshot& gradient) {
    const NoGradGuard unrecorded;
    const ShownElements shown(leaf, gradient);
    const auto f = [&](std::span<const double> x) {
        shown.set(x);
        return loss().item<double>();
    };
    const auto g = [&](std::span<const double>) {
        std::vector<double> all;
        for (const auto& row : gradient.corner) all.insert(all.end(), row.begin(), row.end());
        return all;
    };
    const std::vector<double> x = shown.before();
    const check::Report report = check::gradient(f, g, x);
    std::vector<std::string> found(x.size(), "null");
    for (const check::Element& element : report.elements) {
        if (element.column >= found.size()) continue;  // a direction
        const bool passed = check::detail::passes(element.verdict);
        found[element.column] = object({{"numeric", quoted(text_of(element.numeric))},
                                        {"error", quoted(text_of(element.error))},
                                        {"verdict", quoted(to_string(element.verdict))},
                                        {"passed", boolean(passed)}});
    }
    auto next = found.begin();
    return list(gradient.corner, [&next](const std::vector<double>& row) {
        return list(row, [&next](double) { return *next++; });
    });
}

/// What is written of one tape.
class PageData {
public:
    PageData(const Tape& tape, const PageOptions& options)
        : tape_(tape), state_(tape.state()), watch_(state_.watch.get()), options_(options) {
        if (options.twin && (options.twin->size() != tape.size() || !options.twin->state().watch)) {
            fail<Error>("to_html: the twin has ", options.twin->size(), " nodes, this tape ", tape.size(),
                        "; it must be a watched tape of the same program in float64");
        }
        twin_ = options.twin ? options.twin->state().watch.get() : nullptr;
        for (const auto& [name, tensor] : options.names) {
            if (tensor.defined()) name_of_[place_of(tensor)] = name;
        }
    }

    std::string json() const {
        std::vector<std::string> nodes, leaves, constants;
        std::map<std::string, std::string> operations;
        for (std::size_t number = 0; number < tape_.size(); ++number) {
            nodes.push_back(node(number));
            const std::string& operation = state_.nodes[number].name;
            const detail::OperationText text = detail::text_of(operation);
            if (text.pullback.empty()) continue;
            operations[operation] = object(Members{{"formula", quoted(std::string(text.pullback))},
                                                   {"text", quoted(std::string(text.rest))}});
        }
        for (std::size_t i = 0; i < state_.leaves.size(); ++i) leaves.push_back(leaf(i));
        for (std::size_t i = 0; watch_ && i < watch_->constants.size(); ++i) constants.push_back(constant(i));
        const auto as_is = [](const std::string& json) -> const std::string& { return json; };
        const std::int64_t bytes = watch_ && watch_->bytes >= 0 ? watch_->bytes : tape_.bytes_kept();
        return object({{"title", quoted(options_.title)},
                       {"watched", boolean(watch_ != nullptr)},
                       {"bytes", std::to_string(bytes)},
                       {"nodes", list(nodes, as_is)},
                       {"leaves", list(leaves, as_is)},
                       {"constants", list(constants, as_is)},
                       {"operations", object(operations)}});
    }

private:
    /// What an operand of the page names, as JSON: a node, leaf ~n, or constant "cn".
    static std::string constant_place(std::int64_t number) { return quoted("c" + std::to_string(number)); }
    std::string place_of(const Tensor& tensor) const {
        const detail::TapeSlot slot = tensor.impl().slot;
        if (slot.node >= 0 && slot.tape == state_.id) return std::to_string(slot.node);
        if (const Target leaf = state_.leaves.find(tensor); leaf >= 0) return std::to_string(~leaf);
        return constant_place(watch_ ? watch_->constants.find(tensor) : -1);
    }
    std::string name(const std::string& place) const {
        const auto found = name_of_.find(place);
        return found != name_of_.end() ? quoted(found->second) : "null";
    }
    std::string gradient(Target target, DType dtype) const {
        if (!watch_) return "null";
        const auto found = watch_->gradients.find(target);
        if (found == watch_->gradients.end()) return "null";
        const Snapshot* exact = nullptr;
        if (twin_ && twin_->gradients.contains(target)) exact = &twin_->gradients.at(target);
        return json_of(found->second, exact, dtype);
    }
    std::string operand(const detail::Operand& operand) const {
        if (operand.constant) return object({{"of", constant_place(operand.number)}});
        const std::string of = std::to_string(operand.number);
        const auto found = watch_->shares.find(operand.edge);
        if (found == watch_->shares.end()) return object({{"of", of}});
        Members share = {{"after", json_of(found->second.after)}};
        if (found->second.before) {
            share.emplace_back("before", json_of(*found->second.before));
            share.emplace_back("shape", list(found->second.shape));
        }
        return object({{"of", of}, {"share", object(share)}});
    }
    std::string operands(std::size_t number) const {
        if (watch_) return list(watch_->operands[number], [this](const auto& one) { return operand(one); });
        std::vector<std::int64_t> targets;
        for (std::size_t i = state_.nodes[number].edges_begin; i < state_.edges_end(number); ++i)
            targets.push_back(state_.edges[i].target);
        return list(targets, [](Target target) { return object({{"of", std::to_string(target)}}); });
    }
    std::string node(std::size_t number) const {
        const TapeNode node = tape_[number];
        const Snapshot* exact = twin_ ? &twin_->values[number] : nullptr;
        return object({{"op", quoted(node.operation)},
                       {"name", name(std::to_string(number))},
                       {"shape", list(node.shape)},
                       {"dtype", quoted(detail::concat(node.dtype))},
                       {"bytes", std::to_string(watch_ ? watch_->bytes_kept[number] : node.bytes_kept)},
                       {"freed", boolean(node.freed)},
                       {"operands", operands(number)},
                       {"value", watch_ ? json_of(watch_->values[number], exact, node.dtype) : "null"},
                       {"gradient", gradient(node.number, node.dtype)}});
    }
    std::string leaf(std::size_t number) const {
        const Tensor& leaf = state_.leaves[number];
        const Target target = ~static_cast<Target>(number);
        return object({{"name", name(std::to_string(target))},
                       {"shape", list(leaf.sizes())},
                       {"dtype", quoted(detail::concat(leaf.dtype()))},
                       {"value", watch_ ? json_of(watch_->leaf_values[number]) : "null"},
                       {"gradient", gradient(target, leaf.dtype())},
                       {"check", check(leaf, target)}});
    }
    std::string check(const Tensor& leaf, Target target) const {
        if (!options_.check || !watch_ || leaf.dtype() != kFloat64) return "null";
        const auto found = watch_->gradients.find(target);
        return found == watch_->gradients.end() ? "null" : check_of(options_.check, leaf, found->second);
    }
    std::string constant(std::size_t number) const {
        const Tensor& tensor = watch_->constants[number];
        return object({{"name", name(constant_place(static_cast<std::int64_t>(number)))},
                       {"shape", list(tensor.sizes())},
                       {"dtype", quoted(detail::concat(tensor.dtype()))},
                       {"value", json_of(watch_->constant_values[number])}});
    }

    const Tape& tape_;
    const Tape::State& state_;
    const detail::Watch* watch_;
    const detail::Watch* twin_ = nullptr;
    const PageOptions& options_;
    std::map<std::string, std::string> name_of_;
};

/// As the value of an attribute of HTML.
std::string attribute(std::string_view text) {
    std::string out;
    for (const char c : text) out += c == '&' ? "&amp;" : c == '"' ? "&quot;" : std::string(1, c);
    return out;
}

std::string page_of(const Tape& tape, const PageOptions& options) {
    return detail::concat(detail::page_before, PageData(tape, options).json(), detail::page_behind);
}

void write(const std::string& path, const std::string& page) {
    detail::write_file(path, {std::as_bytes(std::span(page))});
}

}  // namespace

void Tape::to_html(const std::string& path) const { to_html(path, PageOptions{}); }
void Tape::to_html(const std::string& path, const PageOptions& options) const {
    write(path, page_of(*this, options));
}

void to_html(const std::string& path, const std::vector<std::pair<const Tape*, PageOptions>>& tapes) {
    std::string page =
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"color-scheme\" content=\"light dark\">\n<title>Tapes side by side</title>\n<style>\n"
        "html, body { height: 100%; margin: 0; }\nbody { display: flex; flex-wrap: wrap; }\n"
        "iframe { flex: 1 1 40rem; min-height: 50%; border: 0; outline: 1px solid #8888; }\n"
        "</style>\n</head>\n<body>\n";
    for (const auto& [tape, options] : tapes) {
        page += "<iframe title=\"" + attribute(options.title) + "\" srcdoc=\"" +
                attribute(page_of(*tape, options)) + "\"></iframe>\n";
    }
    write(path, page + "</body>\n</html>\n");
}

}  // namespace reel
