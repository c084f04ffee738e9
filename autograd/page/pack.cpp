// Writes page.cpp: the parts of the page put together, and what the docstrings say of each operation. So a
// formula is in one place, beside the function that it belongs to. Runs while the library is built.
//   pack page.cpp PAGE_DIRECTORY SOURCE…
//
// An operation's docstring is that of the function of its name in a header; of a name that only a
// `record("name", …)` in a .cpp bears, that of the function around it.
#include <fstream>
#include <map>
#include <regex>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/page/sentences.hpp"

namespace {

std::string read(const std::string& path) {
    std::ifstream file(path);
    if (!file) throw std::runtime_error("cannot read " + path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

using Docstrings = std::map<std::string, std::string>;

/// A function's place in a file, its name and its docstring.
struct Function {
    std::ptrdiff_t place;
    std::string name;
    std::string docstring;
};

/// The functions that a file declares or defines, each with the docstring before it or before its overloads.
std::vector<Function> functions_in(const std::string& text) {
    static const std::regex declaration(
        R"(^\s*(?:inline |const )*(?:Tensor&?|ValuesIndices|std::vector<Tensor>|void) (?:Tensor::)?(\w+)\()");
    std::vector<Function> functions;
    std::string docstring;
    std::ptrdiff_t place = 0;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line); place += static_cast<std::ptrdiff_t>(line.size()) + 1) {
        const std::size_t begin = line.find_first_not_of(' ');
        if (begin != std::string::npos && line.compare(begin, 3, "///") == 0) {
            const std::size_t words = line.find_first_not_of(' ', begin + 3);
            if (words != std::string::npos) docstring += (docstring.empty() ? "" : " ") + line.substr(words);
            std::erase(docstring, '`');
            continue;
        }
        std::smatch match;
        if (std::regex_search(line, match, declaration)) {
            const std::string name = match[1];
            const bool overload = docstring.empty() && !functions.empty() && functions.back().name == name;
            functions.push_back({place, name, overload ? functions.back().docstring : docstring});
        }
        docstring.clear();
    }
    return functions;
}

void read_header(const std::string& text, Docstrings& docstrings) {
    for (const Function& function : functions_in(text)) {
        std::string& known = docstrings[function.name];
        if (known.find("\u0304") == std::string::npos && !function.docstring.empty())
            known = function.docstring;
    }
}

/// The names that a source hands to `record`, with the function around.
void read_source(const std::string& text, const Docstrings& headers, Docstrings& docstrings) {
    static const std::regex call(R"(record(?:_in_place)?\(([^,;]*),)");
    static const std::regex literal("\"([a-z_0-9]+)\"");
    const std::vector<Function> functions = functions_in(text);
    const auto known = [&](const std::string& name) {
        const auto found = headers.find(name);
        return found != headers.end() ? found->second : std::string();
    };
    for (std::sregex_iterator at(text.begin(), text.end(), call), end; at != end; ++at) {
        const Function* around = nullptr;
        for (const Function& function : functions) {
            if (function.place < at->position()) around = &function;
        }
        const std::string names = (*at)[1];
        for (std::sregex_iterator name(names.begin(), names.end(), literal); name != end; ++name) {
            std::string text_of_name = known((*name)[1]);
            if (text_of_name.empty() && around) text_of_name = around->docstring;
            if (text_of_name.empty() && around) text_of_name = known(around->name);
            docstrings[(*name)[1]] = text_of_name;
        }
    }
}

struct Parts {
    std::string formula;
    std::string rest;
};

Parts part(const std::string& docstring) {
    Parts parts;
    for (const std::string& sentence : reel::docs::sentences(docstring)) {
        std::string& to = reel::docs::is_gradient(sentence) ? parts.formula : parts.rest;
        to += (to.empty() ? "" : " ") + sentence;
    }
    return parts;
}

std::string replaced(std::string text, const std::string& mark, const std::string& by) {
    const std::size_t at = text.find(mark);
    if (at == std::string::npos) throw std::runtime_error("the page has no " + mark);
    return text.replace(at, mark.size(), by);
}

/// As a string literal, a line of the text in each line.
void write_literal(std::ostream& out, const std::string& text) {
    out << '"';
    for (const char c : text) {
        if (c == '\n') {
            out << "\\n\"\n\"";
        } else if (c == '"' || c == '\\') {
            out << '\\' << c;
        } else {
            out << c;
        }
    }
    out << '"';
}

void write_page(std::ostream& out, const std::string& directory) {
    const std::string dagre =
        "/*\n" + read(directory + "/dagre.LICENSE") + "*/\n" + read(directory + "/dagre.js");
    std::string page = read(directory + "/page.html");
    page = replaced(page, "@css@", read(directory + "/page.css"));
    page = replaced(page, "@dagre@", dagre);
    page = replaced(page, "@js@", read(directory + "/graph.js") + read(directory + "/page.js"));
    const std::string mark = "@tape@";
    const std::size_t middle = page.find(mark);
    out << "const std::string_view page_before =\n";
    write_literal(out, page.substr(0, middle));
    out << ";\nconst std::string_view page_behind =\n";
    write_literal(out, page.substr(middle + mark.size()));
    out << ";\n";
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) return 1;
    Docstrings headers, docstrings;
    const std::vector<std::string> sources(argv + 3, argv + argc);
    for (const std::string& path : sources) {
        if (path.ends_with(".hpp")) read_header(read(path), headers);
    }
    docstrings = headers;
    for (const std::string& path : sources) {
        if (path.ends_with(".cpp")) read_source(read(path), headers, docstrings);
    }
    std::ofstream out(argv[1]);
    out << "// Made by pack.cpp.\n#include \"autograd/page.hpp\"\n\nnamespace reel::detail {\n\n";
    write_page(out, argv[2]);
    out << "static constexpr OperationText kTexts[] = {\n";
    for (const auto& [name, docstring] : docstrings) {
        const Parts parts = part(docstring);
        if (parts.formula.empty()) continue;
        out << "{\"" << name << "\", ";
        write_literal(out, parts.formula);
        out << ", ";
        write_literal(out, parts.rest);
        out << "},\n";
    }
    out << "};\nstd::span<const OperationText> operation_texts() { return kTexts; }\n\n}  // namespace "
           "reel::detail\n";
}
