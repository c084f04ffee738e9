// NPY files: those of numpy are read, ours are what numpy writes, and no file is believed.
#include "tensor/io/npy.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>

#include "tests/tensor/files.hpp"

using namespace reel;
using namespace reel::testing;

namespace {

/// A file of version 1 with this header and this many bytes of elements.
std::string npy(const std::string& header, std::size_t bytes) {
    std::string file("\x93NUMPY\1\0", 8);
    file += static_cast<char>(header.size() & 0xff);
    file += static_cast<char>(header.size() >> 8);
    return file + header + std::string(bytes, '\1');
}

std::string dict(const std::string& shape, const std::string& descr = "<f4",
                 const std::string& order = "False") {
    return "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
}

}  // namespace

TEST_CASE("npy: files of numpy are read") {
    const Directory directory;
    for (const FileCase& file : file_cases("npy")) {
        CAPTURE(file.name);
        const std::string path = directory / "a.npy";
        write_bytes(path, file.bytes);
        const Tensor loaded = load_npy(path);
        CHECK(identical(loaded, file.tensors.at(0).tensor));
        CHECK(loaded.is_contiguous() == (file.name != "fortran" && file.name != "fortran3"));
        if (file.name == "fortran3") CHECK(loaded.strides() == Shape{1, 2, 6});
    }
    CHECK(file_cases("npy").size() == 25);
}

TEST_CASE("npy: what is saved is loaded, from any layout") {
    const Directory directory;
    const std::string path = directory / "a.npy";
    manual_seed(1);
    for (const DType dtype : {kBool, kInt64, kFloat16, kFloat32, kFloat64}) {
        for (const Shape& sizes : {Shape{}, Shape{3}, Shape{2, 0}, Shape{2, 3, 4}, Shape{1, 1, 1, 1, 7}}) {
            const Tensor x = randint(0, 2, sizes).to(dtype);
            save_npy(path, x);
            CHECK(identical(load_npy(path), x));
        }
        const Tensor matrix = randint(0, 2, {4, 5}).to(dtype);
        for (const Tensor& view :
             {matrix.t(), matrix.slice(1, 1, 5, 2), matrix.flip({0}), matrix[1].expand({3, 5})}) {
            save_npy(path, view);
            CHECK(identical(load_npy(path), view));
        }
    }
    CHECK(directory.names() == std::vector<std::string>{"a.npy"});
    CHECK_THROWS_WITH_AS(save_npy(path, zeros({2}, kBFloat16)), doctest::Contains("to(kFloat32)"),
                         DTypeError);
}

TEST_CASE("npy: the header is the one that the format prescribes") {
    const Directory directory;
    const std::string path = directory / "a.npy";
    const auto header = [&](const Tensor& x) {
        save_npy(path, x);
        const std::string bytes = read_bytes(path);
        CHECK(bytes.substr(0, 8) == std::string("\x93NUMPY\1\0", 8));
        const auto length = static_cast<std::size_t>(static_cast<unsigned char>(bytes[8])) +
                            256 * static_cast<std::size_t>(static_cast<unsigned char>(bytes[9]));
        CHECK((10 + length) % 64 == 0);
        CHECK(bytes[10 + length - 1] == '\n');
        CHECK(bytes.size() == 10 + length + static_cast<std::size_t>(x.numel() * x.itemsize()));
        const std::string text = bytes.substr(10, length);
        return text.substr(0, text.find_last_not_of(" \n") + 1);
    };
    CHECK(header(zeros({2, 3})) == "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }");
    CHECK(header(zeros({4}, kInt64)) == "{'descr': '<i8', 'fortran_order': False, 'shape': (4,), }");
    CHECK(header(zeros({}, kBool)) == "{'descr': '|b1', 'fortran_order': False, 'shape': (), }");
    CHECK(header(zeros({1, 0, 2}, kFloat16)) ==
          "{'descr': '<f2', 'fortran_order': False, 'shape': (1, 0, 2), }");
}

TEST_CASE("npy: a file that is not what it claims to be is an IoError") {
    const Directory directory;
    const std::string path = directory / "a.npy";
    const auto refused = [&](const std::string& bytes) {
        write_bytes(path, bytes);
        CAPTURE(bytes.substr(0, 120));
        reset_peak_memory();
        const std::int64_t before = memory_stats().peak_bytes;
        CHECK_THROWS_AS(load_npy(path), IoError);
        CHECK(memory_stats().peak_bytes == before);
    };
    const std::string good = npy(dict("(2, 3)"), 24);
    write_bytes(path, good);
    CHECK(load_npy(path).sizes() == Shape{2, 3});
    for (std::size_t length = 0; length < good.size(); ++length) refused(good.substr(0, length));
    refused(good + "x");

    for (const char* shape : {"(3, 3)",
                              "(2, 2)",
                              "(2,)",
                              "()",
                              "(-2, -3)",
                              "(2, -3)",
                              "(2 3)",
                              "(2, 3",
                              "2, 3",
                              "[2, 3]",
                              "(6.0,)",
                              "(6,",
                              "('6',)",
                              "(4611686018427387904, 4)",
                              "(99999999999999999999,)",
                              "(4294967296, 4294967296)",
                              "(9223372036854775807, 2, 3)",
                              "(0, 3)",
                              "(9223372036854775807, 9223372036854775807, 0)",
                              "(None,)"}) {
        refused(npy(dict(shape), 24));
    }
    for (const char* descr :
         {"<c8", "<f1",  "<f3", "<f16", "<i3", "<u8",  "|O", "|S5", "<U4",  "<M8[ns]", "|V4", "<b2", "",
          "<",   "<f4<", "?f4", "4",    "<4",  "u<f4", "Q",  "F",   "<<f4", "f04",     "<f ", "?1"}) {
        refused(npy(dict("(2, 3)", descr), 24));
    }
    std::string ones;
    for (int i = 0; i < 65; ++i) ones += "1, ";
    refused(npy(dict("(" + ones + ")"), 4));
    refused(npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (6,), }", 24));
    refused(npy(dict("(2, 3)", "<f4", "0"), 24));
    refused(npy(dict("(2, 3)", "<f4", "Truer"), 24));
    refused(npy("", 24));
    refused(npy("{}", 24));
    refused(npy("{'descr': '<f4', 'fortran_order': False}", 24));
    refused(npy("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (6,)}", 24));
    refused(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (6,), 'more': 1}", 24));
    refused(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (6,)} {}", 24));
    refused(npy("import os", 24));
    std::string version = good;
    version[6] = '\4';
    refused(version);
    // A header of four gigabytes, in a file of some bytes.
    refused(std::string("\x93NUMPY\2\0\xff\xff\xff\xff{'descr'", 20));
    refused(std::string(200, '{'));
    CHECK_THROWS_AS(load_npy(directory / "absent.npy"), IoError);
    CHECK_THROWS_AS(load_npy(directory / ""), IoError);
}

