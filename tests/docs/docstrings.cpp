#include "tests/docs/docstrings.hpp"

#include <algorithm>
#include <fstream>
#include <regex>
#include <sstream>

#include "autograd/page/sentences.hpp"

namespace reel::docs {

namespace {

namespace fs = std::filesystem;

std::string trimmed(const std::string& text) {
    const auto first = text.find_first_not_of(' ');
    return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

void describe(const std::string& text, Docstring& operation) {
    const std::vector<std::string> all = sentences(text);
    const std::size_t end = std::min(all.at(0).find("; the gradient"), all[0].find("; ties"));
    operation.formula = all[0].substr(0, end);
    if (end != std::string::npos) operation.conventions = all[0].substr(end + 2);
    for (std::size_t i = 1; i < all.size(); ++i) {
        if (all[i].starts_with("Throws") || all[i].starts_with("Source:")) continue;
        std::string& part = all[i].starts_with("Keeps ") ? operation.keeps
                            : is_gradient(all[i])        ? operation.gradient
                                                         : operation.conventions;
        part += (part.empty() ? "" : " ") + all[i];
    }
}

/// The parameters between the outermost parentheses of a declaration.
std::vector<std::string> parameters_of(const std::string& declaration) {
    std::vector<std::string> parameters(1);
    int depth = 0;
    for (std::size_t i = declaration.find('(') + 1; i < declaration.size(); ++i) {
        const char c = declaration[i];
        if (c == ')' && depth == 0) break;
        if (std::string("(<{").find(c) != std::string::npos) ++depth;
        if (std::string(")>}").find(c) != std::string::npos) --depth;
        if (c == ',' && depth == 0) {
            parameters.emplace_back();
        } else {
            parameters.back() += c;
        }
    }
    return parameters;
}

void read_signature(const std::string& declaration, bool method, Docstring& operation) {
    static const std::regex name_at_end(R"((\w+)\s*(=.*)?$)");
    std::string names;
    if (method) operation.tensors.emplace_back("x");
    for (const std::string& parameter : parameters_of(declaration)) {
        std::smatch match;
        if (!std::regex_search(parameter, match, name_at_end)) continue;
        names += (names.empty() ? "" : ", ") + match[1].str();
        if (parameter.find("Tensor") != std::string::npos) operation.tensors.push_back(match[1]);
    }
    operation.signature = (method ? "x." : "") + operation.name + "(" + names + ")";
}

/// Reads `text`, which is a header or a part of it. Overloads without a docstring share the one before;
/// methods without one are functions, too, and described there.
void read_operations(std::istream& text, bool methods, Header& header) {
    static const std::regex start(
        R"(^(const |inline )?(Tensor&?|ValuesIndices|bool|std::vector<Tensor>) (\w+)\()");
    std::string doc;
    for (std::string line; std::getline(text, line);) {
        std::string declaration = trimmed(line);
        if (declaration.starts_with("/// ")) {
            doc += (doc.empty() ? "" : " ") + declaration.substr(4);
            continue;
        }
        if (declaration == "///") continue;
        std::smatch match;
        if (std::regex_search(declaration, match, start) && match[3] != "operator") {
            Docstring operation{match[3], {}, {}, {}, {}, {}, {}};
            while (std::string(";{}").find(declaration.back()) == std::string::npos &&
                   std::getline(text, line)) {
                declaration += " " + trimmed(line);
            }
            read_signature(declaration, methods, operation);
            const bool overload =
                !header.operations.empty() && header.operations.back().name == operation.name;
            if (!doc.empty()) {
                describe(doc, operation);
                header.operations.push_back(operation);
            } else if (!overload && !methods) {
                header.undocumented.push_back(operation.name);
            }
        }
        doc.clear();
    }
}

std::string read(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

/// The first sentence of a header's own comment.
std::string about(const std::string& text) {
    std::istringstream lines(text);
    std::string doc;
    for (std::string line; std::getline(lines, line) && line.starts_with("///");) {
        if (line != "/// \\file") doc += (doc.empty() ? "" : " ") + trimmed(line.substr(3));
    }
    return sentences(doc).at(0);
}

/// The headers of ops/ that `header` includes, each after those that it includes itself. Public headers
/// include each other relative to themselves.
void collect(const fs::path& root, const fs::path& header, std::vector<std::string>& paths) {
    static const std::regex include(R"~(#include "([\w./]+\.hpp)")~");
    const std::string text = read(root / header);
    for (std::sregex_iterator at(text.begin(), text.end(), include), end; at != end; ++at) {
        const fs::path path = (header.parent_path() / (*at)[1].str()).lexically_normal();
        if (*path.begin() != "ops" || std::find(paths.begin(), paths.end(), path) != paths.end()) continue;
        collect(root, path, paths);
        paths.push_back(path.string());
    }
}

}  // namespace

std::vector<Header> public_headers(const fs::path& root) {
    std::vector<std::string> paths;
    collect(root, "reel.hpp", paths);
    std::vector<Header> headers;
    for (const std::string& path : paths) {
        const std::string text = read(root / path);
        Header header{path, about(text), {}, {}};
        std::istringstream lines(text);
        read_operations(lines, false, header);
        if (!header.operations.empty()) headers.push_back(header);
    }
    // Methods that have no function of their name.
    const std::string text = read(root / "tensor/tensor.hpp");
    const std::size_t begin = text.find("// ---- View");
    std::istringstream lines(text.substr(begin, text.find("// ---- Autograd") - begin));
    Header methods{
        "tensor/tensor.hpp", "Views, copies and changes that are methods of `Tensor` only.", {}, {}};
    read_operations(lines, true, methods);
    headers.push_back(methods);
    return headers;
}

}  // namespace reel::docs
