// How a case of the battery is run and compared. What a case is stands in fixtures/battery/cases.py.
#include "tests/battery/battery.hpp"

#include <cstring>
#include <fstream>
#include <sstream>

#include "tests/battery/compare.hpp"

namespace reel::testing {

namespace {

using nlohmann::json;

/// fixtures/battery/<name>.json, read once.
const json& read(const std::string& name) {
    static std::map<std::string, json> files;
    const auto [file, is_new] = files.try_emplace(name);
    if (is_new) file->second = json::parse(std::ifstream(REEL_TESTS "/fixtures/battery/" + name + ".json"));
    return file->second;
}

// ---- Inputs -----------------------------------------------------------------------------------------------

/// Element k is number (at + k) mod n of the pool, rounded to the dtype.
Tensor from_pool(const json& pool, std::int64_t at, const Shape& sizes, DType dtype) {
    const auto fill = [&](auto zero) {
        using T = decltype(zero);
        const Tensor x = empty(sizes, dtype_of<T>());
        T* element = x.data_ptr<T>();
        for (std::int64_t k = 0; k < x.numel(); ++k) {
            const json& value = pool[static_cast<std::size_t>(at + k) % pool.size()];
            if constexpr (std::is_same_v<T, double>) {
                *element++ = number(value);
            } else {
                *element++ = value.is_boolean() ? value.get<bool>() : value.get<T>();
            }
        }
        return x.to(dtype);
    };
    return reel::is_floating_point(dtype) ? fill(double{}) : fill(std::int64_t{});
}

Tensor input(const json& spec, bool expanded) {
    const json& source = spec[2];
    const Tensor x = from_pool(source.is_string() ? read("pools")[source.get<std::string>()] : source,
                               spec[3], spec[1].get<std::vector<std::int64_t>>(), dtype_named(spec[0]));
    return expanded && x.dim() > 0 && x.size(0) > 0 ? x.narrow(0, 0, 1).expand(x.sizes()) : x;
}

Tensor cotangent(const Tensor& y, std::size_t at) {
    return from_pool(read("pools")["cotangent"], static_cast<std::int64_t>(at), y.sizes(), y.dtype());
}

// ---- The same elements with other strides
// ------------------------------------------------------------------

Tensor as_it_is(const Tensor& x) { return x; }

Tensor transposed(const Tensor& x) {
    return x.dim() < 2 ? x : x.transpose(0, -1).contiguous().transpose(0, -1);
}

/// Backwards along every dimension: negative strides.
Tensor flipped(const Tensor& x) {
    Shape dims;
    for (std::int64_t d = 0; d < x.dim(); ++d) dims.push_back(d);
    return x.flip(dims).contiguous().flip(dims);
}

/// Each second element of a larger tensor, behind some others.
Tensor sliced(const Tensor& x) {
    if (x.dim() == 0) return full({3}, 1, x.dtype()).select(0, 1).copy_(x);
    Shape sizes = x.sizes();
    sizes.back() = 2 * sizes.back() + 1;
    return full(sizes, 1, x.dtype()).slice(-1, 1, None, 2).copy_(x);
}

constexpr Tensor (*kLayouts[])(const Tensor&) = {as_it_is, transposed, flipped, sliced};
constexpr std::size_t kLayoutCount = std::size(kLayouts);

// ---- One case, in one layout ------------------------------------------------------------------------------

class Case {
public:
    Case(const json& data, const Operation& f, const Tolerance& tolerance, std::size_t layout,
         Mismatches& found)
        : data_(data), f_(f), tolerance_(tolerance), layout_(layout), mismatches_(found) {
        for (std::size_t i = 0; i < data["in"].size(); ++i) {
            // Neighbouring inputs have different layouts.
            const Tensor x =
                kLayouts[(layout + i) % kLayoutCount](input(data["in"][i], data.contains("expanded")));
            inputs_.push_back(x);
            before_.push_back(x.to_vector<double>());
            coarsen(x.dtype());
            if (data.contains("g") && !data["g"][i].is_null()) leaves_.push_back(x.set_requires_grad());
        }
    }

    void check() {
        try {
            check_results(f_(inputs_, data_.value("args", json::object())));
        } catch (const Error& error) {
            expect(data_.contains("throws"), "error", error.what());
        }
    }

private:
    template <class Detail>
    void expect(bool holds, const char* title, const Detail& detail) {
        if (holds) return;
        const json described = {data_["op"], data_.value("args", json::object()), data_["in"]};
        std::ostringstream text;
        text << described << " in layout " << layout_ << ", " << title << ": " << detail;
        mismatches_.push_back(text.str());
    }

    void check_results(const Outputs& y) {
        if (data_.contains("throws")) return expect(false, "value", "there should have been an error");
        if (y.size() != data_["y"].size()) return expect(false, "number of results", y.size());
        for (const Tensor& each : y) coarsen(each.dtype());
        check_inputs();
        for (std::size_t k = 0; k < y.size(); ++k) check_value(y[k], data_["y"][k]);
        if (data_.contains("g")) check_gradients(y);
    }

