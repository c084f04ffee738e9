// `reel show`: what is in a file of tensors.
#include <fstream>
#include <ostream>
#include <sstream>

#include "cli/commands.hpp"
#include "cli/table.hpp"

namespace reel::cli {

namespace {

std::map<std::string, Tensor> load(const std::string& path) {
    constexpr std::string_view kNpyMagic = "\x93NUMPY";
    std::string begin(kNpyMagic.size(), '\0');
    std::ifstream(path, std::ios::binary).read(begin.data(), static_cast<std::streamsize>(begin.size()));
    if (begin == kNpyMagic) return {{"(array)", load_npy(path)}};
    return load_safetensors(path);
}

/// A name as one word of printable characters, whatever the file says.
std::string printable(const std::string& name) {
    std::string text;
    for (const char c : name) text += static_cast<unsigned char>(c) < ' ' || c == '\x7f' ? '?' : c;
    return text;
}

std::string number(const Tensor& value) {
    std::ostringstream out;
    out << value.item<double>();
    return out.str();
}

/// Minimum, maximum, mean, standard deviation and count of what is finite, in float64.
Line line_of(const std::string& name, const Tensor& tensor) {
    Line line = {printable(name), detail::concat(tensor.dtype()), detail::concat(tensor.sizes()),
                 std::to_string(tensor.numel())};
    const Tensor values = tensor.to(kFloat64).flatten();
    const Tensor finite = values.masked_select(values.isfinite());
    if (finite.numel() == 0) {
        line.insert(line.end(), {"-", "-", "-", "-"});
    } else {
        line.insert(line.end(), {number(finite.min()), number(finite.max()), number(finite.mean()),
                                 number(finite.std(false))});
    }
    line.push_back(std::to_string(values.numel() - finite.numel()));
    return line;
}

}  // namespace

int show(const std::string& path, std::ostream& out) {
    const std::map<std::string, Tensor> tensors = load(path);
    std::vector<Line> lines = {
        {"name", "dtype", "shape", "elements", "min", "max", "mean", "std", "not finite"}};
    std::int64_t elements = 0;
    for (const auto& [name, tensor] : tensors) {
        lines.push_back(line_of(name, tensor));
        elements += tensor.numel();
    }
    print_table(out, lines);
    out << '\n' << tensors.size() << " tensors, " << elements << " elements\n";
    return 0;
}

}  // namespace reel::cli
