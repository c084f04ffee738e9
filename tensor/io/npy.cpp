// NPY files, versions 1 to 3: "\x93NUMPY", the version, the header's length, the header (a Python dict of
// three entries, padded with spaces), the elements.
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
//
// Ours, not xtensor's `load_npy`: that one searches the header's text for its keys, takes the sizes as they
// are (an unchecked product decides how much memory it asks for), notices neither a file that ends early
// nor one that goes on, and writes in place.
#include "tensor/io/npy.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <string_view>

#include "tensor/io/file.hpp"

namespace reel {

namespace {

using detail::Encoding;
using detail::File;

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::int64_t kAlignment = 64;  // of the elements

struct Header {
    Encoding encoding;
    bool fortran_order;
    Shape sizes;
};

/// Reads the dict of a header, and nothing more general.
class HeaderParser {
public:
    HeaderParser(const std::string& path, std::string_view text) : path_(path), rest_(text) {}

    Header parse() {
        std::optional<Encoding> encoding;
        std::optional<bool> fortran_order;
        std::optional<Shape> sizes;
        expect('{');
        while (!accept('}')) {
            const std::string_view key = string();
            expect(':');
            if (key == "descr" && !encoding) {
                encoding = descr(string());
            } else if (key == "fortran_order" && !fortran_order) {
                fortran_order = boolean();
            } else if (key == "shape" && !sizes) {
                sizes = tuple();
            } else {
                wrong(detail::concat("a second or an unknown entry '", key, "'"));
            }
            if (!accept(',')) {
                expect('}');
                break;
            }
        }
        skip_spaces();
        if (!rest_.empty()) wrong("trailing characters after the dict");
        if (!encoding || !fortran_order || !sizes)
            wrong("an entry of descr, fortran_order and shape is missing");
        return {*encoding, *fortran_order, *sizes};
    }

private:
    [[noreturn]] void wrong(const std::string& what) const {
        fail<IoError>("load_npy: ", path_, " has an invalid header: ", what);
    }

    void skip_spaces() {
        const auto first =
            std::find_if(rest_.begin(), rest_.end(), [](unsigned char c) { return !std::isspace(c); });
        rest_.remove_prefix(static_cast<std::size_t>(first - rest_.begin()));
    }
    bool accept(char wanted) {
        skip_spaces();
        if (!rest_.starts_with(wanted)) return false;
        rest_.remove_prefix(1);
        return true;
    }
    void expect(char wanted) {
        if (!accept(wanted)) wrong(detail::concat('\'', wanted, "' is missing"));
    }
    std::string_view string() {
        accept('u');  // Python 2 marks strings of Unicode
        const char quote = accept('"') ? '"' : '\'';
        if (quote == '\'') expect(quote);
        const std::size_t end = rest_.find(quote);
        if (end == std::string_view::npos) wrong("an unterminated string");
        const std::string_view text = rest_.substr(0, end);
        rest_.remove_prefix(end + 1);
        return text;
    }
    bool boolean() {
        skip_spaces();
        for (const bool value : {false, true}) {
            const std::string_view word = value ? "True" : "False";
            if (!rest_.starts_with(word)) continue;
            rest_.remove_prefix(word.size());
            return value;
        }
        wrong("fortran_order is neither True nor False");
    }
    Shape tuple() {
        Shape sizes;
        expect('(');
        while (!accept(')')) {
            skip_spaces();
            std::int64_t size = 0;
            const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), size);
            if (error != std::errc() || size < 0) wrong("the shape has an entry that is not a size");
            rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
            accept('L');  // Python 2's way to write a long integer
            if (sizes.size() == kMostDims) wrong(detail::concat("more than ", kMostDims, " dimensions"));
            sizes.push_back(size);
            if (!accept(',')) {
                expect(')');
                break;
            }
        }
        return sizes;
    }
    /// What numpy's `dtype` makes of a text: a byte order ("<", ">", or this machine's own), then a kind and
    /// a size ("f4") or one letter for both ("f").
    Encoding descr(std::string_view text) const {
        using Kind = Encoding::Kind;
        struct Letter {
            char name;
            Kind kind;
            std::int64_t bytes;
        };
        constexpr Letter kLetters[] = {
            {'?', Kind::kBool, 1},     {'b', Kind::kSigned, 1},   {'B', Kind::kUnsigned, 1},
            {'h', Kind::kSigned, 2},   {'i', Kind::kSigned, 4},   {'q', Kind::kSigned, 8},
            {'H', Kind::kUnsigned, 2}, {'I', Kind::kUnsigned, 4}, {'e', Kind::kFloat, 2},
            {'f', Kind::kFloat, 4},    {'d', Kind::kFloat, 8},
        };
        constexpr std::string_view kKinds = "biuf";
        constexpr Kind kMeanings[] = {Kind::kBool, Kind::kSigned, Kind::kUnsigned, Kind::kFloat};
        std::string_view form = text;
        const bool has_order =
            !form.empty() && std::string_view("<>=|").find(form[0]) != std::string_view::npos;
        const bool big_endian = form.starts_with('>');
        if (has_order) form.remove_prefix(1);
        for (const Letter& letter : kLetters) {
            if (form == std::string_view(&letter.name, 1)) return {letter.kind, letter.bytes, big_endian};
        }
        const std::size_t kind = form.size() == 2 ? kKinds.find(form[0]) : std::string_view::npos;
        if (kind != std::string_view::npos) {
            const Encoding encoding{kMeanings[kind], form[1] - '0', big_endian};
            if (is_readable(encoding)) return encoding;
        }
        fail<IoError>(
            "load_npy: ", path_, " holds elements of type '", text,
            "'; bools, integers up to 64 bits (unsigned ones to 32) and floats of 16 to 64 bits can be read");
    }

