// safetensors: eight bytes with the length of the header, the header (JSON: for each name a dtype, a shape,
// and where its elements begin and end, counted from the end of the header), the elements of one tensor after
// the other. https://github.com/huggingface/safetensors
#include "tensor/safetensors.hpp"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "tensor/file.hpp"

namespace reel {

namespace {

using detail::Encoding;
using detail::File;
using Json = nlohmann::ordered_json;

constexpr std::int64_t kLengthBytes = 8;
constexpr std::int64_t kAlignment = 8;                // of the first element
constexpr std::int64_t kLongestHeader = 100'000'000;  // as Python's `safetensors` has it
constexpr const char* kMetadata = "__metadata__";     // a name that is no tensor

/// The format's name of a type, and how the elements stand in a file.
struct TypeName {
    std::string_view name;
    Encoding encoding;
};
constexpr TypeName kTypeNames[] = {
    {"BOOL", {Encoding::Kind::kBool, 1}},       {"U8", {Encoding::Kind::kUnsigned, 1}},
    {"I8", {Encoding::Kind::kSigned, 1}},       {"I16", {Encoding::Kind::kSigned, 2}},
    {"U16", {Encoding::Kind::kUnsigned, 2}},    {"F16", {Encoding::Kind::kFloat, 2}},
    {"BF16", {Encoding::Kind::kBrainFloat, 2}}, {"I32", {Encoding::Kind::kSigned, 4}},
    {"U32", {Encoding::Kind::kUnsigned, 4}},    {"F32", {Encoding::Kind::kFloat, 4}},
    {"F64", {Encoding::Kind::kFloat, 8}},       {"I64", {Encoding::Kind::kSigned, 8}},
};

/// One tensor as a header describes it.
struct Item {
    std::string name;
    Encoding encoding;
    Shape sizes;
    std::int64_t begin;
    std::int64_t end;
};

/// Reads headers. What it throws names the file.
class HeaderReader {
public:
    explicit HeaderReader(const std::string& path) : path_(path) {}

    /// The tensors by the place of their elements, which must fill the `bytes` behind the header exactly.
    std::vector<Item> read(const std::string& text, std::int64_t bytes) const {
        const Json header = parse(text);
        std::vector<Item> items;
        for (const auto& [name, entry] : header.items()) {
            if (name != kMetadata) items.push_back(item(name, entry));
        }
        std::stable_sort(items.begin(), items.end(), [](const Item& a, const Item& b) {
            return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
        });
        std::int64_t place = 0;
        for (const Item& item : items) {
            if (item.begin != place) {
                wrong("tensor '", item.name, "' begins at ", item.begin, ", the one before it ends at ",
                      place);
            }
            place = item.end;
        }
        if (place != bytes)
            wrong("its tensors end at ", place, ", the file has ", bytes, " bytes of elements");
        return items;
    }

    template <class... Args>
    [[noreturn]] void wrong(const Args&... args) const {
        fail<IoError>("load_safetensors: ", path_, ": ", args...);
    }

private:
    /// The header as JSON. A name that comes twice would hide a tensor; deep nesting is nothing that belongs
    /// here and would only cost memory.
    Json parse(const std::string& text) const {
        constexpr int kDepth = 3;  // header, entry, list
        std::vector<std::set<std::string>> names;
        const auto watch = [&](int depth, Json::parse_event_t event, const Json& value) {
            if (event == Json::parse_event_t::object_start) names.emplace_back();
            if (event == Json::parse_event_t::object_end) names.pop_back();
            if (event == Json::parse_event_t::key && !names.back().insert(value.get<std::string>()).second) {
                wrong("the name '", value.get<std::string>(), "' comes twice in its header");
            }
            if (depth > kDepth) wrong("its header is nested too deep");
            return true;
        };
        const Json header = Json::parse(text, watch, false);
        if (!header.is_object()) wrong("its header is not a JSON object");
        return header;
    }

    Item item(const std::string& name, const Json& entry) const {
        const auto member = [&](const char* key) -> const Json& {
            const auto found = entry.is_object() ? entry.find(key) : entry.end();
            if (found == entry.end()) wrong("tensor '", name, "' has no ", key);
            return *found;
        };
        const Shape offsets = integers(name, "data_offsets", member("data_offsets"));
        if (offsets.size() != 2) wrong("tensor '", name, "' has data_offsets ", offsets, ", not two");
        Item item{name, encoding(name, member("dtype")), integers(name, "shape", member("shape")), offsets[0],
                  offsets[1]};
        const auto bytes = detail::encoded_bytes(item.encoding, item.sizes);
        if (item.begin > item.end || bytes != item.end - item.begin) {
            wrong("tensor '", name, "' of shape ", item.sizes, " does not fill its place ", offsets);
        }
        if (item.begin % item.encoding.bytes != 0) {
            wrong("tensor '", name, "' begins at ", item.begin, ", not at a multiple of its ",
                  item.encoding.bytes, " bytes per element");
        }
        return item;
    }

