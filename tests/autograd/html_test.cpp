// The page of a tape: what is in the file. What a browser makes of it is in tests/page/.
#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "autograd/page.hpp"
#include "reel.hpp"
#include "tests/directory.hpp"
#include "tests/gradients/rows.hpp"

using namespace reel;

namespace {

std::string page_of(const Tape& tape, const PageOptions& options = {}) {
    const testing::Directory directory;
    const std::string path = directory / "tape.html";
    tape.to_html(path, options);
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

nlohmann::json data_of(const Tape& tape, const PageOptions& options = {}) {
    const std::string page = page_of(tape, options);
    const std::string mark = "<script type=\"application/json\" id=\"tape\">";
    const std::size_t begin = page.find(mark) + mark.size();
    return nlohmann::json::parse(page.substr(begin, page.find("</script>", begin) - begin));
}

using Numbers = std::vector<std::vector<std::string>>;

}  // namespace

TEST_CASE("to_html: a watched tape's page has values, gradients, bytes and formulas") {
    const Tensor w = tensor({{1.0, 2.0}, {3.0, 4.0}}).set_requires_grad();
    const Tensor x = tensor({{1.0}, {-2.0}});
    Tape tape({.watch = true});
    const Tensor y = w.matmul(x);
    y.mul_(2);
    const Tensor loss = square(y).sum();
    loss.backward();
    w.detach().fill_(100);  // what was noted stays
    const nlohmann::json data = data_of(tape);
    REQUIRE(data["nodes"].size() == 4);
    CHECK(data["nodes"][0]["value"]["numbers"].get<Numbers>() == Numbers{{"-3"}, {"-5"}});
    CHECK(data["nodes"][1]["op"] == "mul_");
    CHECK(data["nodes"][1]["value"]["numbers"].get<Numbers>() == Numbers{{"-6"}, {"-10"}});
    CHECK(data["nodes"][0]["gradient"]["numbers"].get<Numbers>() == Numbers{{"-24"}, {"-40"}});
    CHECK(data["nodes"][0]["operands"][0]["of"] == -1);
    CHECK(data["nodes"][0]["operands"][1]["of"] == "c0");
    CHECK(data["constants"][0]["value"]["numbers"].get<Numbers>() == Numbers{{"1"}, {"-2"}});
    CHECK(data["nodes"][2]["operands"][0]["of"] == 1);
    CHECK(data["nodes"][0]["bytes"] == 8);
    CHECK(data["nodes"][0]["freed"] == true);
    CHECK(data["leaves"][0]["value"]["numbers"].get<Numbers>() == Numbers{{"1", "2"}, {"3", "4"}});
    CHECK(data["leaves"][0]["gradient"]["numbers"].get<Numbers>() == Numbers{{"-24", "48"}, {"-40", "80"}});
    CHECK(data["operations"]["mul_"]["formula"] == "x̄ = ȳ other, and other gets ȳ x.");
    CHECK(w.grad().equal(tensor({{-24.0, 48.0}, {-40.0, 80.0}})));
}

TEST_CASE("to_html: beside a leaf's gradient stands the numeric derivative with its error bar") {
    const Tensor w = tensor({{1.0, 2.0}, {3.0, 4.0}}, kFloat64).t().set_requires_grad();  // strided
    const Tensor b = tensor({0.5, -0.5}, kFloat32).set_requires_grad();
    const auto loss = [&] {
        // the second column's gradient is lost
        const Tensor lost = cat({w.slice(1, 0, 1), w.slice(1, 1, 2).detach()}, 1);
        return square(lost).sum() + b.to(kFloat64).sum();
    };
    Tape tape({.watch = true});
    loss().backward();
    const std::size_t recorded = tape.size();
    const nlohmann::json data = data_of(tape, {.check = loss});
    CHECK(tape.size() == recorded);
    CHECK(w.detach().equal(tensor({{1.0, 3.0}, {2.0, 4.0}}, kFloat64)));
    REQUIRE(data["leaves"][0]["shape"] == std::vector<int>{2, 2});
    const nlohmann::json& check = data["leaves"][0]["check"];
    const auto number = [](const nlohmann::json& text) { return std::stod(text.get<std::string>()); };
    for (const std::size_t row : {0U, 1U}) {
        const double x = row == 0 ? 1 : 2;
        CHECK(check[row][0]["passed"] == true);
        CHECK(check[row][0]["verdict"] == "match");
        CHECK(number(check[row][0]["numeric"]) == doctest::Approx(2 * x).epsilon(1e-5));
        CHECK(number(check[row][0]["error"]) < 1e-9);
        CHECK(check[row][1]["passed"] == false);
        CHECK(check[row][1]["verdict"] == "wrong");
        CHECK(number(check[row][1]["numeric"]) == doctest::Approx(2 * (x + 2)).epsilon(1e-5));
    }
    CHECK(data["leaves"][1]["check"].is_null());
    CHECK(data_of(tape)["leaves"][0]["check"].is_null());
}

TEST_CASE("to_html: a loss that throws while it is checked leaves its leaf as it was") {
    const Tensor w = tensor({1.0, 2.0}, kFloat64).set_requires_grad();
    Tape tape({.watch = true});
    w.sum().backward();
    const auto fails = [&]() -> Tensor { return w.view({3}).sum(); };
    CHECK_THROWS_AS(data_of(tape, {.check = fails}), ShapeError);
    CHECK(w.detach().equal(tensor({1.0, 2.0}, kFloat64)));
}

TEST_CASE("to_html: large and odd values are summarised") {
    const Tensor x = arange(200).to(kFloat64).view({2, 10, 10}).set_requires_grad();
    Tape tape({.watch = true});
    const Tensor y = log(x - 1);  // -1 and 0 at the start: NaN, -inf
    const Tensor none = x.slice(0, 0, 0) * 2;
    const nlohmann::json data = data_of(tape);
    const nlohmann::json value = data["nodes"][1]["value"];
    CHECK(value["numbers"].size() == 6);
    CHECK(value["numbers"][1].size() == 5);
    CHECK(value["numbers"][0][0] == "nan");
    CHECK(value["numbers"][0][1] == "-inf");
    CHECK(value["numbers"][1][1] == "2.30259");  // log 10
    CHECK(value["not_finite"] == 2);
    CHECK(value["count"] == 200);
    CHECK(value["whole"] == false);
    CHECK(value["min"] == "0");
    CHECK(value["max"] == "5.28827");   // log 198
    CHECK(value["mean"] == "4.30626");  // log(198!) / 198
    CHECK(data["nodes"][3]["value"]["count"] == 0);
    const Tensor nothing = sqrt(x - 1000);
    CHECK_FALSE(data_of(tape)["nodes"][5]["value"].contains("mean"));  // there is none
    CHECK(data_of(tape)["nodes"][5]["value"]["numbers"][0][0] == "nan");
    CHECK(data["nodes"][1]["gradient"].is_null());
}

TEST_CASE("to_html: a tape that is not watched keeps no numbers and costs nothing") {
    const Tensor x = ones({3}).set_requires_grad();
    Tape tape;
    const Tensor y = exp(x);
    CHECK(tape.bytes_kept() == 12);
    const nlohmann::json data = data_of(tape);
    CHECK(data["watched"] == false);
    CHECK(data["nodes"][0]["value"].is_null());
    CHECK(data["nodes"][0]["bytes"] == 12);
}

TEST_CASE("to_html: watching changes no gradient, of any order") {
    const auto run = [](bool watch) {
        const Tensor x = tensor({0.3, -1.2}, kFloat64).set_requires_grad();
        Tape tape({.watch = watch});
        const Tensor first = grad({tanh(x).prod()}, {x}, {.create_graph = true})[0];
        const std::size_t size = tape.size();
        return std::pair(grad({square(first).sum()}, {x})[0].to_vector<double>(), size);
    };
    CHECK(run(true) == run(false));
}

TEST_CASE("to_html: a name cannot leave its place in the page") {
    const Tensor x = ones({1}).set_requires_grad();
    Tape tape;
    record("</script><b>\xff", x.detach().clone(), {{x, [](const Tensor& g) { return g; }}});
    CHECK(page_of(tape).find("</script><b>") == std::string::npos);
    CHECK(data_of(tape)["nodes"][0]["op"] == "</script><b>\xef\xbf\xbd");
    CHECK_THROWS_AS(tape.to_html("/no/such/directory/tape.html"), IoError);
}

TEST_CASE("to_html: every operation has the formula of its pullback") {
    for (const testing::Row& row : testing::all_rows()) {
        CHECK_MESSAGE(!detail::text_of(row.operation).pullback.empty(), row.operation,
                      ": its docstring has no equation for a gradient, such as x̄ = ȳ y.");
    }
    CHECK(detail::text_of("softmax").pullback == "x̄ = y (ȳ − Σ ȳ y).");
    CHECK(detail::text_of("relu_backward").pullback == "Of a cotangent v, ḡ = v where y > 0 or NaN, else 0.");
    CHECK(detail::text_of("no such operation").pullback.empty());
}