    const std::string& path_;
    std::string_view rest_;
};

/// An integer of `bytes` bytes, the lowest first.
std::int64_t read_length(const File& file, std::int64_t offset, std::int64_t bytes) {
    std::uint64_t length = 0;
    file.read(offset, bytes, &length);
    return static_cast<std::int64_t>(length);
}

const char* descr(DType dtype) {
    if (dtype == kBFloat16) {
        fail<DTypeError>("save_npy: NumPy has no ", dtype,
                         "; convert the tensor with to(kFloat32), or use save_safetensors");
    }
    constexpr const char* kNames[] = {"|b1", "<i8", "<f2", nullptr, "<f4", "<f8"};
    return kNames[static_cast<std::size_t>(dtype)];
}

/// The first bytes of a file, up to the elements.
std::string header(const Tensor& tensor) {
    std::string shape;
    for (const std::int64_t size : tensor.sizes())
        shape += std::to_string(size) + (tensor.dim() == 1 ? "," : ", ");
    if (tensor.dim() > 1) shape.resize(shape.size() - 2);
    std::string dict = detail::concat("{'descr': '", descr(tensor.dtype()),
                                      "', 'fortran_order': False, 'shape': (", shape, "), }");
    const auto lead = static_cast<std::int64_t>(kMagic.size()) + 4;  // version and length
    while ((lead + static_cast<std::int64_t>(dict.size()) + 1) % kAlignment != 0) dict += ' ';
    dict += '\n';
    if (dict.size() > 0xffff)
        fail<IoError>("save_npy: ", tensor.dim(), " dimensions are too many for the format");
    const std::string version = {'\1', '\0'};
    const std::string length = {static_cast<char>(dict.size() & 0xff), static_cast<char>(dict.size() >> 8)};
    return std::string(kMagic) + version + length + dict;
}

}  // namespace

void save_npy(const std::string& path, const Tensor& tensor) {
    const std::string head = header(tensor);
    const Tensor dense = detail::storable(tensor);
    detail::write_file(path, {std::as_bytes(std::span(head)), detail::bytes_of(dense)});
}

Tensor load_npy(const std::string& path) {
    const File file(path);
    const auto magic_size = static_cast<std::int64_t>(kMagic.size());
    if (file.size() < magic_size || file.read_text(0, magic_size) != kMagic) {
        fail<IoError>("load_npy: ", path, " is not an NPY file");
    }
    const std::int64_t version = read_length(file, magic_size, 1);
    if (version < 1 || version > 3) fail<IoError>("load_npy: ", path, " has the unknown version ", version);
    const std::int64_t length_size = version == 1 ? 2 : 4;
    const std::int64_t length = read_length(file, magic_size + 2, length_size);
    const std::int64_t begin = magic_size + 2 + length_size;
    const Header header = HeaderParser(path, file.read_text(begin, length)).parse();

    const std::int64_t there = file.size() - begin - length;
    const auto claimed = detail::encoded_bytes(header.encoding, header.sizes);
    if (claimed != there) {
        fail<IoError>("load_npy: ", path, " claims the shape ", header.sizes, ", which does not make the ",
                      there, " bytes of elements that it has");
    }
    if (!header.fortran_order) return read_elements(file, begin + length, header.encoding, header.sizes);
    Shape reversed = header.sizes;
    std::reverse(reversed.begin(), reversed.end());
    const Tensor columns = read_elements(file, begin + length, header.encoding, reversed);
    Shape strides = columns.strides();
    std::reverse(strides.begin(), strides.end());
    return Tensor::make(columns.impl().storage, columns.dtype(), header.sizes, strides, 0);
}

}  // namespace reel
