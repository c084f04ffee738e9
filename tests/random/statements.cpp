#include "tests/random/statements.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <sstream>

namespace reel::random_programs {

namespace {

using property::Draw;

Shape shape(const Sizes& sizes) { return {sizes}; }
std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }
Array nothing() { return {}; }
bool any(const Array&) { return true; }

// ---- How operands are drawn

bool one(const Scope& s, Statement& st, const std::function<bool(const Array&)>& fits = any) {
    st.in = {s.pick(fits)};
    return st.in[0] >= 0;
}
bool with_dim(const Scope& s, Statement& st) {
    if (!one(s, st, [](const Array& x) { return x.dim() > 0; })) return false;
    st.p = {s.draw().whole(0, s.at(st.in[0]).dim() - 1)};
    return true;
}
bool broadcasting(const Scope& s, Statement& st) {
    if (!one(s, st)) return false;
    const Sizes& first = s.at(st.in[0]).sizes;
    st.in.push_back(s.pick([&](const Array& y) {
        const Sizes both = common(first, y.sizes);
        return broadcasts(first, both) && broadcasts(y.sizes, both);
    }));
    return st.in[1] >= 0;
}
/// Something to write to: a leaf, which must be refused, only now and then.
bool target(const Scope& s, Statement& st) {
    const bool leaves = s.draw().chance(0.03);
    return one(s, st, [&](const Array& x) { return leaves || !x.memory->leaf; });
}
bool target_and_source(const Scope& s, Statement& st) {
    if (!target(s, st)) return false;
    st.in.push_back(s.pick([&](const Array& y) { return broadcasts(y.sizes, s.at(st.in[0]).sizes); }));
    return st.in[1] >= 0;
}
bool with_number(const Scope& s, Statement& st) {
    st.x = {s.draw().real(0.5, 2)};
    return target(s, st);
}
bool picks(const Scope& s, Statement& st, bool repeat) {
    if (!with_dim(s, st)) return false;
    const std::int64_t size = s.at(st.in[0]).sizes[at(st.p[0])];
    const std::vector<std::int64_t> order = s.draw().permutation(size);
    for (std::int64_t i = 0, n = s.draw().whole(1, size); i < n; ++i) {
        st.p.push_back(repeat ? s.draw().whole(0, size - 1) : order[at(i)]);
    }
    return true;
}
Tensor list(const Statement& st) { return tensor(std::vector<std::int64_t>(st.p.begin() + 1, st.p.end())); }
/// A mask over the elements: element i is picked where bit i of p[1] is set.
bool masked(const Scope& s, Statement& st) {
    if (!target(s, st)) return false;
    st.p = {s.draw().whole(0, 1 << std::min<std::size_t>(s.at(st.in[0]).numel(), 9))};
    st.x = {s.draw().real(-1, 1)};
    return true;
}
bool holds(const Statement& st, std::size_t i) { return (st.p[0] >> i) & 1; }
Tensor mask_of(const Tensor& x, const Statement& st) {
    std::vector<std::int64_t> bits;
    for (std::size_t i = 0; i < at(x.numel()); ++i) bits.push_back(holds(st, i));
    return tensor(bits).to(kBool).view(x.sizes());
}

// ---- Rules by kind

Rule unary(const std::string& name, const std::string& saves, Tensor (*library)(const Tensor&),
           Number (*model)(const Number&)) {
    return {"%r = " + name + "(%0)",
            2,
            false,
            [](const Scope& s, Statement& st) { return one(s, st); },
            [=](const Tensors& in, const Statement&) { return library(in[0]); },
            [=](const Arrays& in, const Statement&) {
                return make(in[0].sizes, in, [&](std::size_t i) { return model(in[0][i]); });
            },
            saves};
}

Rule binary(const std::string& op, const std::string& saves, Tensor (*library)(const Tensor&, const Tensor&),
            Number (*model)(const Number&, const Number&)) {
    return {"%r = %0 " + op + " %1",
            3,
            false,
            broadcasting,
            [=](const Tensors& in, const Statement&) { return library(in[0], in[1]); },
            [=](const Arrays& in, const Statement&) {
                const Sizes sizes = common(in[0].sizes, in[1].sizes);
                return make(sizes, in, [&](std::size_t i) {
                    return model(in[0][broadcast_element(in[0].sizes, sizes, i)],
                                 in[1][broadcast_element(in[1].sizes, sizes, i)]);
                });
            },
            saves};
}

using Fold = std::function<Number(const std::vector<Number>&)>;

Number sum_of(const std::vector<Number>& x) { return std::accumulate(x.begin(), x.end(), Number()); }
Number largest(const std::vector<Number>& x) {
    Number most = x[0];
    for (std::size_t i = 1; i < x.size(); ++i) most = less(most, x[i]) ? x[i] : most;
    return most;
}
Number log_sum_exp(const std::vector<Number>& x) {
    Number sum;
    for (const Number& each : x) sum = sum + exp(each);
    return log(sum);
}
std::vector<Number> numbers(const Array& x, const std::vector<std::size_t>& elements) {
    std::vector<Number> list;
    for (const std::size_t i : elements) list.push_back(x[i]);
    return list;
}

Rule reduction(const std::string& name, const std::string& saves,
               Tensor (*library)(const Tensor&, std::int64_t), const Fold& model) {
    return {"%r = %0." + name + "(%p)",
            1,
            false,
            with_dim,
            [=](const Tensors& in, const Statement& st) { return library(in[0], st.p[0]); },
            [=](const Arrays& in, const Statement& st) {
                Sizes kept = in[0].sizes;
                kept[at(st.p[0])] = 1;
                const Sizes sizes = without(kept, st.p[0]);
                return make(sizes, in, [&](std::size_t i) {
                    std::vector<std::int64_t> index = index_of(i, sizes);
                    index.insert(index.begin() + st.p[0], 0);
                    const std::size_t first = element_at(index, in[0].sizes);
                    return model(numbers(in[0], fibre(in[0].sizes, st.p[0], first)));
                });
            },
            saves};
}

/// Along a dimension: element k of a fibre is model(fibre, k).
Rule along(const std::string& name, const std::string& saves, Tensor (*library)(const Tensor&, std::int64_t),
           Number (*model)(const std::vector<Number>&, std::size_t)) {
    return {"%r = %0." + name + "(%p)",
            1,
            false,
            with_dim,
            [=](const Tensors& in, const Statement& st) { return library(in[0], st.p[0]); },
            [=](const Arrays& in, const Statement& st) {
                return make(in[0].sizes, in, [&](std::size_t i) {
                    const auto k = index_of(i, in[0].sizes)[at(st.p[0])];
                    return model(numbers(in[0], fibre(in[0].sizes, st.p[0], i)), at(k));
                });
            },
            saves};
}

Rule in_place(const std::string& text, const std::string& saves,
              const Tensor& (*library)(const Tensor&, const Tensor&),
              Number (*model)(const Number&, const Number&)) {
    return {text,
            6,
            true,
            target_and_source,
            [=](const Tensors& in, const Statement&) {
                library(in[0], in[1]);
                return Tensor();
            },
            [=](const Arrays& in, const Statement& st) {
                write(in[0], in, st.id, [&](std::size_t i) {
                    return model(in[0][i], in[1][broadcast_element(in[1].sizes, in[0].sizes, i)]);
                });
                return nothing();
            },
            saves};
}

Rule in_place_number(const std::string& text, const Tensor& (*library)(const Tensor&, double),
                     Number (*model)(const Number&, double)) {
    return {text,
            5,
            true,
            with_number,
            [=](const Tensors& in, const Statement& st) {
                library(in[0], st.x[0]);
                return Tensor();
            },
            [=](const Arrays& in, const Statement& st) {
                write(in[0], {}, st.id, [&](std::size_t i) { return model(in[0][i], st.x[0]); });
                return nothing();
            }};
}

Rule view_rule(const std::string& text, const std::function<bool(const Scope&, Statement&)>& draw,
               const std::function<Tensor(const Tensor&, const Statement&)>& library,
               const std::function<Array(const Array&, const Statement&)>& model,
               const std::string& saves = "") {
    return {text,
            5,
            false,
            draw,
            [=](const Tensors& in, const Statement& st) { return library(in[0], st); },
            [=](const Arrays& in, const Statement& st) { return model(in[0], st); },
            saves};
}

/// A view whose element with index `j` is the one of `x` with index f(j).
Array moved(const Array& x, const Sizes& sizes,
            const std::function<std::vector<std::int64_t>(std::vector<std::int64_t>)>& f) {
    return view(x, sizes, [&](std::size_t i) { return element_at(f(index_of(i, sizes)), x.sizes); });
}

Array picked(const Array& x, const Statement& st) {
    const std::size_t d = at(st.p[0]);
    Sizes sizes = x.sizes;
    sizes[d] = static_cast<std::int64_t>(st.p.size()) - 1;
    return moved(x, sizes, [&](std::vector<std::int64_t> j) {
        j[d] = st.p[at(j[d]) + 1];
        return j;
    });
}

Array selected(const Array& x, std::int64_t dim, std::int64_t index) {
    return moved(x, without(x.sizes, dim), [&](std::vector<std::int64_t> j) {
        j.insert(j.begin() + dim, index);
        return j;
    });
}

bool place_along(const Scope& s, Statement& st) {
    if (!with_dim(s, st)) return false;
    st.p.push_back(s.draw().whole(0, s.at(st.in[0]).sizes[at(st.p[0])] - 1));
    return true;
}

bool run_along(const Scope& s, Statement& st) {
    if (!place_along(s, st)) return false;
    st.p.push_back(s.draw().whole(1, s.at(st.in[0]).sizes[at(st.p[0])] - st.p[1]));
    return true;
}

/// A statement that looks, and must change nothing.
Rule look(const std::string& text, const std::function<void(const Tensor&)>& library) {
    return {text,
            4,
            false,
            [](const Scope& s, Statement& st) { return one(s, st); },
            [=](const Tensors& in, const Statement&) {
                library(in[0]);
                return Tensor();
            },
            [](const Arrays&, const Statement&) { return nothing(); }};
}

bool pick_dependent(const Scope& s, Statement& st) {
    return one(s, st, [](const Array& x) { return x.depends(); });
}

std::vector<Rule> pointwise_rules() {
    return {
        unary(
            "neg", "", [](const Tensor& x) { return -x; }, [](const Number& x) { return x * -1; }),
        unary("tanh", "r", reel::tanh, random_programs::tanh),
        unary("sin", "0", reel::sin, random_programs::sin),
        unary("square", "0", square, [](const Number& x) { return x * x; }),
        unary(
            "exp(tanh", "r", [](const Tensor& x) { return exp(tanh(x)); },
            [](const Number& x) { return exp(tanh(x)); }),
        unary("relu", "r", relu, [](const Number& x) { return less(x, 0) ? Number(0) : x; }),
        unary("round", "", round,
              [](const Number& x) {
                  less(x - std::floor(x.x), 0.5);
                  return Number(std::nearbyint(x.x));
              }),
        unary(
            "clone", "", [](const Tensor& x) { return x.clone(); }, [](const Number& x) { return x; }),
        binary(
            "+", "", [](const Tensor& a, const Tensor& b) { return a + b; },
            [](const Number& a, const Number& b) { return a + b; }),
        binary(
            "-", "", [](const Tensor& a, const Tensor& b) { return a - b; },
            [](const Number& a, const Number& b) { return a - b; }),
        binary("*", "x", mul, [](const Number& a, const Number& b) { return a * b; }),
        binary(
            "/ (2 + sin", "1r", [](const Tensor& a, const Tensor& b) { return a / (2 + sin(b)); },
            [](const Number& a, const Number& b) { return a / (Number(2) + sin(b)); }),
        binary("maximum", "01", maximum, [](const Number& a, const Number& b) { return less(a, b) ? b : a; }),
    };
}

std::vector<Rule> reduction_rules() {
    return {
        reduction(
            "sum", "", [](const Tensor& x, std::int64_t d) { return x.sum(d); }, sum_of),
        reduction(
            "mean", "", [](const Tensor& x, std::int64_t d) { return x.mean(d); },
            [](const std::vector<Number>& x) { return sum_of(x) * (1 / static_cast<double>(x.size())); }),
        reduction(
            "prod", "0r", [](const Tensor& x, std::int64_t d) { return x.prod(d); },
            [](const std::vector<Number>& x) {
                return std::accumulate(x.begin(), x.end(), Number(1),
                                       [](const Number& a, const Number& b) { return a * b; });
            }),
        reduction(
            "amax", "0r", [](const Tensor& x, std::int64_t d) { return x.amax(d); }, largest),
        reduction(
            "logsumexp", "0r", [](const Tensor& x, std::int64_t d) { return x.logsumexp(d); }, log_sum_exp),
        along(
            "softmax", "r", [](const Tensor& x, std::int64_t d) { return x.softmax(d); },
            [](const std::vector<Number>& x, std::size_t k) { return exp(x[k] - log_sum_exp(x)); }),
        along(
            "log_softmax", "r", [](const Tensor& x, std::int64_t d) { return x.log_softmax(d); },
            [](const std::vector<Number>& x, std::size_t k) { return x[k] - log_sum_exp(x); }),
        along(
            "cumsum", "", [](const Tensor& x, std::int64_t d) { return x.cumsum(d); },
            [](const std::vector<Number>& x, std::size_t k) {
                return sum_of({x.begin(), x.begin() + static_cast<std::ptrdiff_t>(k) + 1});
            }),
        along(
            "sort", "", [](const Tensor& x, std::int64_t d) { return x.sort(d).values; },
            [](const std::vector<Number>& x, std::size_t k) {
                std::vector<Number> sorted = x;
                std::sort(sorted.begin(), sorted.end(), less);
                return sorted[k];
            }),
        {"%r = matmul(%0, %1)", 3, false,
         [](const Scope& s, Statement& st) {
             if (!one(s, st, [](const Array& x) { return x.dim() == 2; })) return false;
             st.in.push_back(s.pick(
                 [&](const Array& y) { return y.dim() == 2 && y.sizes[0] == s.at(st.in[0]).sizes[1]; }));
             return st.in[1] >= 0;
         },
         [](const Tensors& in, const Statement&) { return matmul(in[0], in[1]); },
         [](const Arrays& in, const Statement&) {
             const Sizes sizes = {in[0].sizes[0], in[1].sizes[1]};
             return make(sizes, in, [&](std::size_t i) {
                 const std::vector<std::int64_t> index = index_of(i, sizes);
                 Number sum;
                 for (std::int64_t k = 0; k < in[0].sizes[1]; ++k) {
                     sum = sum + in[0][element_at({index[0], k}, in[0].sizes)] *
                                     in[1][element_at({k, index[1]}, in[1].sizes)];
                 }
                 return sum;
             });
         },
         "x"},
        {"%r = %0.index_select(dim, places: %p)", 2, false,
         [](const Scope& s, Statement& st) { return picks(s, st, true); },
         [](const Tensors& in, const Statement& st) { return in[0].index_select(st.p[0], list(st)); },
         [](const Arrays& in, const Statement& st) {
             const Array there = picked(in[0], st);
             return make(there.sizes, in, [&](std::size_t i) { return there[i]; });
         }},
    };
}

std::vector<Rule> view_rules() {
    return {
        view_rule(
            "%r = %0.select(%p)", place_along,
            [](const Tensor& x, const Statement& st) { return x.select(st.p[0], st.p[1]); },
            [](const Array& x, const Statement& st) { return selected(x, st.p[0], st.p[1]); }),
        view_rule(
            "%r = %0.narrow(%p)", run_along,
            [](const Tensor& x, const Statement& st) { return x.narrow(st.p[0], st.p[1], st.p[2]); },
            [](const Array& x, const Statement& st) {
                Sizes sizes = x.sizes;
                sizes[at(st.p[0])] = st.p[2];
                return moved(x, sizes, [&](std::vector<std::int64_t> j) {
                    j[at(st.p[0])] += st.p[1];
                    return j;
                });
            }),
        view_rule(
            "%r = %0.flip(%p)", with_dim,
            [](const Tensor& x, const Statement& st) { return x.flip(st.p[0]); },
            [](const Array& x, const Statement& st) {
                return moved(x, x.sizes, [&](std::vector<std::int64_t> j) {
                    j[at(st.p[0])] = x.sizes[at(st.p[0])] - 1 - j[at(st.p[0])];
                    return j;
                });
            }),
        view_rule(
            "%r = %0.transpose(0, %p)", with_dim,
            [](const Tensor& x, const Statement& st) { return x.transpose(0, st.p[0]); },
            [](const Array& x, const Statement& st) {
                Sizes sizes = x.sizes;
                std::swap(sizes[0], sizes[at(st.p[0])]);
                return moved(x, sizes, [&](std::vector<std::int64_t> j) {
                    std::swap(j[0], j[at(st.p[0])]);
                    return j;
                });
            }),
        view_rule(
            "%r = %0.unsqueeze(0)",
            [](const Scope& s, Statement& st) {
                return one(s, st, [](const Array& x) { return x.dim() < 3; });
            },
            [](const Tensor& x, const Statement&) { return x.unsqueeze(0); },
            [](const Array& x, const Statement&) {
                Sizes sizes = x.sizes;
                sizes.insert(sizes.begin(), 1);
                return view(x, sizes, [](std::size_t i) { return i; });
            }),
        view_rule(
            "%r = %0.expand(2, ...)",
            [](const Scope& s, Statement& st) {
                return one(s, st, [](const Array& x) { return x.dim() < 2 && x.numel() < 5; });
            },
            [](const Tensor& x, const Statement&) {
                Sizes sizes = x.sizes().vec();
                sizes.insert(sizes.begin(), 2);
                return x.expand(sizes);
            },
            [](const Array& x, const Statement&) {
                Sizes sizes = x.sizes;
                sizes.insert(sizes.begin(), 2);
                return view(x, sizes, [&](std::size_t i) { return i % x.numel(); });
            }),
        view_rule(
            "%r = %0.index({Ellipsis})", [](const Scope& s, Statement& st) { return one(s, st); },
            [](const Tensor& x, const Statement&) { return x.index({Ellipsis}); },
            [](const Array& x, const Statement&) {
                return view(x, x.sizes, [](std::size_t i) { return i; });
            }),
        view_rule(
            "%r = %0.detach()",
            [](const Scope& s, Statement& st) { return s.draw().chance(0.3) && one(s, st); },
            [](const Tensor& x, const Statement&) { return x.detach(); },
            [](const Array& x, const Statement&) {
                Array y = x;
                y.memory = std::make_shared<Memory>();
                y.memory->values = x.memory->values;
                y.memory->slopes.resize(x.memory->values->x.size());
                return y;
            }),
        view_rule(
            "%r = checkpoint(identity, %0)", pick_dependent,
            [](const Tensor& x, const Statement&) {
                return checkpoint([](const Tensor& t) { return t; }, x);
            },
            [](const Array& x, const Statement&) {
                return view(x, x.sizes, [](std::size_t i) { return i; });
            },
            "0"),
    };
}

std::vector<Rule> write_rules() {
    return {
        in_place(
            "%0.copy_(%1)", "", [](const Tensor& a, const Tensor& b) -> const Tensor& { return a.copy_(b); },
            [](const Number&, const Number& b) { return b; }),
        in_place(
            "%0.add_(%1)", "", [](const Tensor& a, const Tensor& b) -> const Tensor& { return a.add_(b); },
            [](const Number& a, const Number& b) { return a + b; }),
        in_place(
            "%0.mul_(%1)", "1", [](const Tensor& a, const Tensor& b) -> const Tensor& { return a.mul_(b); },
            [](const Number& a, const Number& b) { return a * b; }),
        in_place_number(
            "%0.mul_(%x)", [](const Tensor& a, double b) -> const Tensor& { return a.mul_(b); },
            [](const Number& a, double b) { return a * b; }),
        in_place_number(
            "%0.div_(%x)", [](const Tensor& a, double b) -> const Tensor& { return a.div_(b); },
            [](const Number& a, double b) { return a * (1 / b); }),
        in_place_number(
            "%0.add_(%x)", [](const Tensor& a, double b) -> const Tensor& { return a.add_(b); },
            [](const Number& a, double b) { return a + b; }),
        in_place_number(
            "%0.fill_(%x)", [](const Tensor& a, double b) -> const Tensor& { return a.fill_(b); },
            [](const Number&, double b) { return Number(b); }),
        {"%0.masked_fill_(bits %p, %x)", 4, true, masked,
         [](const Tensors& in, const Statement& st) {
             in[0].masked_fill_(mask_of(in[0], st), st.x[0]);
             return Tensor();
         },
         [](const Arrays& in, const Statement& st) {
             write(in[0], {}, st.id,
                   [&](std::size_t i) { return holds(st, i) ? Number(st.x[0]) : in[0][i]; });
             return nothing();
         }},
        {"%0.index_put_(dim, places: %p, %x)", 4, true,
         [](const Scope& s, Statement& st) {
             st.x = {s.draw().real(-1, 1)};
             return picks(s, st, false) && !s.at(st.in[0]).memory->leaf;
         },
         [](const Tensors& in, const Statement& st) {
             in[0].transpose(0, st.p[0]).index_put_({list(st)}, st.x[0]);
             return Tensor();
         },
         [](const Arrays& in, const Statement& st) {
             check_writable(in[0]);
             const Array there = picked(in[0], st);
             write(there, {}, st.id, [&](std::size_t) { return Number(st.x[0]); });
             return nothing();
         }},
    };
}

std::vector<Rule> looking_rules() {
    return {
        look("%0.requires_grad()", [](const Tensor& x) { x.requires_grad(); }),
        look("{ NoGradGuard guard; %0 * 2; }",
             [](const Tensor& x) {
                 const NoGradGuard guard;
                 x * 2;
             }),
        look("{ Tape inner; %0 * 2; }",
             [](const Tensor& x) {
                 const Tape inner;
                 x * 2;
             }),
        look("{ Tape inner; %0.requires_grad(); }",
             [](const Tensor& x) {
                 const Tape inner;
                 x.requires_grad();
             }),
        look("gradcheck-like: vjp of t * %0",
             [](const Tensor& x) { vjp([&](const Tensor& t) { return (t * x).sum(); }, ones_like(x)); }),
        {"%r = checkpoint(t -> tanh(t) * %1, %0)", 2, false,
         [](const Scope& s, Statement& st) {
             if (!broadcasting(s, st)) return false;
             return s.at(st.in[0]).depends();
         },
         [](const Tensors& in, const Statement&) {
             return checkpoint([w = in[1]](const Tensor& t) { return tanh(t) * w; }, in[0]);
         },
         [](const Arrays& in, const Statement&) {
             const Sizes sizes = common(in[0].sizes, in[1].sizes);
             return make(sizes, in, [&](std::size_t i) {
                 return tanh(in[0][broadcast_element(in[0].sizes, sizes, i)]) *
                        in[1][broadcast_element(in[1].sizes, sizes, i)];
             });
         },
         "01"},
        {"{ Tape inner; %0.unsqueeze(0).mul_(%x); }", 4, true, with_number,
         [](const Tensors& in, const Statement& st) {
             const Tape inner;
             in[0].unsqueeze(0).mul_(st.x[0]);
             return Tensor();
         },
         [](const Arrays& in, const Statement& st) {
             if (in[0].depends()) throw Refused();
             write(in[0], {}, st.id, [&](std::size_t i) { return in[0][i] * st.x[0]; });
             return nothing();
         }},
        {"%r = zeros(%p)", 1, false,
         [](const Scope& s, Statement& st) {
             st.p = s.draw().pick<Sizes>({{3}, {2, 3}, {}, {2}});
             return true;
         },
         [](const Tensors&, const Statement& st) { return zeros(shape(st.p), kFloat64); },
         [](const Arrays&, const Statement& st) {
             return make(st.p, {}, [](std::size_t) { return Number(); });
         }},
    };
}

}  // namespace

