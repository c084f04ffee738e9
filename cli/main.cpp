// The program `reel`: looks at the library, and at files of tensors, from the shell.
#include <CLI/CLI.hpp>

#include "cli/commands.hpp"

int main(int argc, char** argv) {
    CLI::App app("Looks at the tensor library reel, and at files of tensors.", "reel");
    app.set_version_flag("--version", reel::version());
    app.require_subcommand(1);
    int status = 0;

    auto* gradcheck = app.add_subcommand("gradcheck", "check the gradients of every operation");
    std::string filter;
    gradcheck->add_option("--filter", filter, "only of the operations with this in their name");
    gradcheck->callback([&] { status = reel::cli::gradcheck(reel::testing::all_rows(), filter, std::cout); });

    auto* info = app.add_subcommand("info", "version, instruction set, threads");
    info->callback([&] { status = reel::cli::info(std::cout); });

    auto* show = app.add_subcommand("show", "what is in a safetensors or NPY file");
    std::string path;
    show->add_option("FILE", path, "the file")->required();
    show->callback([&] { status = reel::cli::show(path, std::cout); });

    try {
        CLI11_PARSE(app, argc, argv);
    } catch (const std::exception& error) {
        std::cerr << "reel: " << error.what() << "\n";
        return 1;
    }
    return status;
}
