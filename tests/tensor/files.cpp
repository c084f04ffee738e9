#include "files.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

namespace reel::testing {

namespace {

Tensor tensor_of(std::istream& values, DType dtype, const Shape& sizes) {
    std::vector<double> floating;
    std::vector<std::int64_t> whole;
    for (std::string word; values >> word;) {
        floating.push_back(std::strtod(word.c_str(), nullptr));
        whole.push_back(std::strtoll(word.c_str(), nullptr, 10));
    }
    return (is_floating_point(dtype) ? tensor(floating, kFloat64) : tensor(whole)).to(dtype).reshape(sizes);
}

}  // namespace

std::vector<std::string> fixture_lines(const std::string& name) {
    std::ifstream file(REEL_TESTS "/tensor/fixtures/" + name);
    if (!file) throw Error("no fixture " + name);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
}

DType dtype_named(const std::string& text) {
    for (const DType dtype : {kBool, kInt64, kFloat16, kBFloat16, kFloat32, kFloat64}) {
        if (text == reel::name(dtype)) return dtype;
    }
    throw Error("no dtype " + text);
}

Shape shape_named(const std::string& text) {
    Shape shape;
    std::istringstream in(text);
    for (std::string size; text != "-" && std::getline(in, size, 'x');) shape.push_back(std::stoll(size));
    return shape;
}

std::string read_bytes(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}
void write_bytes(const std::string& path, std::string_view bytes) {
    std::ofstream file(path, std::ios::binary);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

std::vector<FileCase> file_cases(std::string_view format) {
    std::vector<FileCase> cases;
    FileCase current;
    std::string tensor_name;
    DType dtype = kFloat32;
    Shape sizes;
    for (const std::string& line : fixture_lines("files.txt")) {
        std::istringstream words(line);
        std::string word;
        words >> word;
        if (word == "npy" || word == "safetensors") {
            current = {word, "", {}, ""};
            words >> current.name;
        }
        if (word == "npy" || word == "tensor") {
            // A name may hold blanks: the type and the sizes are the last two words.
            std::string rest = line.substr(word.size() + 1);
            const std::size_t before_sizes = rest.rfind(' ');
            const std::size_t before_type = rest.rfind(' ', before_sizes - 1);
            tensor_name = rest.substr(0, before_type);
            dtype = dtype_named(rest.substr(before_type + 1, before_sizes - before_type - 1));
            sizes = shape_named(rest.substr(before_sizes + 1));
        } else if (word == "values") {
            current.tensors.push_back({tensor_name, tensor_of(words, dtype, sizes)});
        } else if (word == "bytes") {
            words >> word;
            for (std::size_t i = 0; i < word.size(); i += 2) {
                current.bytes += static_cast<char>(std::stoi(word.substr(i, 2), nullptr, 16));
            }
            if (current.format == format) cases.push_back(current);
        }
    }
    return cases;
}

bool identical(const Tensor& a, const Tensor& b) {
    if (a.dtype() != b.dtype() || a.sizes() != b.sizes()) return false;
    if (!a.is_floating_point()) return a.to_vector<std::int64_t>() == b.to_vector<std::int64_t>();
    const std::vector<double> x = a.to_vector<double>();
    const std::vector<double> y = b.to_vector<double>();
    return std::equal(x.begin(), x.end(), y.begin(), y.end(), [](double u, double v) {
        return (std::isnan(u) && std::isnan(v)) ||
               std::bit_cast<std::uint64_t>(u) == std::bit_cast<std::uint64_t>(v);
    });
}

void with_file_limit(std::size_t bytes, const std::function<void()>& f) {
    rlimit before;
    ::getrlimit(RLIMIT_FSIZE, &before);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limited = {bytes, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limited);
    f();
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
}

}  // namespace reel::testing