int Scope::pick(const std::function<bool(const Array&)>& fits) const {
    std::vector<int> fitting;
    for (std::size_t i = 0; i < values_.size(); ++i) {
        if (values_[i] && fits(values_[i])) fitting.push_back(static_cast<int>(i));
    }
    if (fitting.empty()) return -1;
    const auto last = static_cast<std::int64_t>(fitting.size()) - 1;
    const std::int64_t first = draw_.chance(0.5) ? std::max<std::int64_t>(last - 3, 0) : 0;
    return fitting[static_cast<std::size_t>(draw_.whole(first, last))];
}

void save(const Statement& statement, const Arrays& in, const std::vector<int>& written,
          const Array& result) {
    std::vector<Saved>& saved = result.memory->saved;
    const auto operand = [&](std::size_t i) { saved.push_back({in[i].memory->values, written[i]}); };
    for (const Array& x : in) {
        if (x.memory == result.memory || !x.depends()) continue;
        saved.insert(saved.end(), x.memory->saved.begin(), x.memory->saved.end());
    }
    for (const char what : statement.rule->saves) {
        if (what == 'r') saved.push_back({result.memory->values, result.memory->values->written});
        if (what == '0' || (what == 'x' && in[1].depends())) operand(0);
        if (what == '1' || (what == 'x' && in[0].depends())) operand(1);
    }
}

