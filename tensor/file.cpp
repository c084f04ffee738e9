// Reading and writing whole files, through the calls of POSIX: only they can say that bytes have reached the
// disk.
#include "tensor/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace reel::detail {

static_assert(std::endian::native == std::endian::little, "reel: files are read on little-endian machines");

namespace {

/// As much as one call of `read` or `write` is asked for; some systems refuse more.
constexpr std::size_t kChunk = std::size_t{1} << 30;

[[noreturn]] void fail_with_errno(const char* what, const std::string& path) {
    fail<IoError>("cannot ", what, " ", path, ": ", std::strerror(errno));
}

/// The file that `path` names, through links. Throws where it is something else than a file.
std::string resolved(const std::string& path) {
    std::error_code error;
    const std::filesystem::file_status status = std::filesystem::status(path, error);
    if (!std::filesystem::exists(status)) return path;
    if (!std::filesystem::is_regular_file(status)) fail<IoError>("cannot write ", path, ": it is not a file");
    const std::filesystem::path target = std::filesystem::canonical(path, error);
    return error ? path : target.string();
}

/// Makes sure that a renamed file keeps its name through a crash. Not all systems let one ask for it.
void sync_directory(const std::string& path) {
    const std::string directory = std::filesystem::path(path).parent_path().string();
    const Descriptor opened(::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_CLOEXEC));
    if (opened.number >= 0) ::fsync(opened.number);
}

/// A file beside `target` that nobody else writes; gone at the end unless it was renamed.
class TemporaryFile {
public:
    explicit TemporaryFile(const std::string& target) : path_(unused_name(target)) {
        constexpr mode_t kMode = 0666;  // less what the process's umask takes
        descriptor_.number = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kMode);
        if (descriptor_.number < 0) fail_with_errno("write", target);
        struct stat old;
        if (::stat(target.c_str(), &old) == 0) static_cast<void>(::fchmod(descriptor_.number, old.st_mode));
    }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    ~TemporaryFile() {
        if (!renamed_) ::unlink(path_.c_str());
    }

    void write(std::span<const std::byte> bytes) {
        while (!bytes.empty()) {
            const ssize_t written = ::write(descriptor_.number, bytes.data(), std::min(bytes.size(), kChunk));
            if (written < 0 && errno == EINTR) continue;
            if (written < 0) fail_with_errno("write", path_);
            bytes = bytes.subspan(static_cast<std::size_t>(written));
        }
    }
    void rename_to(const std::string& target) {
        if (::fsync(descriptor_.number) != 0) fail_with_errno("write", path_);
        if (::rename(path_.c_str(), target.c_str()) != 0) fail_with_errno("write", target);
        renamed_ = true;
    }

private:
    static std::string unused_name(const std::string& target) {
        static std::atomic<std::uint64_t> next = 0;
        std::string name;
        do {
            name = concat(target, '.', ::getpid(), '.', next.fetch_add(1), ".tmp");
        } while (::access(name.c_str(), F_OK) == 0);
        return name;
    }

    std::string path_;
    Descriptor descriptor_{-1};
    bool renamed_ = false;
};

/// What a tensor of these elements is read as.
DType dtype_for(Encoding encoding) {
    using Kind = Encoding::Kind;
    switch (encoding.kind) {
        case Kind::kBool:
            return kBool;
        case Kind::kBrainFloat:
            return kBFloat16;
        case Kind::kFloat:
            return encoding.bytes == 2 ? kFloat16 : encoding.bytes == 4 ? kFloat32 : kFloat64;
        default:
            return kInt64;
    }
}

/// Spreads `count` integers to int64. They may end where the result ends: each is read before it is written
/// over.
template <class Stored>
void widen(std::int64_t count, const std::byte* from, std::byte* to) {
    for (std::int64_t i = 0; i < count; ++i) {
        Stored value;
        std::memcpy(&value, from + i * static_cast<std::int64_t>(sizeof(Stored)), sizeof(Stored));
        reinterpret_cast<std::int64_t*>(to)[i] = static_cast<std::int64_t>(value);
    }
}

