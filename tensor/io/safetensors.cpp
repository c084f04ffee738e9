// safetensors: eight bytes with the length of the header, the header (JSON: for each name a dtype, a shape,
// and where its elements begin and end, counted from the end of the header), the elements of one tensor after
// the other. https://github.com/huggingface/safetensors
#include "tensor/io/safetensors.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>
#include <tuple>
#include <utility>

#include "tensor/io/file.hpp"

namespace reel {

namespace {

using detail::Encoding;
using detail::File;
using Json = nlohmann::json;

constexpr std::int64_t kLengthBytes = 8;
constexpr std::int64_t kAlignment = 8;                // of the first element
constexpr std::int64_t kLongestHeader = 100'000'000;  // as Python's `safetensors` has it
constexpr const char* kMetadata = "__metadata__";     // a name that is no tensor

/// The format's name of a type, and how the elements are in a file.
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

/// Reads a header, event by event (`nlohmann::json::sax_parse`): in time and memory linear in its length,
/// whatever it holds. What it throws names the file.
class HeaderReader {
public:
    explicit HeaderReader(const std::string& path) : path_(path) {}

    /// The tensors by the place of their elements, which must fill the `bytes` after the header exactly.
    std::vector<Item> read(const std::string& text, std::int64_t bytes) {
        // To the parser a NUL is the end, whatever comes after it.
        if (text.find('\0') != std::string::npos) wrong("its header contains a NUL byte");
        Json::sax_parse(text, this);
        check_names();
        std::sort(items_.begin(), items_.end(), [](const Item& a, const Item& b) {
            return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
        });
        std::int64_t place = 0;
        for (const Item& item : items_) {
            if (item.begin != place) {
                wrong("tensor '", item.name, "' begins at ", item.begin, ", the one before it ends at ",
                      place);
            }
            place = item.end;
        }
        if (place != bytes)
            wrong("its tensors end at ", place, ", the file has ", bytes, " bytes of elements");
        return std::move(items_);
    }

    template <class... Args>
    [[noreturn]] void wrong(const Args&... args) const {
        fail<IoError>("load_safetensors: ", path_, ": ", args...);
    }

    // ---- What the parser calls. `false` would make it stop; here it never goes on after an error.

    bool start_object(std::size_t) {
        if (depth_ == 2 && field_ != Field::kOther) unexpected();
        open();
        if (depth_ == 2) found_ = {};
        return true;
    }
    bool end_object() {
        if (depth_-- == 2 && !in_metadata_) finish_item();
        return true;
    }
    bool start_array(std::size_t) {
        if (depth_ < 2 ? depth_ == 0 || !in_metadata_ : field_ == Field::kDtype) unexpected();
        open();
        return true;
    }
    bool end_array() {
        --depth_;
        return true;
    }
    bool key(std::string& name) {
        if (depth_ == 1) {
            start_item(name);
        } else if (depth_ == 2 && !in_metadata_) {
            start_field(name);
        }
        return true;
    }
    bool string(std::string& value) {
        if (depth_ != 2 || field_ != Field::kDtype) return scalar();
        items_.back().encoding = encoding(value);
        return true;
    }
    bool number_unsigned(std::uint64_t value) {
        if (depth_ != 3 || field_ == Field::kOther) return scalar();
        if (value > std::numeric_limits<std::int64_t>::max()) unexpected();
        Shape& list = field_ == Field::kShape ? items_.back().sizes : offsets_;
        if (list.size() == kMostDims)
            wrong(current(), " has a ", name_of(field_), " of more than ", kMostDims, " numbers");
        list.push_back(static_cast<std::int64_t>(value));
        return true;
    }
    bool null() { return scalar(); }
    bool boolean(bool) { return scalar(); }
    bool number_integer(std::int64_t) { return scalar(); }
    bool number_float(double, const std::string&) { return scalar(); }
    bool binary(std::vector<std::uint8_t>&) { return scalar(); }
    bool parse_error(std::size_t position, const std::string&, const Json::exception&) {
        wrong("its header is not valid JSON, at byte ", position);
    }

private:
    static constexpr int kDeepest = 3;  // header, entry, list; anything deeper belongs to no such file
    enum class Field : std::uint8_t { kDtype, kShape, kOffsets, kOther };
    static constexpr Field kFields[] = {Field::kDtype, Field::kShape, Field::kOffsets};
    static const char* name_of(Field field) {
        return field == Field::kDtype ? "dtype" : field == Field::kShape ? "shape" : "data_offsets";
    }

    std::string current() const { return "tensor '" + items_.back().name + "'"; }

    void open() {
        if (++depth_ > kDeepest) wrong("its header is nested too deeply");
    }

    /// A number, string, null or bool where none of the header's own members has one: nobody reads it.
    bool scalar() {
        if (depth_ < 2 ? depth_ == 0 || !in_metadata_ : field_ != Field::kOther) unexpected();
        return true;
    }

    /// Reports a value of the wrong kind at this place.
    [[noreturn]] void unexpected() const {
        if (depth_ == 0) wrong("its header is not a JSON object");
        if (depth_ == 1) wrong(current(), " is not described by an object");
        if (field_ == Field::kDtype) wrong(current(), " has a dtype that is not a string and cannot be read");
        wrong(current(), " has a ", name_of(field_), " that is not a list of sizes");
    }

    void start_item(std::string& name) {
        in_metadata_ = name == kMetadata;
        field_ = Field::kOther;
        if (in_metadata_) {
            if (std::exchange(has_metadata_, true)) twice(name);
            return;
        }
        items_.push_back({std::move(name), {}, {}, 0, 0});
        offsets_ = {};
    }