const std::vector<Rule>& rules() {
    static const std::vector<Rule> all = [] {
        std::vector<Rule> list;
        for (auto part : {pointwise_rules, reduction_rules, view_rules, write_rules, looking_rules}) {
            for (Rule& rule : part()) list.push_back(std::move(rule));
        }
        return list;
    }();
    return all;
}

const Rule& leaf_rule() {
    static const Rule rule = {"%r = leaf of sizes {%p}: %x",
                              0,
                              false,
                              {},
                              [](const Tensors&, const Statement& st) {
                                  return tensor(st.x, kFloat64).view(shape(st.p)).set_requires_grad();
                              },
                              [](const Arrays&, const Statement& st) {
                                  Array leaf = make(st.p, {}, [&](std::size_t i) { return Number(st.x[i]); });
                                  leaf.memory->leaf = true;
                                  return leaf;
                              }};
    return rule;
}

std::string text_of(const Statement& statement) {
    const auto joined = [](const auto& list) {
        std::ostringstream out;
        for (std::size_t i = 0; i < list.size(); ++i) out << (i ? ", " : "") << list[i];
        return out.str();
    };
    std::string text = statement.rule->text;
    const auto put = [&](const std::string& word, const std::string& value) {
        for (std::size_t i = text.find(word); i != std::string::npos; i = text.find(word)) {
            text.replace(i, word.size(), value);
        }
    };
    put("%r", "v" + std::to_string(statement.id));
    for (std::size_t i = 0; i < statement.in.size(); ++i) {
        put("%" + std::to_string(i), "v" + std::to_string(statement.in[i]));
    }
    put("%p", joined(statement.p));
    put("%x", joined(statement.x));
    return text +
           (std::count(text.begin(), text.end(), '(') > std::count(text.begin(), text.end(), ')') ? ")" : "");
}

}  // namespace reel::random_programs
