// Temperature: softmax(logits / T). Low T is peaked, high T is uniform. Prints the probabilities as bars, and
// draws them with gnuplot where a file is named. Every number printed here is a test in
// tests/seeds/softmax_test.cpp. Next: 01_names.cpp samples with it.
#include <CLI/CLI.hpp>
#include <iomanip>
#include <iostream>

#include "show.hpp"
#include "teaching.hpp"

using namespace reel;
using examples::Figure;

namespace {

const std::vector<double> kTemperatures = {0.1, 0.5, 1, 2, 5};

void print_bars(double temperature, const Tensor& p) {
    std::cout << "\nT = " << std::defaultfloat << temperature << "\n" << std::fixed << std::setprecision(6);
    for (const double value : p.to_vector<double>()) {
        const auto length = static_cast<std::size_t>(value * 60 + 0.5);
        std::cout << "  " << value << " " << std::string(length, '#') << "\n";
    }
}

// Five panels side by side with one y axis.
void draw(const std::string& path, const Tensor& logits) {
    Figure figure(900, 320);
    figure << R"(
        set multiplot layout 1,5 title "{/:Bold softmax([2, 1, 0.5, 0.1] / T)}" margins 0.09,0.98,0.2,0.76 spacing 0.02
        set style fill solid 0.8 noborder
        set boxwidth 0.8
        set grid ytics
        set xrange [-0.6:3.6]
        set yrange [0:1]
        set xtics 1
        set xlabel "class"
        set ylabel "probability"
        unset key
    )";
    for (const double temperature : kTemperatures) {
        figure.data("bars", softmax(logits / temperature, -1).unsqueeze(1));
        figure << "set title 'T = " << temperature << "'\n"
               << "plot $bars using 0:1 with boxes linecolor '#3070b0'\n"
               << "set format y ''\nunset ylabel\n";  // the first panel's axis is everybody's
    }
    figure.draw(path);
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Shows what the temperature does to a softmax.");
    std::string figure;
    app.add_option("--figure", figure, "an SVG or PNG file to draw to, with gnuplot");
    CLI11_PARSE(app, argc, argv);

    const Tensor logits = tensor({2.0, 1.0, 0.5, 0.1});
    std::cout << "softmax(logits / T) of " << logits << "\n";
    for (const double temperature : kTemperatures)
        print_bars(temperature, teaching::softmax_temperature(logits, temperature));

    const Tensor after = softmax(logits, -1) / 2;
    std::cout << "\nDivided after the softmax it is no distribution: it sums to "
              << after.sum().item<double>() << "\n";
    try {
        if (!figure.empty()) draw(figure, logits);
    } catch (const std::exception& error) {
        std::cerr << "05_temperature: " << error.what() << "\n";
        return 1;
    }
}
