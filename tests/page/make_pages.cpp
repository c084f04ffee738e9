// Writes the pages that the browser test opens: what `Tape::to_html` writes, with drive.js at their end, and
// with errors collected from the start.
//   make_pages DIRECTORY DRIVER
#include <filesystem>
#include <fstream>
#include <sstream>

#include "reel.hpp"

using namespace reel;

namespace {

std::string read(const std::string& path) {
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

class Pages {
public:
    Pages(std::string directory, const std::string& driver)
        : directory_(std::move(directory)), driver_(read(driver)) {}

    /// The page of `tape`, which the driver's function `name` will examine.
    void write(const std::string& name, const Tape& tape, const PageOptions& options = {}) const {
        tape.to_html(path_of(name), options);
        examine(name);
    }
    std::string path_of(const std::string& name) const { return directory_ + "/" + name + ".html"; }
    /// Puts the driver into a page.
    void examine(const std::string& name) const {
        const std::string path = path_of(name);
        std::string page = read(path);
        const auto insert = [&](const char* behind, const std::string& script) {
            page.insert(page.find(behind) + std::string(behind).size(), "<script>" + script + "</script>");
        };
        insert("<head>", "const errors = []; addEventListener('error', (e) => errors.push(e.message));");
        page.insert(page.rfind("</body>"),
                    "<script>" + driver_ + "\naddEventListener('load', () => drive(" + name + "));</script>");
        std::ofstream(path) << page;
    }

private:
    std::string directory_;
    std::string driver_;
};

/// loss = Σ (W x)²: its value, and its gradient 2 W x xᵀ, are known.
void small(const Pages& pages) {
    const Tensor w = tensor({{1.0, 2.0}, {3.0, 4.0}}).set_requires_grad();
    const Tensor x = tensor({{1.0}, {-2.0}});
    Tape tape({.watch = true});
    const Tensor loss = square(w.matmul(x)).sum();
    loss.backward();
    pages.write("small", tape, {.title = "Σ (W x)²", .names = {{"W", w}, {"x", x}, {"loss", loss}}});
}

void fan(const Pages& pages) {
    const Tensor a = tensor(1.0).set_requires_grad();
    Tape tape({.watch = true});
    const Tensor b = a + a;
    (b + b).backward();
    pages.write("fan", tape);
}

void stretched(const Pages& pages) {
    const Tensor x = ones({3, 2}).set_requires_grad(), b = ones({2}).set_requires_grad();
    Tape tape({.watch = true});
    const Tensor y = x + b;
    const Tensor unread = exp(y);
    (y * tensor({1.0, 2.0})).sum().backward();
    pages.write("stretched", tape, {.names = {{"x", x}, {"b", b}}});
}

/// Σ w², of which the second summand's gradient is lost.
void checked(const Pages& pages) {
    const Tensor w = tensor({1.5, -2.0}, kFloat64).set_requires_grad();
    const auto loss = [&] { return square(stack({w[0], w[1].detach()})).sum(); };
    Tape tape({.watch = true});
    loss().backward();
    pages.write("checked", tape, {.names = {{"w", w}}, .check = loss});
}

Tensor by_definition(const Tensor& z) {
    const Tensor e = exp(z);
    return e / e.sum();
}
Tensor shifted(const Tensor& z) { return by_definition(z - z.max()); }

void softmaxes(const Pages& pages) {
    const Tensor z = tensor({98.0, 99.0, 100.0}).set_requires_grad();
    const Tensor wide = z.detach().to(kFloat64).set_requires_grad();
    Tape twin({.watch = true});
    by_definition(wide)[0].backward();
    Tape naive({.watch = true});
    by_definition(z)[0].backward();
    for (const char* name : {"naive", "light_wide", "dark_wide", "light_narrow", "dark_narrow"})
        pages.write(name, naive, {.title = "naive", .names = {{"z", z}}, .twin = &twin});
    Tape stable({.watch = true});
    shifted(z)[0].backward();
    to_html(pages.path_of("pair"), {{&naive, {.title = "naive"}}, {&stable, {.title = "stable"}}});
    pages.examine("pair");
}

Tensor difference(const Tensor& x, const Tensor& y) { return square(x) - square(y); }

void lossy(const Pages& pages) {
    const auto leaf = [](double number, DType dtype) { return tensor(number, dtype).set_requires_grad(); };
    Tape twin({.watch = true});
    const Tensor exact = difference(leaf(10001.25, kFloat64), leaf(10001, kFloat64));
    Tape tape({.watch = true});
    const Tensor y = difference(leaf(10001.25, kFloat32), leaf(10001, kFloat32));
    pages.write("lossy", tape, {.names = {{"difference", y}}, .twin = &twin});
}

void hub(const Pages& pages) {
    const Tensor w = tensor(0.5).set_requires_grad();
    Tape tape({.watch = true});
    Tensor y = w;
    for (int i = 0; i < 13; ++i) y = y * w;
    pages.write("hub", tape);
}

/// Names and numbers that must stay text.
void hostile(const Pages& pages) {
    const Tensor x = tensor({1.0, double(NAN), double(INFINITY)}).set_requires_grad();
    Tape tape({.watch = true});
    const auto pass = [](const Tensor& g) { return g; };
    record("</script><script>document.title = 'taken'</script>", x.detach().clone(), {{x, pass}});
    record("<img src=x onerror=\"document.title = 'taken'\"> & \"quoted\" \\ \xff", x.detach().clone(),
           {{x, pass}});
    record("__proto__", x.detach().clone(), {{x, pass}});
    pages.write("hostile", tape);
}

void unwatched(const Pages& pages) {
    const Tensor x = ones({3}).set_requires_grad();
    Tape tape;
    const Tensor y = exp(x).sum();
    pages.write("unwatched", tape);
}

void empty(const Pages& pages) { pages.write("empty", Tape()); }

/// 10,000 nodes: a recurrence with one weight, rewound.
void large(const Pages& pages) {
    const Tensor w = full({4}, 0.5).set_requires_grad();
    Tape tape({.watch = true});
    Tensor state = ones({4});
    for (int step = 0; step < 3333; ++step) state = tanh(state * w) + w;
    state.sum().backward();
    pages.write("large", tape);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) return 1;
    std::filesystem::create_directories(argv[1]);
    const Pages pages(argv[1], argv[2]);
    small(pages);
    fan(pages);
    stretched(pages);
    checked(pages);
    softmaxes(pages);
    lossy(pages);
    hub(pages);
    hostile(pages);
    unwatched(pages);
    empty(pages);
    large(pages);
}