TEST_CASE("npy: every text that numpy reads as one of our types is read as that") {
    const Directory directory;
    const std::string path = directory / "a.npy";
    // Of the bytes 1 0 0 0 0 0 0 1.
    struct Text {
        const char* descr;
        DType dtype;
        std::int64_t count;
        double first;
    };
    const Text texts[] = {
        {"?", kBool, 8, 1},
        {"|b1", kBool, 8, 1},
        {"b1", kBool, 8, 1},
        {"<?", kBool, 8, 1},
        {"b", kInt64, 8, 1},
        {"B", kInt64, 8, 1},
        {"|i1", kInt64, 8, 1},
        {"u1", kInt64, 8, 1},
        {"h", kInt64, 4, 1},
        {">H", kInt64, 4, 256},
        {"=i2", kInt64, 4, 1},
        {">u2", kInt64, 4, 256},
        {"i", kInt64, 2, 1},
        {">I", kInt64, 2, 0x1000000},
        {"i4", kInt64, 2, 1},
        {"q", kInt64, 1, 0x1p56 + 1},
        {">i8", kInt64, 1, 0x1p56 + 1},
        {"e", kFloat16, 4, 0x1p-24},
        {"<f", kFloat32, 2, 0x1p-149},
        {"f4", kFloat32, 2, 0x1p-149},
        {">f", kFloat32, 2, 0x1p-125},
        {"d", kFloat64, 1, 0x1p-1007 * (1 + 0x1p-52)},
    };
    for (const Text& text : texts) {
        CAPTURE(text.descr);
        for (const char* prefix : {"", "u"}) {
            const std::string shape = "(" + std::to_string(text.count) + "L,)";
            write_bytes(path, npy(std::string("{") + prefix + "'descr': " + prefix + "'" + text.descr +
                                      "', 'fortran_order': False, 'shape': " + shape + "}",
                                  0) +
                                  std::string("\1\0\0\0\0\0\0\1", 8));
            const Tensor loaded = load_npy(path);
            CHECK(loaded.dtype() == text.dtype);
            CHECK(loaded.numel() == text.count);
            CHECK(loaded.to_vector<double>()[0] == text.first);
        }
    }
}

TEST_CASE("npy: bytes of bools that are neither 0 nor 1 are true") {
    const Directory directory;
    write_bytes(directory / "a.npy", npy(dict("(3,)", "|b1"), 0) + std::string("\0\1\xff", 3));
    CHECK(load_npy(directory / "a.npy").to_vector<int>() == std::vector<int>{0, 1, 1});
    CHECK(load_npy(directory / "a.npy").sum().item<int>() == 2);
}

TEST_CASE("npy: a file is replaced whole or not at all") {
    const Directory directory;
    const std::string path = directory / "a.npy";
    save_npy(path, ones({3}));
    std::filesystem::permissions(path, std::filesystem::perms(0640));
    const std::string old = read_bytes(path);
    constexpr std::size_t kLimit = 4096;
    with_file_limit(kLimit, [&] { CHECK_THROWS_AS(save_npy(path, zeros({10000})), IoError); });
    CHECK(read_bytes(path) == old);
    CHECK(directory.names() == std::vector<std::string>{"a.npy"});

    save_npy(path, zeros({10000}));
    CHECK(load_npy(path).numel() == 10000);
    CHECK(std::filesystem::status(path).permissions() == std::filesystem::perms(0640));

    // Through a link to the file; not over something that is no file.
    std::filesystem::create_symlink("a.npy", directory / "link.npy");
    save_npy(directory / "link.npy", ones({5}));
    CHECK(std::filesystem::is_symlink(directory / "link.npy"));
    CHECK(load_npy(path).sizes() == Shape{5});
    REQUIRE(::mkfifo((directory / "pipe").c_str(), 0600) == 0);
    CHECK_THROWS_AS(save_npy(directory / "pipe", ones({5})), IoError);
    CHECK_THROWS_AS(save_npy(directory / "", ones({5})), IoError);
    CHECK_THROWS_AS(save_npy(directory / "absent/a.npy", ones({5})), IoError);
    CHECK(directory.names() == std::vector<std::string>{"a.npy", "link.npy", "pipe"});
}
