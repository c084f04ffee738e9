#include "tests/fuzz/fuzz.hpp"

#include <fstream>
#include <limits>

#include "tests/directory.hpp"

namespace reel::fuzz {

std::uint8_t Bytes::byte() {
    if (data_.empty()) return 0;
    const std::uint8_t first = data_.front();
    data_ = data_.subspan(1);
    return first;
}

std::size_t Bytes::word() {
    const std::size_t low = byte();
    return low | static_cast<std::size_t>(byte()) << 8;
}

std::int64_t Bytes::between(std::int64_t low, std::int64_t high) { return low + byte() % (high - low + 1); }

std::int64_t Bytes::number() {
    constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
    const std::uint8_t kind = byte();
    if (kind < 200) return static_cast<std::int64_t>(kind % 16) - 5;
    const std::int64_t near = between(-3, 3);
    if (kind < 215) return kMost - std::abs(near);
    if (kind < 230) return -kMost - 1 + std::abs(near);
    if (kind < 245) {
        const std::int64_t power = std::int64_t{1} << (byte() % 63);
        return (flag() ? power : -power) + near;
    }
    std::uint64_t any = 0;
    for (int i = 0; i < 8; ++i) any = any << 8 | byte();
    return static_cast<std::int64_t>(any);
}

Shape Bytes::small_shape(std::size_t most) {
    Shape sizes;
    const std::size_t count = byte() % (most + 1);
    for (std::size_t i = 0; i < count; ++i) sizes.push_back(between(0, 4));
    return sizes;
}

Shape Bytes::numbers(std::size_t most) {
    Shape list;
    const std::size_t count = byte() % (most + 1);
    for (std::size_t i = 0; i < count; ++i) list.push_back(number());
    return list;
}

DType Bytes::dtype() {
    constexpr DType kTypes[] = {kFloat32, kFloat64, kInt64, kBool, kFloat16, kBFloat16};
    return kTypes[byte() % std::size(kTypes)];
}

std::string Bytes::rest() {
    const std::string text(data_.begin(), data_.end());
    data_ = {};
    return text;
}

std::uint64_t& calls() {
    static std::uint64_t count = 0;
    return count;
}

bool answers(const std::function<void()>& f) {
    ++calls();
    try {
        f();
        return true;
    } catch (const Error&) {
        return false;
    }
}

std::optional<Wide> elements_of(const std::vector<Wide>& sizes) {
    constexpr Wide kMost = std::numeric_limits<std::int64_t>::max();
    Wide count = 1;
    bool empty = false;
    for (const Wide size : sizes) {
        if (size < 0 || size > kMost) return std::nullopt;
        empty = empty || size == 0;
        count *= size == 0 ? 1 : size;
        if (count > kMost) return std::nullopt;
    }
    return empty ? 0 : count;
}

void expect_sizes(const char* what, const Tensor& tensor, const std::vector<Wide>& sizes) {
    bool same = tensor.sizes().size() == sizes.size();
    for (std::size_t i = 0; same && i < sizes.size(); ++i) same = tensor.sizes()[i] == sizes[i];
    Shape shown;
    for (const Wide size : sizes) shown.push_back(static_cast<std::int64_t>(size));
    expect(same, what, ": shape ", tensor.sizes(), " instead of ", shown);
    expect(elements_of(sizes) == tensor.numel(), what, ": ", tensor.numel(), " elements in shape ",
           tensor.sizes());
}

Tensor counted(const Shape& sizes, DType dtype) { return arange(numel(sizes)).reshape(sizes).to(dtype); }

void touch(const Tensor& tensor) {
    constexpr std::int64_t kMost = 1 << 16;  // more are the same few elements again, expanded
    if (tensor.numel() <= kMost) static_cast<void>(tensor.to_vector<double>());
}

std::string write_input(const char* name, const std::string& bytes) {
    static const testing::Directory directory;
    const std::string path = directory / name;
    std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return path;
}

std::span<const Target> targets() {
    static constexpr Target kTargets[] = {
        {"checkpoints", checkpoints}, {"einsums", einsums}, {"factories", factories},
        {"indices", indices},         {"npy", npy},         {"printing", printing},
        {"safetensors", safetensors}, {"views", views},     {"windows", windows},
    };
    return kTargets;
}

}  // namespace reel::fuzz