    void start_field(const std::string& name) {
        field_ = Field::kOther;
        for (const Field field : kFields) {
            if (name == name_of(field)) field_ = field;
        }
        if (field_ == Field::kOther) return;
        if (std::exchange(found_[static_cast<std::size_t>(field_)], true)) twice(name);
    }

    void finish_item() {
        Item& item = items_.back();
        for (const Field field : kFields) {
            if (!found_[static_cast<std::size_t>(field)]) wrong(current(), " has no ", name_of(field));
        }
        field_ = Field::kOther;
        if (offsets_.size() != 2) wrong(current(), " has data_offsets ", offsets_, ", not two");
        item.begin = offsets_[0];
        item.end = offsets_[1];
        const auto bytes = detail::encoded_bytes(item.encoding, item.sizes);
        if (item.begin > item.end || bytes != item.end - item.begin) {
            wrong(current(), " of shape ", item.sizes, " does not fill its place ", offsets_);
        }
    }

    /// A name that comes twice would hide a tensor.
    void check_names() const {
        std::vector<std::string_view> names;
        names.reserve(items_.size());
        for (const Item& item : items_) names.push_back(item.name);
        std::sort(names.begin(), names.end());
        const auto second = std::adjacent_find(names.begin(), names.end());
        if (second != names.end()) twice(*second);
    }
    [[noreturn]] void twice(std::string_view name) const {
        wrong("the name '", name, "' appears twice in its header");
    }

    Encoding encoding(std::string_view dtype) const {
        for (const TypeName& type : kTypeNames) {
            if (dtype == type.name) return type.encoding;
        }
        wrong(current(), " is of the type \"", dtype, "\", which cannot be read");
    }

    const std::string& path_;
    std::vector<Item> items_;  ///< the last one is being read
    Shape offsets_;            ///< its data_offsets
    std::array<bool, std::size(kFields)> found_{};
    Field field_ = Field::kOther;
    int depth_ = 0;  ///< of open objects and lists
    bool in_metadata_ = false;
    bool has_metadata_ = false;
};

std::string_view type_name(DType dtype) {
    constexpr std::string_view kNames[] = {"BOOL", "I64", "F16", "BF16", "F32", "F64"};
    return kNames[static_cast<std::size_t>(dtype)];
}

/// The place of a type in a file, in which Python's `safetensors` puts the widest elements first.
std::ptrdiff_t rank(DType dtype) {
    const auto found = std::find_if(std::begin(kTypeNames), std::end(kTypeNames),
                                    [&](const TypeName& type) { return type.name == type_name(dtype); });
    return std::end(kTypeNames) - found;
}

std::string json_list(const Shape& numbers) {
    std::string text;
    for (const std::int64_t number : numbers) text += (text.empty() ? "[" : ",") + std::to_string(number);
    return text.empty() ? "[]" : text + ']';
}

/// `name` as a JSON string.
std::string quoted(const std::string& name) {
    try {
        return Json(name).dump();
    } catch (const Json::exception& error) {
        fail<Error>("save_safetensors: a name is not UTF-8: ", error.what());
    }
}

}  // namespace

void save_safetensors(const std::string& path, const std::map<std::string, Tensor>& tensors) {
    std::vector<std::pair<std::string, Tensor>> items;
    for (const auto& [name, tensor] : tensors) {
        if (name == kMetadata) fail<Error>("save_safetensors: '", name, "' cannot be the name of a tensor");
        items.emplace_back(name, detail::storable(tensor));
    }
    std::sort(items.begin(), items.end(), [](const auto& a, const auto& b) {
        return std::pair(rank(a.second.dtype()), a.first) < std::pair(rank(b.second.dtype()), b.first);
    });
    std::string text = "{";
    std::int64_t place = 0;
    for (const auto& [name, tensor] : items) {
        const std::int64_t end = place + tensor.numel() * tensor.itemsize();
        if (text.size() > 1) text += ',';
        // No stream writes the numbers: the user's global locale may group digits.
        text += quoted(name) + ":{\"dtype\":\"" + std::string(type_name(tensor.dtype())) +
                "\",\"shape\":" + json_list(tensor.sizes()) + ",\"data_offsets\":" + json_list({place, end}) +
                "}";
        place = end;
    }
    text += '}';
    while (static_cast<std::int64_t>(text.size()) % kAlignment != 0) text += ' ';
    const std::uint64_t length = text.size();
    std::vector<std::span<const std::byte>> parts = {std::as_bytes(std::span(&length, 1)),
                                                     std::as_bytes(std::span(text))};
    for (const auto& [name, tensor] : items) parts.push_back(detail::bytes_of(tensor));
    detail::write_file(path, parts);
}

std::map<std::string, Tensor> load_safetensors(const std::string& path) {
    const File file(path);
    HeaderReader reader(path);
    if (file.size() < kLengthBytes) reader.wrong("it is too short for a safetensors file");
    std::uint64_t length = 0;
    file.read(0, kLengthBytes, &length);
    const auto longest = static_cast<std::uint64_t>(std::min(kLongestHeader, file.size() - kLengthBytes));
    if (length > longest)
        reader.wrong("its header would have ", length, " bytes; at most ", longest, " are possible");
    const std::int64_t begin = kLengthBytes + static_cast<std::int64_t>(length);
    const std::string text = file.read_text(kLengthBytes, begin - kLengthBytes);

    std::map<std::string, Tensor> tensors;
    for (const Item& item : reader.read(text, file.size() - begin)) {
        tensors[item.name] = read_elements(file, begin + item.begin, item.encoding, item.sizes);
    }
    return tensors;
}

}  // namespace reel
