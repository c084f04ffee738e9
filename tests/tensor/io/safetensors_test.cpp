// safetensors: files of the Python package are read, ours are the same bytes, and no file is believed.
#include "tensor/io/safetensors.hpp"

#include <doctest/doctest.h>

#include <cstring>

#include "tests/tensor/files.hpp"

using namespace reel;
using namespace reel::testing;

namespace {

/// A file with this header and this many bytes of elements.
std::string file_of(const std::string& header, std::size_t bytes) {
    const std::uint64_t length = header.size();
    std::string file(sizeof(length), '\0');
    std::memcpy(file.data(), &length, sizeof(length));
    return file + header + std::string(bytes, '\1');
}

std::string entry(const std::string& name, const std::string& dtype, const std::string& shape,
                  const std::string& offsets) {
    return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape +
           ",\"data_offsets\":" + offsets + "}";
}

}  // namespace

TEST_CASE("safetensors: files of the Python package are read, and written alike") {
    const Directory directory;
    const std::string path = directory / "a.safetensors";
    const std::vector<FileCase> cases = file_cases("safetensors");
    CHECK(cases.size() == 6);
    for (const FileCase& file : cases) {
        CAPTURE(file.name);
        write_bytes(path, file.bytes);
        const auto loaded = load_safetensors(path);
        CHECK(loaded.size() == file.tensors.size());
        for (const auto& [name, tensor] : file.tensors) {
            CAPTURE(name);
            REQUIRE(loaded.contains(name));
            CHECK(identical(loaded.at(name), tensor));
        }
        if (file.name == "metadata" || file.name == "narrow") continue;  // not kept; widened
        const std::string again = directory / "b.safetensors";
        save_safetensors(again, loaded);
        CHECK(read_bytes(again) == file.bytes);
    }
}

TEST_CASE("safetensors: what is saved is loaded, from any layout") {
    const Directory directory;
    const std::string path = directory / "a.safetensors";
    manual_seed(2);
    std::map<std::string, Tensor> tensors;
    for (const DType dtype : {kBool, kInt64, kFloat16, kBFloat16, kFloat32, kFloat64}) {
        const Tensor x = randint(0, 2, {3, 4}).to(dtype);
        const std::string name = reel::name(dtype);
        tensors[name] = x;
        tensors[name + ".transposed"] = x.t();
        tensors[name + ".flipped"] = x.flip({1});
        tensors[name + ".scalar"] = x[0][0];
        tensors[name + ".empty"] = x.slice(0, 2, 2);
    }
    tensors["leaf"] = ones({2}).set_requires_grad();
    tensors[""] = ones({1});
    save_safetensors(path, tensors);
    const auto loaded = load_safetensors(path);
    CHECK(loaded.size() == tensors.size());
    for (const auto& [name, tensor] : tensors) {
        CAPTURE(name);
        CHECK(identical(loaded.at(name), tensor));
        CHECK_FALSE(loaded.at(name).requires_grad());
    }
    CHECK(directory.names() == std::vector<std::string>{"a.safetensors"});
    CHECK_THROWS_AS(save_safetensors(path, {{"__metadata__", ones({1})}}), Error);
    CHECK_THROWS_AS(save_safetensors(path, {{"\xff", ones({1})}}), Error);
    CHECK_THROWS_AS(save_safetensors(path, {{"undefined", Tensor()}}), Error);
    CHECK(load_safetensors(path).size() == tensors.size());
}

