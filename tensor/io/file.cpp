// Reading and writing whole files, through the calls of POSIX: only they can say that bytes have reached the
// disk.
#include "tensor/io/file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iomanip>

namespace reel::detail {

static_assert(std::endian::native == std::endian::little, "reel: files are read on little-endian machines");

namespace {

/// As much as one call of `read` or `write` is asked for; some systems refuse more.
constexpr std::size_t kChunk = std::size_t{1} << 30;

[[noreturn]] void fail_with_errno(const char* what, const std::string& path) {
    fail<IoError>("cannot ", what, " ", path, ": ", std::strerror(errno));
}

/// A path as the system takes it. To its calls a NUL is the end, whatever comes after it.
void check_path(const char* what, const std::string& path) {
    if (path.find('\0') != std::string::npos)
        fail<IoError>("cannot ", what, " ", std::quoted(path.c_str()), "...: the path contains a NUL byte");
}

/// The file that `path` names: through links, also to where there is no file yet. Throws where it is
/// something else than a file.
std::string resolved(const std::string& path) {
    constexpr int kMostLinks = 40;  // as Linux follows
    std::error_code error;
    std::filesystem::path target = path;
    for (int links = 0; std::filesystem::is_symlink(std::filesystem::symlink_status(target, error));
         ++links) {
        if (links == kMostLinks) fail<IoError>("cannot write ", path, ": too many links");
        const std::filesystem::path next = std::filesystem::read_symlink(target, error);
        if (error) fail<IoError>("cannot write ", path, ": ", error.message());
        target = target.parent_path() / next;
    }
    const std::filesystem::file_status status = std::filesystem::status(target, error);
    if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
        fail<IoError>("cannot write ", path, ": it is not a file");
    return target.string();
}

/// Note [Temporary files]
/// A file is written under the name ".reel-<n>.tmp" in its own directory and then renamed. Whoever writes
/// holds a lock on it, which ends with the process: a file of this name without a lock was left by one that
/// was killed, and the next writer removes it. So none pile up, and no process must be asked whether it
/// lives, which would be answered wrongly between containers. Each file is made anew (O_EXCL): nobody else
/// has it open.
class TemporaryFile {
public:
    /// For a file that becomes `target`; errors name `path`, by which the user knows it.
    TemporaryFile(const std::string& target, const std::string& path) : target_(target), path_(path) {
        const std::filesystem::path directory = std::filesystem::path(target).parent_path();
        directory_.reset(::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_CLOEXEC));
        for (int number = 0; !make((directory / concat(".reel-", number, ".tmp")).string()); ++number) {
        }
        struct stat old;
        if (::stat(target.c_str(), &old) == 0) static_cast<void>(::fchmod(descriptor_.number, old.st_mode));
    }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    ~TemporaryFile() {
        if (!renamed_) ::unlink(name_.c_str());
    }

    void write(std::span<const std::byte> bytes) {
        while (!bytes.empty()) {
            const ssize_t written = ::write(descriptor_.number, bytes.data(), std::min(bytes.size(), kChunk));
            if (written < 0 && errno == EINTR) continue;
            if (written < 0) fail_with_errno("write", path_);
            bytes = bytes.subspan(static_cast<std::size_t>(written));
        }
    }
    void rename() {
        if (::fsync(descriptor_.number) != 0) fail_with_errno("write", path_);
        if (::rename(name_.c_str(), target_.c_str()) != 0) fail_with_errno("write", path_);
        renamed_ = true;
        // So that the file keeps its name through a crash. Not all systems let one ask for it.
        if (directory_.number >= 0) ::fsync(directory_.number);
    }

private:
    /// Makes the file `name`, unless somebody else writes it.
    bool make(std::string name) {
        constexpr mode_t kMode = 0666;  // less what the process's umask takes
        for (;;) {
            const int made = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kMode);
            if (made < 0 && errno != EEXIST) fail_with_errno("write", path_);
            if (made < 0 && !remove_abandoned(name)) return false;
            if (made < 0) continue;
            descriptor_.reset(made);
            // Before it was locked somebody may have taken it for an abandoned one.
            const bool locked = ::flock(made, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
            if (!locked || !is_named(made, name)) continue;
            name_ = std::move(name);
            return true;
        }
    }
    /// Whether the file `name` has been removed, by us or by others.
    static bool remove_abandoned(const std::string& name) {
        const Descriptor old(::open(name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
        if (old.number < 0) return errno == ENOENT;
        if (::flock(old.number, LOCK_EX | LOCK_NB) != 0) return false;
        return !is_named(old.number, name) || ::unlink(name.c_str()) == 0;
    }
    static bool is_named(int descriptor, const std::string& name) {
        struct stat opened;
        struct stat named;
        return ::fstat(descriptor, &opened) == 0 && ::lstat(name.c_str(), &named) == 0 &&
               opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
    }

    const std::string& target_;
    const std::string& path_;
    std::string name_;
    Descriptor descriptor_{-1};
    Descriptor directory_{-1};
    bool renamed_ = false;
};

/// What a tensor of these elements is read as.
DType dtype_for(Encoding encoding) {
    using Kind = Encoding::Kind;
    if (encoding.kind == Kind::kBool) return kBool;
    if (encoding.kind == Kind::kBrainFloat) return kBFloat16;
    if (encoding.kind != Kind::kFloat) return kInt64;
    return encoding.bytes == 2 ? kFloat16 : encoding.bytes == 4 ? kFloat32 : kFloat64;
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

void Descriptor::reset(int opened) {
    if (number >= 0) ::close(number);
    number = opened;
}

File::File(std::string path) : path_(std::move(path)) {
    check_path("read", path_);
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
        if (got == 0) fail<IoError>(path_, ": the file was truncated while it was read");
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
    if (kind == Kind::kBool) return bytes == 1;
    if (kind == Kind::kBrainFloat) return bytes == 2;
    if (kind == Kind::kFloat) return bytes == 2 || bytes == 4 || bytes == 8;
    return bytes == 1 || bytes == 2 || bytes == 4 || (bytes == 8 && kind == Kind::kSigned);
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
    check_path("write", path);
    const std::string target = resolved(path);
    TemporaryFile file(target, path);
    for (const std::span<const std::byte> part : parts) file.write(part);
    file.rename();
}

Tensor storable(const Tensor& tensor) {
    const Tensor dense = tensor.detach().contiguous();
    return dense.dtype() == kBool ? dense.ne(false) : dense;
}

std::span<const std::byte> bytes_of(const Tensor& dense) {
    return {dense.raw(), static_cast<std::size_t>(dense.numel() * dense.itemsize())};
}

}  // namespace reel::detail
