// Temperature: softmax(logits / T). Low T is peaked, high T is uniform. Prints the probabilities as bars, and
// draws them with gnuplot where a file is named. Every number printed here is a test in
// tests/seeds/softmax_test.cpp. Next: 01_names.cpp samples with it.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <iomanip>
#include <iostream>
#include <stdexcept>

#include "teaching.hpp"

using namespace reel;

namespace {

const std::vector<double> kTemperatures = {0.1, 0.5, 1, 2, 5};

void print_bars(double temperature, const Tensor& p) {
    std::cout << "\nT = " << std::defaultfloat << temperature << "\n" << std::fixed << std::setprecision(6);
    for (const double value : p.to_vector<double>()) {
        const auto length = static_cast<std::size_t>(value * 60 + 0.5);
        std::cout << "  " << value << " " << std::string(length, '#') << "\n";
    }
}

// Five panels side by side with one y axis, as SVG.
void draw(const std::string& path, const Tensor& logits) {
    std::string script =
        "set terminal svg size 1000,260\nset output '" + path +
        "'\nset multiplot layout 1,5\nset yrange [0:1]\nset style fill solid\nset boxwidth 0.8\n"
        "unset key\nset xlabel 'class'\nset xtics 0,1,3\n";
    for (const double temperature : kTemperatures) {
        script += "set title 'T = " + std::to_string(temperature).substr(0, 3) + "'\nplot '-' with boxes\n";
        for (const double p : softmax(logits / temperature, -1).to_vector<double>())
            script += std::to_string(p) + "\n";
        script += "e\nset format y ''\n";  // the first panel's axis is everybody's
    }
    FILE* gnuplot = popen("gnuplot", "w");
    if (gnuplot) std::fputs(script.c_str(), gnuplot);
    if (!gnuplot || pclose(gnuplot) != 0)
        throw std::runtime_error("gnuplot failed; where it is missing: apt-get install gnuplot-nox");
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Shows what the temperature does to a softmax.");
    std::string figure;
    app.add_option("--figure", figure, "an SVG file to draw to, with gnuplot");
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
