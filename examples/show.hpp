// What the examples show beside text: where a loop stands, and figures, which gnuplot draws.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <reel.hpp>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace examples {

/// Shows where training stands: a bar that moves on a terminal, ten lines in a file.
class Progress {
public:
    Progress(std::string name, std::int64_t steps) : name_(std::move(name)), steps_(steps) {}

    /// Step `step` of 1 … steps is done: called for each. The loss is shown as a running mean.
    void show(std::int64_t step, double loss) {
        ++shows_;
        mean_ += std::max(kSmooth, 1 / static_cast<double>(shows_)) * (loss - mean_);
        const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
        const bool last = step == steps_;
        const bool due =
            terminal_ ? seconds > shown_ + kRedraw : step % std::max<std::int64_t>(steps_ / kLines, 1) == 0;
        if (!due && !last) return;
        shown_ = seconds;
        const double left = seconds / static_cast<double>(shows_) * static_cast<double>(steps_ - step);
        std::ostringstream line;
        line << std::left << std::setw(10) << name_ << std::right << bar(step) << "  step " << std::setw(5)
             << step << "/" << steps_ << std::fixed << std::setprecision(4) << "  loss " << mean_
             << std::setprecision(1) << "  " << (last ? seconds : left) << (last ? " s in all" : " s left");
        if (terminal_) std::cout << "\r" << line.str() << (last ? "\n" : "    ") << std::flush;
        if (!terminal_) std::cout << line.str() << std::endl;
    }

private:
    std::string bar(std::int64_t step) const {
        const auto done = static_cast<std::size_t>(kWidth * step / steps_);
        return terminal_ ? " [" + std::string(done, '#') + std::string(kWidth - done, '.') + "]" : "";
    }

    using Clock = std::chrono::steady_clock;
    static constexpr double kSmooth = 0.02;
    static constexpr double kRedraw = 0.1;  // seconds
    static constexpr std::int64_t kLines = 10, kWidth = 24;
    std::string name_;
    std::int64_t steps_;
    std::int64_t shows_ = 0;  // less than the steps where training is resumed
    bool terminal_ = isatty(STDOUT_FILENO) != 0;
    double mean_ = 0;
    double shown_ = 0;
    Clock::time_point start_ = Clock::now();
};

/// A figure in gnuplot's words: `figure << "plot $curve with lines\n"`, with the data that they name.
class Figure {
public:
    Figure(int width, int height) : size_(std::to_string(width) + "," + std::to_string(height)) {}

    template <class T>
    Figure& operator<<(const T& words) {
        script_ << words;
        return *this;
    }

    /// Rows of numbers as the data block $name.
    void data(const std::string& name, const std::vector<std::vector<double>>& rows) {
        script_ << "$" << name << " << EOD\n";
        for (const auto& row : rows) {
            for (const double value : row) script_ << value << " ";
            script_ << "\n";
        }
        script_ << "EOD\n";
    }
    void data(const std::string& name, const reel::Tensor& matrix) {
        std::vector<std::vector<double>> rows;
        for (const reel::Tensor& row : matrix.unbind(0)) rows.push_back(row.to_vector<double>());
        data(name, rows);
    }

    /// Draws to an SVG or PNG file. Where there is no gnuplot, writes what it would have drawn, data and all,
    /// to a file beside it.
    void draw(const std::string& path) const {
        const std::string script = (path.ends_with(".png") ? kPng : kSvg) + " size " + size_ +
                                   " background 'white'\nset output '" + path + "'\n" + kStyle +
                                   script_.str();
        if (std::system("command -v gnuplot >/dev/null 2>&1") != 0) {
            std::ofstream(path + ".gnuplot") << script;
            std::cout << "no gnuplot to draw " << path << " (apt-get install gnuplot-nox): wrote " << path
                      << ".gnuplot\n";
            return;
        }
        FILE* gnuplot = popen("gnuplot", "w");
        if (gnuplot != nullptr) std::fputs(script.c_str(), gnuplot);
        if (gnuplot == nullptr || pclose(gnuplot) != 0)
            throw std::runtime_error("gnuplot cannot draw " + path);
        std::cout << "drew " << path << "\n";
    }

private:
    inline static const std::string kPng = "set terminal pngcairo font 'Arial,10'";
    inline static const std::string kSvg = "set terminal svg font 'Arial,13'";
    inline static const std::string kStyle = "set border 3\nset tics nomirror out\n";
    std::string size_;
    std::ostringstream script_;
};

}  // namespace examples