    /// No operation changes what it is given.
    void check_inputs() {
        for (std::size_t i = 0; i < inputs_.size(); ++i) {
            const std::vector<double> now = inputs_[i].to_vector<double>();
            const std::size_t bytes = now.size() * sizeof(double);  // bits are compared, for NaN is not NaN
            const bool same = bytes == 0 || std::memcmp(now.data(), before_[i].data(), bytes) == 0;
            expect(same, "input", inputs_[i]);
        }
    }

    void coarsen(DType dtype) {
        if (reel::is_floating_point(dtype) && significand_bits(dtype) < significand_bits(coarsest_))
            coarsest_ = dtype;
    }

    void check_value(const Tensor& y, const json& wanted) {
        const bool fits = y.sizes() == wanted[1].get<std::vector<std::int64_t>>();
        expect(y.dtype() == dtype_named(wanted[0]), "dtype", y.dtype());
        expect(fits, "shape", y.sizes());
        if (!fits) return;
        if (y.is_floating_point()) {
            const Worst worst = worst_of(y, wanted[2], y.dtype(), tolerance_.by_size);
            expect(worst.ulps <= (is_reduced(y.dtype()) ? tolerance_.value16 : tolerance_.value), "value",
                   worst);
        } else {
            expect(y.to_vector<std::int64_t>() == wanted[2].get<std::vector<std::int64_t>>(), "value", y);
        }
    }

    void check_gradients(const Outputs& y) {
        std::vector<Tensor> weights;
        for (std::size_t k = 0; k < y.size(); ++k) {
            weights.push_back(y[k].is_floating_point() ? cotangent(y[k], 7 * k) : Tensor());
        }
        const std::vector<Tensor> g = derivative(
            "gradient", "g", y, weights, is_reduced(coarsest_) ? tolerance_.first16 : tolerance_.first);
        if (!data_.contains("h")) return;
        weights.clear();
        for (std::size_t i = 0, k = 0; i < inputs_.size(); ++i) {
            if (!data_["g"][i].is_null()) weights.push_back(cotangent(g[k++], 11 * i + 3));
        }
        derivative("second gradient", "h", g, weights, tolerance_.second);
    }

    /// The gradient for the leaves of Σ weight · y, compared to the numbers under `key`.
    std::vector<Tensor> derivative(const char* title, const char* key, const std::vector<Tensor>& y,
                                   const std::vector<Tensor>& weights, double tolerance) {
        std::vector<Tensor> outputs;
        GradOptions options = {.create_graph = true, .allow_unused = true};
        for (std::size_t k = 0; k < y.size(); ++k) {
            if (!y[k].requires_grad()) continue;
            outputs.push_back(y[k]);
            options.grad_outputs.push_back(weights[k]);
        }
        std::vector<Tensor> found(leaves_.size());
        if (!outputs.empty()) found = grad(outputs, leaves_, options);
        std::size_t leaf = 0;
        for (const json& wanted : data_[key]) {
            if (wanted.is_null()) continue;
            Tensor& g = found[leaf];
            const Tensor& x = leaves_[leaf++];
            if (!g.defined()) g = zeros_like(x);
            const bool fits = g.dtype() == x.dtype() && g.sizes() == x.sizes();
            expect(fits, title, g);
            if (!fits) continue;
            const Worst worst = worst_of(g, wanted, coarsest_, true);
            expect(worst.ulps <= tolerance, title, worst);
        }
        return found;
    }

    const json& data_;
    const Operation& f_;
    const Tolerance& tolerance_;
    std::size_t layout_;
    Mismatches& mismatches_;
    const Tape tape_;
    DType coarsest_ = kFloat64;  ///< what gradients are rounded to on their way
    Inputs inputs_;
    std::vector<std::vector<double>> before_;
    std::vector<Tensor> leaves_;
};

}  // namespace

Scalar scalar(const Arguments& value) {
    if (value.is_boolean()) return value.get<bool>();
    return value.is_number_integer() ? Scalar(value.get<std::int64_t>()) : Scalar(number(value));
}

std::optional<Scalar> optional_scalar(const Arguments& args, const char* name) {
    if (!args.contains(name)) return None;
    return scalar(args[name]);
}

std::optional<double> optional_number(const Arguments& args, const char* name) {
    if (!args.contains(name)) return None;
    return number(args[name]);
}

Shape shape(const Arguments& args, const char* name) {
    if (!args.contains(name)) return {};
    if (args[name].is_number()) return {args[name].get<std::int64_t>()};
    return args[name].get<std::vector<std::int64_t>>();
}

std::optional<std::int64_t> integer(const Arguments& args, const char* name) {
    if (!args.contains(name)) return None;
    return args[name].get<std::int64_t>();
}

Mismatches mismatches(const std::string& family, const Table& table, const Tolerance& tolerance) {
    Mismatches found;
    for (const json& data : read(family)) {
        const auto f = table.find(data["op"].get<std::string>());
        if (f == table.end()) continue;
        const bool once = data.contains("expanded") || data.contains("throws");
        for (std::size_t layout = 0; layout < (once ? 1 : kLayoutCount); ++layout) {
            Case(data, f->second, tolerance, layout, found).check();
        }
    }
    return found;
}

std::set<std::string> operations_of(const std::string& family) {
    std::set<std::string> names;
    for (const json& data : read(family)) names.insert(data["op"].get<std::string>());
    return names;
}

}  // namespace reel::testing
