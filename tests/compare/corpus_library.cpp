// The corpus for callers in other languages: each function, its gradient right or spoilt, and what reel says of it. Functions
// and mistakes are counted from 0; mistake −1 is none.
#include <algorithm>

#include "check/check.hpp"
#include "tests/check/corpus.hpp"

using namespace reel;
using namespace reel::testing;

namespace {

const std::vector<Case>& cases() {
    static const std::vector<Case> all = corpus();
    return all;
}

const Case& at(int function) { return cases()[static_cast<std::size_t>(function)]; }
const Mutation& mistake_at(int mistake) { return mutations()[static_cast<std::size_t>(mistake)]; }

Numbers gradient_of(int function, int mistake, Span x) {
    const Numbers right = at(function).g(x);
    return mistake < 0 ? right : mistake_at(mistake).of(right);
}
Span span_of(int function, const double* x) { return {x, at(function).x.size()}; }

}  // namespace

extern "C" {

int functions() { return static_cast<int>(cases().size()); }
int mistakes() { return static_cast<int>(mutations().size()); }
const char* kind(int function) { return at(function).kind.c_str(); }
const char* mistake_name(int mistake) { return mistake_at(mistake).name; }
int size(int function) { return static_cast<int>(at(function).x.size()); }
const double* point(int function) { return at(function).x.data(); }

double value(int function, const double* x) { return at(function).f(span_of(function, x)); }
void gradient(int function, int mistake, const double* x, double* out) {
    std::ranges::copy(gradient_of(function, mistake, span_of(function, x)), out);
}

/// Whether the mistake changes this gradient by more than the function's own noise hides.
int visible(int function, int mistake) {
    const Case& c = at(function);
    const Numbers right = c.g(c.x);
    const Numbers wrong = mistake_at(mistake).of(right);
    return wrong != right && !hidden(c, right, wrong);
}

int passes(int function, int mistake) {
    const Case& c = at(function);
    const auto g = [&](Span x) { return gradient_of(function, mistake, x); };
    return check::gradient(c.f, g, c.x, {.seed = 1}).passed;
}
}
