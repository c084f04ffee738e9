// Files as such, whatever is in them: links, names, and what is left behind when a process is killed.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "tests/messages.hpp"
#include "tests/tensor/files.hpp"

using namespace reel;
using namespace reel::testing;

TEST_CASE("files: links are followed, also to where there is no file yet") {
    const Directory directory;
    std::filesystem::create_directory(directory / "there");
    std::filesystem::create_symlink("there/a.npy", directory / "link");
    std::filesystem::create_symlink("link", directory / "link to link");
    for (const Tensor& x : {ones({3}), ones({4})}) {  // the first time the link dangles
        save_npy(directory / "link to link", x);
        CHECK(std::filesystem::is_symlink(directory / "link"));
        CHECK(std::filesystem::is_symlink(directory / "link to link"));
        CHECK_FALSE(std::filesystem::is_symlink(directory / "there/a.npy"));
        CHECK(identical(load_npy(directory / "there/a.npy"), x));
    }
    std::filesystem::create_symlink("circle", directory / "circle");
    CHECK_THROWS_WITH_AS(save_npy(directory / "circle", ones({3})), doctest::Contains("too many links"),
                         IoError);
    std::filesystem::create_symlink("absent/a.npy", directory / "nowhere");
    CHECK_THROWS_AS(save_npy(directory / "nowhere", ones({3})), IoError);
    CHECK(directory.names() ==
          std::vector<std::string>{"circle", "link", "link to link", "nowhere", "there"});
}

TEST_CASE("files: a name may be as long as the system allows") {
    const Directory directory;
    const std::string name(255, 'n');
    save_npy(directory / name, ones({3}));
    CHECK(load_npy(directory / name).numel() == 3);
    CHECK_THROWS_AS(save_npy(directory / (name + "n"), ones({3})), IoError);
    CHECK(directory.names() == std::vector<std::string>{name});
}

TEST_CASE("files: a path with a NUL names no file") {
    const Directory directory;
    const std::string path = directory / "a.npy";
    save_npy(path, ones({3}));
    const std::string other = path + std::string("\0.bak", 5);
    CHECK_THROWS_WITH_AS(save_npy(other, ones({5})), doctest::Contains("NUL"), IoError);
    CHECK_THROWS_WITH_AS(load_npy(other), doctest::Contains("NUL"), IoError);
    CHECK_THROWS_WITH_AS(save_safetensors(other, {}), doctest::Contains("NUL"), IoError);
    CHECK_THROWS_WITH_AS(load_safetensors(other), doctest::Contains("NUL"), IoError);
    CHECK(load_npy(path).numel() == 3);
}

TEST_CASE("files: errors name the path as the user gave it") {
    const Directory directory;
    save_npy(directory / "a.npy", ones({3}));
    std::filesystem::create_symlink("a.npy", directory / "link");
    constexpr std::size_t kLimit = 4096;
    with_file_limit(kLimit, [&] {
        const std::string message =
            message_of<IoError>([&] { save_npy(directory / "link", zeros({10000})); });
        CHECK(contains(message, directory / "link"));
        CHECK_FALSE(contains(message, ".tmp"));
    });
    const std::string message = message_of<IoError>([&] { save_npy(directory / "absent/a.npy", ones({3})); });
    CHECK(contains(message, directory / "absent/a.npy"));
    CHECK_FALSE(contains(message, ".tmp"));
}

TEST_CASE("files: what a killed process leaves is removed by the next one that writes there") {
    const Directory directory;
    const std::string path = directory / "a.npy";
    save_npy(path, ones({3}));
    for (int times = 0; times < 3; ++times) {
        const pid_t child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {  // stopped in the middle of the file: by its limit, whose signal kills
            std::signal(SIGXFSZ, SIG_DFL);
            const rlimit limit = {4096, 4096};
            ::setrlimit(RLIMIT_FSIZE, &limit);
            const rlimit no_core = {0, 0};
            ::setrlimit(RLIMIT_CORE, &no_core);
            save_npy(path, zeros({10000}));
            ::_exit(0);
        }
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        CHECK(WIFSIGNALED(status));
        CHECK(load_npy(path).numel() == 3);
        CHECK(directory.names() == std::vector<std::string>{".reel-0.tmp", "a.npy"});
    }
    // A file of that name that somebody holds is left alone.
    save_npy(path, ones({4}));
    CHECK(directory.names() == std::vector<std::string>{"a.npy"});
    std::filesystem::create_directory(directory / ".reel-0.tmp");
    save_npy(path, ones({5}));
    CHECK(load_npy(path).numel() == 5);
    CHECK(directory.names() == std::vector<std::string>{".reel-0.tmp", "a.npy"});
}