    Encoding encoding(const std::string& name, const Json& dtype) const {
        for (const TypeName& type : kTypeNames) {
            if (dtype == type.name) return type.encoding;
        }
        wrong("tensor '", name, "' is of the type ",
              dtype.dump(-1, ' ', true, Json::error_handler_t::replace), ", which cannot be read");
    }

    Shape integers(const std::string& name, const char* what, const Json& list) const {
        const auto is_size = [](const Json& value) {
            constexpr std::uint64_t kLargest = std::numeric_limits<std::int64_t>::max();
            return value.is_number_unsigned() && value.get<std::uint64_t>() <= kLargest;
        };
        if (!list.is_array() || !std::all_of(list.begin(), list.end(), is_size)) {
            wrong("tensor '", name, "' has a ", what, " that is not a list of sizes");
        }
        Shape values;
        for (const Json& value : list) values.push_back(value.get<std::int64_t>());
        return values;
    }

    const std::string& path_;
};

std::string_view type_name(DType dtype) {
    switch (dtype) {
        case kBool:
            return "BOOL";
        case kInt64:
            return "I64";
        case kFloat16:
            return "F16";
        case kBFloat16:
            return "BF16";
        case kFloat32:
            return "F32";
        default:
            return "F64";
    }
}

/// The place of a type in a file, in which Python's `safetensors` puts the widest elements first.
std::ptrdiff_t rank(DType dtype) {
    const auto found = std::find_if(std::begin(kTypeNames), std::end(kTypeNames),
                                    [&](const TypeName& type) { return type.name == type_name(dtype); });
    return std::end(kTypeNames) - found;
}

}  // namespace

void save_safetensors(const std::string& path, const std::map<std::string, Tensor>& tensors) {
    std::vector<std::pair<std::string, Tensor>> items;
    for (const auto& [name, tensor] : tensors) {
        if (name == kMetadata) fail<Error>("save_safetensors: '", name, "' cannot be the name of a tensor");
        items.emplace_back(name, tensor.detach().contiguous());
    }
    std::stable_sort(items.begin(), items.end(), [](const auto& a, const auto& b) {
        return rank(a.second.dtype()) < rank(b.second.dtype());
    });
    Json header = Json::object();
    std::int64_t place = 0;
    for (const auto& [name, tensor] : items) {
        const std::int64_t end = place + tensor.numel() * tensor.itemsize();
        header[name] = {{"dtype", type_name(tensor.dtype())},
                        {"shape", tensor.sizes().vec()},
                        {"data_offsets", {place, end}}};
        place = end;
    }
    std::string text;
    try {
        text = header.dump();
    } catch (const Json::exception& error) {
        fail<Error>("save_safetensors: a name is not UTF-8: ", error.what());
    }
    while (static_cast<std::int64_t>(text.size()) % kAlignment != 0) text += ' ';
    const std::uint64_t length = text.size();
    std::vector<std::span<const std::byte>> parts = {std::as_bytes(std::span(&length, 1)),
                                                     std::as_bytes(std::span(text))};
    for (const auto& [name, tensor] : items) parts.push_back(detail::bytes_of(tensor));
    detail::write_file(path, parts);
}

std::map<std::string, Tensor> load_safetensors(const std::string& path) {
    const File file(path);
    const HeaderReader reader(path);
    if (file.size() < kLengthBytes) reader.wrong("it is too short for a safetensors file");
    std::uint64_t length = 0;
    file.read(0, kLengthBytes, &length);
    const auto longest = static_cast<std::uint64_t>(std::min(kLongestHeader, file.size() - kLengthBytes));
    if (length > longest)
        reader.wrong("its header would have ", length, " bytes, of ", longest, " possible ones");
    const std::int64_t begin = kLengthBytes + static_cast<std::int64_t>(length);
    const std::string text = file.read_text(kLengthBytes, begin - kLengthBytes);

    std::map<std::string, Tensor> tensors;
    for (const Item& item : reader.read(text, file.size() - begin)) {
        tensors[item.name] = read_elements(file, begin + item.begin, item.encoding, item.sizes);
    }
    return tensors;
}

}  // namespace reel
