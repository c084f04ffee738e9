// What a tape looks like from outside: its nodes, a table, a graph for Graphviz.
#include <algorithm>
#include <array>
#include <ostream>
#include <sstream>

#include "autograd/tape_state.hpp"

namespace reel {

namespace {

using detail::Target;

/// Each storage once.
std::int64_t bytes_of(std::vector<const Storage*> storages) {
    std::sort(storages.begin(), storages.end());
    storages.erase(std::unique(storages.begin(), storages.end()), storages.end());
    std::int64_t bytes = 0;
    for (const Storage* storage : storages) bytes += static_cast<std::int64_t>(storage->bytes);
    return bytes;
}

void add_storages(const Tape::State& state, std::size_t node, std::vector<const Storage*>& storages) {
    if (state.nodes[node].freed) return;  // the noted blocks may be gone
    for (std::size_t i = state.nodes[node].blocks_begin; i < state.blocks_end(node); ++i) {
        storages.push_back(state.blocks[i].storage);
    }
}

std::string name_of(Target target) {
    return target >= 0 ? std::to_string(target) : "leaf" + std::to_string(~target);
}

std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c == '\n' ? "\\n" : std::string(1, c);
    }
    return out + '"';
}

using Row = std::array<std::string, 5>;

Row row_of(const Tape& tape, std::size_t number) {
    const Tape::State& state = tape.state();
    const TapeNode node = tape[number];
    std::string inputs;
    for (std::size_t i = state.nodes[number].edges_begin; i < state.edges_end(number); ++i) {
        inputs += (inputs.empty() ? "" : ", ") + name_of(state.edges[i].target);
    }
    return {std::to_string(number), node.operation, inputs, detail::concat(node.shape),
            node.freed ? "freed" : std::to_string(node.bytes_kept)};
}

}  // namespace

TapeNode Tape::operator[](std::size_t number) const {
    if (number >= size()) fail<IndexError>("Tape: there is no node ", number, " on a tape of ", size());
    const detail::Node& kept = state_->nodes[number];
    TapeNode node{static_cast<std::int64_t>(number), kept.name, {}, kept.sizes, kept.dtype, 0, kept.freed};
    for (std::size_t i = kept.edges_begin; i < state_->edges_end(number); ++i) {
        const Target target = state_->edges[i].target;
        node.inputs.push_back({std::max<Target>(target, -1), state_->target_sizes(target)});
    }
    node.bytes_kept = state_->bytes_kept(number);
    return node;
}

std::int64_t Tape::State::bytes_kept(std::size_t node) const {
    return nodes[node].freed ? 0 : bytes_kept(nodes[node].blocks_begin, blocks_end(node));
}

std::int64_t Tape::State::bytes_kept(std::size_t first_block, std::size_t last_block) const {
    std::vector<const Storage*> storages;
    for (std::size_t i = first_block; i < last_block; ++i) storages.push_back(blocks[i].storage);
    return bytes_of(std::move(storages));
}

std::int64_t Tape::State::bytes_kept() const {
    std::vector<const Storage*> storages;
    for (std::size_t number = 0; number < nodes.size(); ++number) add_storages(*this, number, storages);
    return bytes_of(std::move(storages));
}

std::int64_t Tape::bytes_kept() const { return state_->bytes_kept(); }

std::string Tape::to_dot() const {
    std::ostringstream out;
    out.exceptions(std::ios::badbit);  // where memory is out it throws, instead of leaving out the rest
    out << "digraph tape {\n    node [shape=box];\n";
    for (std::size_t i = 0; i < state_->leaves.size(); ++i) {
        const std::string label = detail::concat("leaf ", i, "\n", state_->leaves[i].sizes());
        out << "    leaf" << i << " [shape=ellipse, label=" << quoted(label) << "];\n";
    }
    for (const TapeNode& node : *this) {
        const std::string label = detail::concat(node.number, ": ", node.operation, "\n", node.shape, " ",
                                                 node.dtype, "\nkeeps ", node.bytes_kept, " bytes");
        out << "    " << node.number << " [label=" << quoted(label) << "];\n";
        const auto number = static_cast<std::size_t>(node.number);
        for (std::size_t i = state_->nodes[number].edges_begin; i < state_->edges_end(number); ++i) {
            out << "    " << name_of(state_->edges[i].target) << " -> " << number << ";\n";
        }
    }
    out << "}\n";
    return out.str();
}

std::ostream& operator<<(std::ostream& out, const Tape& tape) {
    std::vector<Row> rows = {{"number", "operation", "inputs", "shape", "bytes kept"}};
    for (std::size_t number = 0; number < tape.size(); ++number) rows.push_back(row_of(tape, number));
    // One operation of thousands of inputs must not make every row as wide as its own: it stands out instead.
    constexpr std::size_t kWidest = 40;
    std::array<std::size_t, std::tuple_size_v<Row>> widths{};
    for (const Row& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            if (row[i].size() <= kWidest) widths[i] = std::max(widths[i], row[i].size());
        }
    }
    for (const Row& row : rows) {
        for (std::size_t i = 0; i + 1 < row.size(); ++i) {
            const std::size_t width = std::max(widths[i], row[i].size());
            out << row[i] << std::string(width - row[i].size() + 2, ' ');
        }
        out << row.back() << '\n';
    }
    return out;
}

}  // namespace reel