TEST_CASE("safetensors: a file that is not what it claims to be is an IoError") {
    const Directory directory;
    const std::string path = directory / "a.safetensors";
    const auto refused = [&](const std::string& bytes, const char* because = "") {
        write_bytes(path, bytes);
        CAPTURE(bytes.substr(0, 200));
        reset_peak_memory();
        const std::int64_t before = memory_stats().peak_bytes;
        CHECK_THROWS_WITH_AS(load_safetensors(path), doctest::Contains(because), IoError);
        CHECK(memory_stats().peak_bytes == before);
    };
    const auto refused_header = [&](const std::string& inside, std::size_t bytes, const char* because = "") {
        refused(file_of("{" + inside + "}", bytes), because);
    };
    const std::string a = entry("a", "F32", "[2]", "[0,8]");
    const std::string good = file_of("{" + a + "}", 8);
    write_bytes(path, good);
    CHECK(load_safetensors(path).at("a").sizes() == Shape{2});
    for (std::size_t length = 0; length < good.size(); ++length) refused(good.substr(0, length));
    refused(good + "x", "has 9 bytes of elements");

    // Lengths of the header that lie.
    for (const std::uint64_t length : {~std::uint64_t{0}, std::uint64_t{1} << 63, std::uint64_t{100'000'001},
                                       std::uint64_t{good.size() - 7}, std::uint64_t{0}, std::uint64_t{3}}) {
        std::string lying = good;
        std::memcpy(lying.data(), &length, sizeof(length));
        refused(lying);
    }
    // Headers that are none.
    for (const char* text :
         {"", " ", "null", "[]", "3", "{", "{]", "{\"a\":1", "{\"a\"}", "{} {}", "\xff\xfe"}) {
        refused(file_of(text, 0));
    }
    refused(file_of(std::string(100000, '['), 0), "");
    refused(file_of("{\"a\":" + std::string(50000, '[') + std::string(50000, ']') + "}", 0),
            "not described by an object");
    for (const char* where : {"\"__metadata__\":", "\"a\":{\"more\":"}) {
        refused(
            file_of(std::string("{") + where + std::string(50000, '[') + std::string(50000, ']') + "}", 0),
            "nested");
    }
    refused_header(a + "," + a, 8, "appears twice");
    refused_header("\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}", 8,
                   "appears twice");
    // Entries that are none.
    for (const char* value : {"3", "\"F32\"", "null", "[]", "true"}) {
        refused_header(std::string("\"a\":") + value, 8, "not described by an object");
    }
    refused_header("\"a\":{\"dtype\":\"F32\",\"shape\":[2]}", 8, "has no data_offsets");
    refused_header("\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}", 8, "has no shape");
    refused_header("\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}", 8, "has no dtype");
    for (const char* dtype : {"F31", "f32", "", "U64", "F8_E4M3"}) {
        refused_header(entry("a", dtype, "[2]", "[0,8]"), 8, "cannot be read");
    }
    for (const char* dtype : {"null", "[\"F32\"]", "{\"F32\":1}", "-1", "1.5", "false"}) {
        refused_header(std::string("\"a\":{\"dtype\":") + dtype + ",\"shape\":[2],\"data_offsets\":[0,8]}", 8,
                       "cannot be read");
    }
    refused_header("\"a\":{\"dtype\":7,\"shape\":[2],\"data_offsets\":[0,8]}", 8, "cannot be read");
    for (const char* list : {"2", "[-2]", "[2.0]", "[\"2\"]", "[null]", "[[2]]", "{}",
                             "[18446744073709551615]", "[9223372036854775808]", "[1e30]"}) {
        refused_header(entry("a", "F32", list, "[0,8]"), 8, "");
        refused_header(entry("a", "F32", "[2]", list), 8, "");
    }
    // Places that do not fit.
    refused_header(entry("a", "F32", "[3]", "[0,8]"), 8, "does not fill");
    refused_header(entry("a", "F32", "[2,9223372036854775807]", "[0,8]"), 8, "does not fill");
    refused_header(entry("a", "F32", "[4611686018427387904,4]", "[0,0]"), 0, "does not fill");
    refused_header(entry("a", "F32", "[9223372036854775807,9223372036854775807,0]", "[0,0]"), 0,
                   "does not fill");
    refused_header(entry("a", "F32", "[2]", "[8,0]"), 8, "does not fill");
    refused_header(entry("a", "F32", "[2]", "[0,8,8]"), 8, "not two");
    refused_header(entry("a", "F32", "[2]", "[8,16]"), 16, "begins at 8");
    refused_header(entry("a", "F32", "[2]", "[0,8]"), 4, "has 4 bytes");
    refused_header(entry("a", "F32", "[250000000000]", "[0,1000000000000]"), 8, "has 8 bytes");
    const std::string b = entry("b", "F32", "[2]", "[4,12]");
    refused_header(a + "," + b, 12, "begins at 4");                                     // overlap
    refused_header(a + "," + entry("b", "F32", "[2]", "[0,8]"), 8, "begins at 0");      // the same place
    refused_header(a + "," + entry("b", "F32", "[2]", "[12,20]"), 20, "begins at 12");  // a hole
    // What a reader of C strings, or of a first and a last occurrence, would see differently.
    refused(file_of("{" + a + "}" + std::string(6, '\0'), 8), "NUL");
    refused(file_of("{" + a + "}" + std::string(1, '\0') + "more", 8), "NUL");
    refused(file_of("{" + a + "}\t{}", 8), "not valid JSON");
    refused_header(a + "," + entry("b", "F32", "[0]", "[8,8]") + "," + a, 8, "'a' appears twice");
    refused_header("\"__metadata__\":{},\"__metadata__\":{}," + a, 8, "appears twice");
    std::string many = "1";
    for (int i = 0; i < 64; ++i) many += ",1";
    refused_header(entry("a", "F32", "[" + many + "]", "[0,4]"), 4, "more than 64");
    CHECK_THROWS_AS(load_safetensors(directory / "absent"), IoError);
    CHECK_THROWS_AS(load_safetensors(directory / ""), IoError);
}

