// Printing, against what PyTorch's repr wrote (`fixtures/make_print.py`).
#include <doctest/doctest.h>

#include <cstdlib>
#include <locale>

#include <sstream>

#include "files.hpp"

using namespace reel;
using namespace reel::testing;

namespace {

std::string printed(const Tensor& t) {
    std::ostringstream out;
    out << t;
    return out.str();
}

struct Case {
    DType dtype;
    Shape sizes;
    PrintOptions options{.precision = 4, .threshold = 1000, .edgeitems = 3, .linewidth = 80};
    bool transposed = false;
    bool leaf = false;
    bool mul = false;
    Tensor tensor;

    explicit Case(const std::string& line) {
        std::istringstream words(line);
        std::string word, dtype_name, shape;
        words >> word >> dtype_name >> shape;
        dtype = dtype_named(dtype_name);
        sizes = shape_named(shape);
        while (words >> word) {
            transposed = transposed || word == "transposed";
            leaf = leaf || word == "leaf";
            mul = mul || word == "mul";
            const std::size_t equals = word.find('=');
            if (equals == std::string::npos) continue;
            const std::string option = word.substr(0, equals);
            const std::int64_t value = std::stoll(word.substr(equals + 1));
            if (option == "precision") options.precision = value;
            if (option == "threshold") options.threshold = value;
            if (option == "edgeitems") options.edgeitems = value;
            if (option == "linewidth") options.linewidth = value;
        }
    }

    void fill(const std::string& line) {
        std::istringstream words(line);
        std::string kind, word;
        words >> kind;
        std::vector<double> values;
        while (words >> word) values.push_back(std::strtod(word.c_str(), nullptr));
        if (kind == "wave") {
            const double scale = values.at(0);
            values.clear();
            for (std::int64_t i = 0; i < numel(sizes); ++i) {
                values.push_back(static_cast<double>((i * 7919) % 10007 - 5003) * scale);
            }
        }
        tensor = reel::tensor(values, kFloat64).to(dtype).reshape(sizes);
        if (transposed) tensor = tensor.transpose(0, -1);
        if (leaf || mul) tensor.set_requires_grad();
    }

    std::string print() const {
        set_printoptions(options);
        const Tape tape;
        return printed(mul ? tensor * 1 : tensor);
    }
};

}  // namespace

TEST_CASE("print: as PyTorch's repr") {
    const PrintOptions before = printoptions();
    std::optional<Case> current;
    std::string title, expected;
    int cases = 0;
    const auto check = [&] {
        if (!current) return;
        CAPTURE(title);
        CHECK(current->print() == expected);
        ++cases;
        expected.clear();
    };
    for (const std::string& line : fixture_lines("print.txt")) {
        if (line.starts_with(">")) {
            if (!expected.empty()) expected += '\n';
            expected += line.substr(1);
        } else if (line.starts_with("case ")) {
            check();
            current.emplace(title = line);
        } else {
            current->fill(line);
        }
    }
    check();
    CHECK(cases > 500);
    set_printoptions(before);
}

TEST_CASE("print: the operation that made a value is shown while its tape lives") {
    const Tensor x = tensor({1.0, 2.0}).set_requires_grad();
    CHECK(printed(x) == "tensor([1., 2.], requires_grad=True)");
    Tensor y;
    {
        const Tape tape;
        y = x + 1;
        CHECK(printed(y) == "tensor([2., 3.], grad_fn=<add>)");
        CHECK(printed(y.sum()) == "tensor(5., grad_fn=<sum>)");
        CHECK(printed(record("my_operation", y.detach(), {{x, [](const Tensor& g) { return g; }}})) ==
              "tensor([2., 3.], grad_fn=<my_operation>)");
        CHECK(printed(y.detach()) == "tensor([2., 3.])");
        CHECK(x.grad_fn() == nullptr);
        CHECK(std::string(y.grad_fn()) == "add");
    }
    CHECK(printed(y) == "tensor([2., 3.])");
}

TEST_CASE("print: views print what they show, an undefined tensor says so") {
    const Tensor x = arange(6).reshape({2, 3});
    CHECK(printed(x.flip({0, 1})) == "tensor([[5, 4, 3],\n        [2, 1, 0]])");
    CHECK(printed(x.select(1, 1)) == "tensor([1, 4])");
    CHECK(printed(tensor(7).expand({3})) == "tensor([7, 7, 7])");
    CHECK(printed(Tensor()) == "tensor(undefined)");
}

TEST_CASE("print: however many dimensions a tensor has, it is printed, and briefly") {
    CHECK(printed(ones({1}).reshape(Shape::filled(64, 1))) ==
          "tensor(" + std::string(64, '[') + "1." + std::string(64, ']') + ")");
    CHECK_THROWS_WITH_AS(ones({1}).reshape(Shape::filled(65, 1)), doctest::Contains("65 dimensions"),
                         ShapeError);
    CHECK_THROWS_AS(zeros(Shape::filled(100'000, 1)), ShapeError);
    CHECK(printed(tensor(7).expand(Shape::filled(62, 2))).size() < 100'000'000);
    CHECK_THROWS_WITH_AS(set_printoptions({.precision = std::numeric_limits<std::int64_t>::max()}),
                         doctest::Contains("9223372036854775807"), Error);
    const PrintOptions before = printoptions();
    set_printoptions({.precision = 1074});
    CHECK(printed(tensor(0x1p-1074, kFloat64)).starts_with("tensor(4.94065645841246544176568792868"));
    constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();
    set_printoptions({.precision = 4, .threshold = 0, .edgeitems = kHuge, .linewidth = kHuge});
    CHECK(printed(arange(2000)).starts_with("tensor([   0,    1,    2,"));
    CHECK(printed(tensor(7).expand({std::int64_t{1} << 40})).size() < 100'000'000);
    set_printoptions(before);
}

TEST_CASE("print: a global locale that groups digits is not asked") {
    struct Grouped : std::numpunct<char> {
        char do_thousands_sep() const override { return ','; }
        std::string do_grouping() const override { return "\3"; }
    };
    const std::locale before = std::locale::global(std::locale(std::locale::classic(), new Grouped));
    std::ostringstream out;
    out.imbue(std::locale::classic());
    out << zeros({1000, 0});
    std::string message;
    try {
        zeros({1000, 2}) + zeros({3000, 2});
    } catch (const ShapeError& error) {
        message = error.what();
    }
    std::locale::global(before);
    CHECK(out.str() == "tensor([], size=(1000, 0))");
    CHECK(message.find("[1000, 2] and [3000, 2]") != std::string::npos);
}

TEST_CASE("print: options not given stay as they are") {
    const PrintOptions before = printoptions();
    set_printoptions({.precision = 2, .linewidth = 60});
    set_printoptions({.edgeitems = 1});
    const PrintOptions now = printoptions();
    CHECK(now.precision == 2);
    CHECK(now.threshold == before.threshold);
    CHECK(now.edgeitems == 1);
    CHECK(now.linewidth == 60);
    CHECK(printed(tensor(1.0 / 3)) == "tensor(0.33)");
    CHECK_THROWS_AS(set_printoptions({.precision = 3, .threshold = -1}), Error);
    CHECK_THROWS_AS(set_printoptions({.linewidth = 0}), Error);
    CHECK(printoptions().precision == 2);
    set_printoptions(before);
}