void widen(Encoding encoding, std::int64_t count, const std::byte* from, std::byte* to) {
    const bool has_sign = encoding.kind == Encoding::Kind::kSigned;
    switch (encoding.bytes) {
        case 1:
            return has_sign ? widen<std::int8_t>(count, from, to) : widen<std::uint8_t>(count, from, to);
        case 2:
            return has_sign ? widen<std::int16_t>(count, from, to) : widen<std::uint16_t>(count, from, to);
        default:
            return has_sign ? widen<std::int32_t>(count, from, to) : widen<std::uint32_t>(count, from, to);
    }
}

}  // namespace

Descriptor::~Descriptor() {
    if (number >= 0) ::close(number);
}

File::File(std::string path) : path_(std::move(path)) {
    descriptor_.number = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor_.number < 0) fail_with_errno("read", path_);
    struct stat status;
    if (::fstat(descriptor_.number, &status) != 0) fail_with_errno("read", path_);
    if (!S_ISREG(status.st_mode)) fail<IoError>("cannot read ", path_, ": it is not a file");
    size_ = status.st_size;
}

void File::read(std::int64_t offset, std::int64_t count, void* to) const {
    if (offset < 0 || count < 0 || count > size_ - offset) {
        fail<IoError>(path_, ": the file ends after ", size_, " bytes, ", count, " are needed from ", offset,
                      " on");
    }
    auto* at = static_cast<std::byte*>(to);
    while (count > 0) {
        const auto wanted = std::min(static_cast<std::size_t>(count), kChunk);
        const ssize_t got = ::pread(descriptor_.number, at, wanted, offset);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) fail_with_errno("read", path_);
        if (got == 0) fail<IoError>(path_, ": the file has become shorter while it is read");
        at += got;
        offset += got;
        count -= got;
    }
}

std::string File::read_text(std::int64_t offset, std::int64_t count) const {
    if (count > size_ - offset) read(offset, count, nullptr);  // which says so, before memory is asked for
    std::string text(static_cast<std::size_t>(count), '\0');
    read(offset, count, text.data());
    return text;
}

bool is_readable(Encoding encoding) {
    using Kind = Encoding::Kind;
    const auto [kind, bytes, big_endian] = encoding;
    switch (kind) {
        case Kind::kBool:
            return bytes == 1;
        case Kind::kSigned:
            return bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;
        case Kind::kUnsigned:
            return bytes == 1 || bytes == 2 || bytes == 4;
        case Kind::kFloat:
            return bytes == 2 || bytes == 4 || bytes == 8;
        default:
            return bytes == 2;
    }
}

std::optional<std::int64_t> encoded_bytes(Encoding encoding, const Shape& sizes) {
    std::int64_t bytes = encoding.bytes;
    bool counts = true;
    for (const std::int64_t size : sizes) {
        // Sizes of 1 instead of 0 keep an empty shape from hiding an overflow.
        counts =
            counts && size >= 0 && !__builtin_mul_overflow(bytes, std::max<std::int64_t>(size, 1), &bytes);
    }
    if (!counts) return std::nullopt;
    return contains(sizes, 0) ? 0 : bytes;
}

Tensor read_elements(const File& file, std::int64_t offset, Encoding encoding, const Shape& sizes) {
    Tensor result = Tensor::empty(sizes, dtype_for(encoding));
    const std::int64_t count = result.numel();
    const std::int64_t bytes = count * encoding.bytes;
    std::byte* const raw = result.raw();
    std::byte* const stored = raw + count * result.itemsize() - bytes;  // narrow elements: at the end
    file.read(offset, bytes, stored);
    for (std::int64_t i = 0; encoding.big_endian && i < bytes; i += encoding.bytes) {
        std::reverse(stored + i, stored + i + encoding.bytes);
    }
    if (encoding.bytes < result.itemsize()) widen(encoding, count, stored, raw);
    if (encoding.kind == Encoding::Kind::kBool) {  // any other byte than 0 is true, and 1 in a bool
        std::transform(raw, raw + count, raw, [](std::byte b) { return std::byte{b != std::byte{0}}; });
    }
    return result;
}

void write_file(const std::string& path, const std::vector<std::span<const std::byte>>& parts) {
    const std::string target = resolved(path);
    TemporaryFile file(target);
    for (const std::span<const std::byte> part : parts) file.write(part);
    file.rename_to(target);
    sync_directory(target);
}

std::span<const std::byte> bytes_of(const Tensor& dense) {
    return {dense.raw(), static_cast<std::size_t>(dense.numel() * dense.itemsize())};
}

}  // namespace reel::detail