TEST_CASE("safetensors: what the format leaves open is read") {
    const Directory directory;
    const std::string path = directory / "a.safetensors";
    const auto load = [&](const std::string& inside, const std::string& elements) {
        write_bytes(path, file_of("{" + inside + "}", 0) + elements);
        return load_safetensors(path);
    };
    // Elements back to back, on no boundary.
    const float floats[] = {1.5F, -2.0F};
    const std::string bytes = "\1\2\3" + std::string(reinterpret_cast<const char*>(floats), sizeof(floats));
    const auto packed =
        load(entry("a", "U8", "[3]", "[0,3]") + "," + entry("b", "F32", "[2]", "[3,11]"), bytes);
    CHECK(packed.at("a").to_vector<int>() == std::vector<int>{1, 2, 3});
    CHECK(packed.at("b").to_vector<float>() == std::vector<float>{1.5F, -2.0F});
    // Members that nobody knows, in any order; metadata of any kind; escapes in names.
    const auto odd = load(
        "\"__metadata__\":{\"a\":[1,null],\"b\":\"dtype\"}, \"\\u00e9\\n\" : {\"more\":[true,-1.5],"
        "\"data_offsets\":[0,1],\"shape\":[],\"dtype\":\"U8\",\"also\":{\"dtype\":3}}  ",
        "\7");
    CHECK(odd.size() == 1);
    CHECK(odd.at("\xc3\xa9\n").item<int>() == 7);
    // As many dimensions as a tensor has.
    std::string ones = "1";
    for (int i = 0; i < 63; ++i) ones += ",1";
    CHECK(load(entry("a", "U8", "[" + ones + "]", "[0,1]"), "\7").at("a").dim() == 64);
}

TEST_CASE("safetensors: time and memory are linear in the header") {
    const Directory directory;
    const std::string path = directory / "a.safetensors";
    // 100,000 tensors: a search among all earlier names for each of them would take minutes.
    std::map<std::string, Tensor> tensors;
    const Tensor nothing = zeros({0});
    for (int i = 0; i < 100'000; ++i) tensors["layer." + std::to_string(i)] = nothing;
    save_safetensors(path, tensors);
    CHECK(load_safetensors(path).size() == tensors.size());
    // A long list ends where it has more numbers than a tensor dimensions.
    write_bytes(path, file_of("{\"a\":{\"shape\":[1" + std::string(20'000'000, '1') + "]}}", 0));
    CHECK_THROWS_AS(load_safetensors(path), IoError);
    std::string list = "1";
    for (int i = 0; i < 1'000'000; ++i) list += ",1";
    write_bytes(path, file_of("{" + entry("a", "U8", "[" + list + "]", "[0,1]") + "}", 1));
    CHECK_THROWS_WITH_AS(load_safetensors(path), doctest::Contains("more than 64"), IoError);
}

TEST_CASE("safetensors: a file is replaced whole or not at all") {
    const Directory directory;
    const std::string path = directory / "a.safetensors";
    save_safetensors(path, {{"step", tensor(7)}});
    constexpr std::size_t kLimit = 4096;
    with_file_limit(kLimit, [&] {
        CHECK_THROWS_AS(save_safetensors(path, {{"a", zeros({500})}, {"b", zeros({10000})}}), IoError);
    });
    CHECK(load_safetensors(path).at("step").item<int>() == 7);
    CHECK(directory.names() == std::vector<std::string>{"a.safetensors"});
}
