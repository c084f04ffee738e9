// `reel gradcheck`: the rows of the gradient-check table (tests/gradients/), a line for each operation.
#include <cmath>
#include <iomanip>
#include <map>
#include <ostream>
#include <sstream>

#include "cli/commands.hpp"
#include "cli/table.hpp"

namespace reel::cli {

namespace {

/// What the checks of one order have found in all rows of an operation.
class Summary {
public:
    void add(const GradcheckReport& report) {
        for (const GradcheckInput& input : report.inputs) {
            kinks_ += input.count(Verdict::kKink);
            const verdicts::Element* worst = input.report.worst();
            if (worst == nullptr) continue;
            const double error = std::abs(worst->analytic - worst->numeric);
            const bool worse = input.verdict != verdict_ ? input.verdict > verdict_ || empty_
                                                         : empty_ || error * bar_ >= error_ * worst->error;
            empty_ = false;
            if (!worse) continue;
            verdict_ = input.verdict;
            error_ = error;
            bar_ = worst->error;
        }
    }
    /// Verdict, worst error, its error bar, kinks.
    void print(Line& line) const {
        if (empty_) {
            line.insert(line.end(), {"-", "-", "-", "-"});
        } else {
            line.insert(line.end(),
                        {to_string(verdict_), number(error_), number(bar_), std::to_string(kinks_)});
        }
    }

private:
    static std::string number(double value) {
        std::ostringstream out;
        out << std::scientific << std::setprecision(1) << value;
        return out.str();
    }

    bool empty_ = true;
    Verdict verdict_ = Verdict::kMatch;
    double error_ = 0;
    double bar_ = 0;
    std::size_t kinks_ = 0;
};

std::string plural(std::size_t count, const std::string& noun) {
    return std::to_string(count) + noun + (count == 1 ? "" : "s");
}

struct Operation {
    std::size_t rows = 0;
    Summary first;
    Summary second;
};

}  // namespace

int gradcheck(const testing::Rows& rows, const std::string& filter, std::ostream& out) {
    std::map<std::string, Operation> operations;
    std::vector<GradcheckReport> failed;
    std::size_t count = 0;
    for (const testing::Row& row : rows) {
        if (row.operation.find(filter) == std::string::npos) continue;
        ++count;
        Operation& operation = operations[row.operation];
        ++operation.rows;
        const std::string name = row.operation + (row.variant.empty() ? "" : " (" + row.variant + ")");
        const auto check = [&](Summary& summary, GradcheckReport report) {
            summary.add(report);
            if (!report) failed.push_back(std::move(report));
        };
        check(operation.first, reel::gradcheck(row.f, row.inputs, {.name = name}));
        if (!row.second_order) continue;
        check(operation.second, gradgradcheck(row.f, row.inputs, {.name = "gradient of " + name}));
    }
    if (count == 0) {
        out << "reel gradcheck: no operation has '" << filter << "' in its name\n";
        return 1;
    }
    std::vector<Line> lines = {{"operation", "rows", "gradient", "worst error", "error bar", "kinks",
                                "its gradient", "worst error", "error bar", "kinks"}};
    for (const auto& [name, operation] : operations) {
        Line& line = lines.emplace_back(Line{name, std::to_string(operation.rows)});
        operation.first.print(line);
        operation.second.print(line);
    }
    print_table(out, lines);
    for (const GradcheckReport& report : failed) out << '\n' << report;
    out << '\n'
        << plural(operations.size(), " operation") << ", " << plural(count, " row") << ": "
        << (failed.empty() ? "every gradient is right" : plural(failed.size(), " check") + " failed") << '\n';
    return failed.empty() ? 0 : 1;
}

}  // namespace reel::cli
