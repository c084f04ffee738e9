// Files: whatever is in one, it is loaded and saved again alike, or refused with an `IoError`.
#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>

#include "tests/fuzz/fuzz.hpp"

namespace reel::fuzz {

namespace {

bool same_bits(const Tensor& a, const Tensor& b) {
    const Tensor x = a.contiguous();
    const Tensor y = b.contiguous();
    return x.dtype() == y.dtype() && x.sizes() == y.sizes() &&
           std::equal(x.raw(), x.raw() + x.numel() * x.itemsize(), y.raw());
}

/// A header of the format's form is found too rarely among arbitrary bytes: the first byte says whether its
/// length is written for the bytes.
std::string with_length(Bytes& bytes, std::size_t count, std::string lead) {
    const bool fits = bytes.flag();
    const std::size_t length = bytes.word();
    const std::string rest = bytes.rest();
    if (!fits) return rest;
    const std::size_t header = std::min(length, rest.size());
    for (std::size_t i = 0; i < count; ++i) lead += static_cast<char>(header >> (8 * i) & 0xff);
    return lead + rest;
}

}  // namespace

void npy(Bytes bytes) {
    const std::string path = write_input("a.npy", with_length(bytes, 2, std::string("\x93NUMPY\1\0", 8)));
    Tensor loaded;
    try {
        loaded = load_npy(path);
    } catch (const IoError&) {
        return;
    }
    touch(loaded);
    save_npy(path, loaded);
    expect(same_bits(load_npy(path), loaded), "npy: saved and loaded it is another tensor");
}

void safetensors(Bytes bytes) {
    const std::string path = write_input("a.safetensors", with_length(bytes, 8, ""));
    std::map<std::string, Tensor> loaded;
    try {
        loaded = load_safetensors(path);
    } catch (const IoError&) {
        return;
    }
    for (const auto& [name, tensor] : loaded) touch(tensor);
    save_safetensors(path, loaded);
    const auto again = load_safetensors(path);
    expect(again.size() == loaded.size(), "safetensors: saved and loaded there are ", again.size(),
           " tensors of ", loaded.size());
    for (const auto& [name, tensor] : loaded)
        expect(again.contains(name) && same_bits(again.at(name), tensor), "safetensors: '", name,
               "' has changed");
}

/// A checkpoint with some of its bytes changed: it is loaded, or refused and nothing is changed.
void checkpoints(Bytes bytes) {
    const std::vector<Tensor> params = {counted({2, 3}).set_requires_grad(),
                                        counted({3}).set_requires_grad()};
    for (const Tensor& p : params) p.set_grad(ones_like(p.detach()));
    AdamW optimizer(params);
    optimizer.step();
    const std::string path = write_input("checkpoint", "");
    save_checkpoint(path, params, optimizer, 5);
    std::string file;
    {
        std::ifstream in(path, std::ios::binary);
        file.assign(std::istreambuf_iterator<char>(in), {});
    }
    while (!bytes.empty() && !file.empty()) {
        const auto place = bytes.word() % file.size();
        const std::uint8_t kind = bytes.byte();
        if (kind < 200) file[place] = static_cast<char>(bytes.byte());
        if (kind >= 200 && kind < 220) file.erase(place, bytes.byte());
        if (kind >= 220 && kind < 240) file.insert(place, 1, static_cast<char>(bytes.byte()));
        if (kind >= 240) file.insert(place, file.substr(place, bytes.byte()));
    }
    write_input("checkpoint", file);
    optimizer.step();
    const GeneratorState generator = generator_state();
    const auto seen = [&] {
        std::map<std::string, Tensor> all = optimizer.state();
        for (std::size_t i = 0; i < params.size(); ++i)
            all["p" + std::to_string(i)] = params[i].detach().clone();
        return all;
    };
    const auto before = seen();
    if (answers([&] { load_checkpoint(path, params, optimizer); })) return;
    const auto after = seen();
    expect(before.size() == after.size(), "checkpoints: a refused file changed the state");
    for (const auto& [name, value] : before)
        expect(same_bits(value, after.at(name)), "checkpoints: a refused file changed ", name);
    expect(generator.seed == generator_state().seed && generator.counter == generator_state().counter,
           "checkpoints: a refused file changed the generator");
}

}  // namespace reel::fuzz
