#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/directory.hpp"
#include "tests/starved/scenarios.hpp"

namespace reel::testing {

namespace {

/// Parameters with gradients: [3, 4], a transposed one, one of float16, one of six dimensions that is
/// permuted, one without a gradient.
World parameters() {
    manual_seed(1);
    World w;
    w.x = {rand({3, 4}), rand({4, 3}).t(), rand({5}).to(kFloat16),
           rand({2, 1, 3, 2, 2, 1}).permute({4, 1, 2, 3, 0, 5}), rand({2})};
    for (const Tensor& x : w.x) x.set_requires_grad(true);
    for (std::size_t i = 0; i + 1 < w.x.size(); ++i) w.x[i].set_grad(w.x[i].detach() * 2 - 1);
    return w;
}

template <class Kind, class Options>
World with_optimizer(const Options& options, int steps) {
    World w = parameters();
    const auto optimizer = std::make_shared<Kind>(w.x, options);
    for (int step = 0; step < steps; ++step) optimizer->step();
    w.optimizer = optimizer;
    return w;
}

World sgd() { return with_optimizer<SGD>(SGDOptions{.lr = 0.1}, 0); }
World momentum() { return with_optimizer<SGD>(SGDOptions{.lr = 0.1, .momentum = 0.9, .nesterov = true}, 0); }
World adam() { return with_optimizer<Adam>(AdamOptions{.lr = 0.1}, 0); }
World adam_under_way() { return with_optimizer<Adam>(AdamOptions{.lr = 0.1}, 3); }
World adamw() { return with_optimizer<AdamW>(AdamWOptions{.lr = 0.1}, 2); }

template <class Kind>
void step(World& w) {
    w.optimizer_as<Kind>().step();
}

/// A place for files that lives as long as the program.
std::string path_of(const char* name) {
    // Where files are in memory, syncing them takes no time.
    static const bool in_memory =
        std::filesystem::is_directory("/dev/shm") && ::setenv("TMPDIR", "/dev/shm", 1) == 0;
    static_cast<void>(in_memory);
    static const Directory directory;
    return directory / name;
}

/// Three files with what `save` has once written there. Its syncing takes longer than all else here.
std::vector<std::string> restored(const std::function<void(const std::vector<std::string>&)>& save) {
    static const std::vector<std::string> paths = {path_of("a.npy"), path_of("a.safetensors"),
                                                   path_of("checkpoint")};
    static std::vector<std::string> bytes;
    const bool fresh = bytes.empty();
    if (fresh) save(paths);
    for (std::size_t i = 0; i < paths.size(); ++i) {
        if (fresh) bytes.push_back(bytes_of_file(paths[i]));
        std::ofstream(paths[i], std::ios::binary) << bytes[i];
    }
    return paths;
}

/// One file of each kind, of older tensors.
World files() {
    World w = adam_under_way();
    w.files = restored([&](const std::vector<std::string>& paths) {
        save_npy(paths[0], ones({3}));
        save_safetensors(paths[1], {{"a", ones({3})}, {"b", zeros({2, 1, 1, 1, 1, 2}, kInt64)}});
        save_checkpoint(paths[2], w.x, *w.optimizer, 3);
    });
    return w;
}

/// The same after one more step, so that loading changes something.
World newer() {
    World w = files();
    w.optimizer_as<Adam>().step();
    manual_seed(100);
    return w;
}

World page() {
    World w = files();
    w.x = {ones({2, 3}).set_requires_grad()};
    w.optimizer = nullptr;
    w.files = {path_of("page.html")};
    w.tape = std::make_unique<Tape>(TapeOptions{.watch = true});
    w.x.push_back((w.x[0].exp() * 2).sum());
    w.x[1].backward({}, true);
    std::ofstream(w.files[0]) << "old";
    return w;
}

World nothing() {
    manual_seed(11);
    return {};
}

void keep_all(World& w, const std::map<std::string, Tensor>& map) {
    w.results.reserve(map.size());
    for (const auto& [name, value] : map) w.keep(value);
}

/// With a state to load: twice its own.
World with_state() {
    World w = newer();
    w.state = w.optimizer->state();
    for (auto& [name, value] : w.state) value.mul_(2);
    return w;
}

/// With values to load, by number: of float64, the first one in the memory of the parameter.
World values_to_load() {
    World w = parameters();
    for (const Tensor& x : w.x) w.state[std::to_string(w.state.size())] = x.detach().to(kFloat64) * 2;
    w.state["0"] = w.x[0].detach();
    return w;
}

World probabilities() {
    World w = nothing();
    w.x = {tensor({0.2, 0.3, 0.5})};
    return w;
}

/// Makes a tensor here and frees it on a thread that has none yet, where another is made.
void free_on_new_thread(World& w) {
    Tensor mine = w.x[0].clone();
    Tensor other;
    std::exception_ptr error;
    std::thread([&] {
        mine = {};
        try {
            other = w.x[0].clone();
        } catch (...) {
            error = std::current_exception();
        }
    }).join();
    if (error) std::rethrow_exception(error);
    w.keep(std::move(other));
}

}  // namespace

void add_training_scenarios(std::vector<Scenario>& all) {
    const std::vector<Scenario> scenarios = {
        {"SGD", sgd, step<SGD>},
        {"SGD with momentum", momentum, step<SGD>},
        {"Adam", adam, step<Adam>},
        {"Adam under way", adam_under_way, step<Adam>},
        {"AdamW", adamw, step<AdamW>},
        {"making an optimizer", parameters, [](World& w) { static_cast<void>(Adam(w.x)); }},
        {"state", adam_under_way, [](World& w) { keep_all(w, w.optimizer->state()); }},
        {"load_state", with_state, [](World& w) { w.optimizer->load_state(w.state); }},
        {"clip_grad_norm_", parameters, [](World& w) { clip_grad_norm_(w.x, 0.5); }},
        {"save_checkpoint", files, [](World& w) { save_checkpoint(w.files[2], w.x, *w.optimizer, 4); }},
        {"Parameters::load", values_to_load,
         [](World& w) {
             Parameters p;
             for (const Tensor& x : w.x) p.add(std::to_string(p.size()), x);
             p.load(w.state);
         }},
        {"load_checkpoint", newer, [](World& w) { load_checkpoint(w.files[2], w.x, *w.optimizer); }},
        {"save_safetensors", files,
         [](World& w) {
             save_safetensors(w.files[1], {{"x", w.x[1]}, {"y", w.x[3]}});
         }},
        {"load_safetensors", files, [](World& w) { keep_all(w, load_safetensors(w.files[1])); }},
        {"save_npy", files, [](World& w) { save_npy(w.files[0], w.x[3]); }},
        {"load_npy", files, [](World& w) { w.keep(load_npy(w.files[0])); }},
        {"to_html", page, [](World& w) { w.tape->to_html(w.files[0]); }},
        {"tensor", nothing,
         [](World& w) {
             w.keep(tensor({{1, 2}, {3, 4}}));
         }},
        {"linspace", nothing, [](World& w) { w.keep(linspace(0, 1, 5)); }},
        {"eye", nothing, [](World& w) { w.keep(eye(3)); }},
        {"full", nothing,
         [](World& w) {
             w.keep(full({1, 1, 1, 1, 1, 2}, 3));
         }},
        {"rand", nothing,
         [](World& w) {
             w.keep(rand({3, 1, 1, 1, 1, 2}, kFloat64));
         }},
        {"randn", nothing,
         [](World& w) {
             w.keep(randn({3, 2}));
         }},
        {"randperm", nothing, [](World& w) { w.keep(randperm(7, kFloat32)); }},
        {"multinomial", probabilities, [](World& w) { w.keep(multinomial(w.x[0], 2)); }},
        {"bernoulli", probabilities, [](World& w) { w.keep(bernoulli(w.x[0])); }},
        {"freeing on a new thread", probabilities, free_on_new_thread},
    };
    all.insert(all.end(), scenarios.begin(), scenarios.end());
}

}  // namespace reel::testing
