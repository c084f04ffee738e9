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
    void write(const std::string& name, const Tape& tape) const {
        const std::string path = directory_ + "/" + name + ".html";
        tape.to_html(path);
        std::string page = read(path);
        const auto insert = [&](const char* behind, const std::string& script) {
            page.insert(page.find(behind) + std::string(behind).size(), "<script>" + script + "</script>");
        };
        insert("<head>", "const errors = []; addEventListener('error', (e) => errors.push(e.message));");
        page.insert(page.rfind("</body>"), "<script>" + driver_ + "\ndrive(" + name + ");</script>");
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
    pages.write("small", tape);
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

/// 10,000 entries: a recurrence with one weight, rewound.
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
    hostile(pages);
    unwatched(pages);
    empty(pages);
    large(pages);
}
