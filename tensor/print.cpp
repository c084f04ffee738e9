// Printing, by the rules of PyTorch's `torch/_tensor_str.py`: one format for all elements that are shown,
// found by looking at them; rows broken at the line width; long tensors summarised by their edges.
#include "tensor/print.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <mutex>
#include <ostream>

#include "tensor/tensor.hpp"

namespace reel {

namespace {

// What is printed stays a text that memory holds: no double has more digits after the point, and no summary
// shows more elements.
constexpr std::int64_t kMostDigits = 1074;
constexpr std::int64_t kMostSummarised = std::int64_t{1} << 20;

std::mutex settings_mutex;
PrintOptions settings = {4, 1000, 3, 80};  // all of them given

struct Option {
    const char* name;
    std::optional<std::int64_t> PrintOptions::*value;
    std::int64_t least;
};
constexpr Option kOptions[] = {{"precision", &PrintOptions::precision, 0},
                               {"threshold", &PrintOptions::threshold, 0},
                               {"edgeitems", &PrintOptions::edgeitems, 0},
                               {"linewidth", &PrintOptions::linewidth, 1}};

std::string spaces(std::int64_t count) {
    return std::string(static_cast<std::size_t>(std::max<std::int64_t>(count, 0)), ' ');
}

/// `value` with `precision` digits after the point; NaN without a sign, as Python writes it.
std::string formatted(std::chars_format style, std::int64_t precision, double value) {
    constexpr std::int64_t kLongest = 320;  // sign, digits before the point, exponent of any double
    if (std::isnan(value)) return "nan";
    std::string text(static_cast<std::size_t>(kLongest + precision), '\0');
    const auto [end, error] =
        std::to_chars(text.data(), text.data() + text.size(), value, style, static_cast<int>(precision));
    text.resize(static_cast<std::size_t>(end - text.data()));
    return text;
}

/// How the elements of one tensor are written.
class Format {
public:
    /// Chosen for the floating numbers that are shown; zeros and non-finite ones do not count.
    Format(const std::vector<double>& shown, std::int64_t precision) : precision_(precision) {
        double low = HUGE_VAL;
        double high = 0;
        for (const double value : shown) {
            if (!counts(value)) continue;
            low = std::min(low, std::abs(value));
            high = std::max(high, std::abs(value));
            whole_ = whole_ && value == std::ceil(value);
        }
        if (high == 0) return;
        scientific_ = high / low > 1e3 || high > 1e8 || (!whole_ && low < 1e-4);
        for (const double value : shown) {
            if (counts(value)) width_ = std::max(width_, (*this)(value).size());
        }
    }
    /// Integers and bools: only the width.
    explicit Format(std::size_t width) : width_(width) {}

    std::string operator()(double value) const {
        if (scientific_) return formatted(std::chars_format::scientific, precision_, value);
        if (!whole_) return formatted(std::chars_format::fixed, precision_, value);
        return formatted(std::chars_format::fixed, 0, value) + (std::isfinite(value) ? "." : "");
    }
    std::int64_t width() const { return static_cast<std::int64_t>(width_); }

private:
    static bool counts(double value) { return value != 0 && std::isfinite(value); }

    std::int64_t precision_ = 0;
    std::size_t width_ = 1;
    bool whole_ = true;
    bool scientific_ = false;
};

/// Writes the elements of one tensor.
class Writer {
public:
    explicit Writer(const Tensor& tensor, const PrintOptions& options)
        : tensor_(tensor),
          linewidth_(*options.linewidth),
          summarise_(tensor.numel() > *options.threshold),
          edgeitems_(*options.edgeitems) {
        // Many dimensions, each shorter than its two edges, are shown whole: then the edges get shorter.
        while (summarise_ && edgeitems_ > 0 && !is_summary()) edgeitems_ /= 2;
        if (tensor.is_floating_point()) {
            std::vector<double> shown;
            visit(0, 0, [&](std::int64_t place) { shown.push_back(element<double>(place)); });
            format_ = Format(shown, *options.precision);
        } else {
            std::size_t width = 1;
            visit(0, 0, [&](std::int64_t place) { width = std::max(width, text(place).size()); });
            format_ = Format(width);
        }
    }

    std::string text(std::int64_t place) const {
        if (tensor_.dtype() == kBool) return element<bool>(place) ? "True" : "False";
        if (tensor_.dtype() == kInt64) return std::to_string(element<std::int64_t>(place));
        return format_(element<double>(place));
    }

    /// Dimensions from `dim` on, at `place` of the storage, `indent` columns from the left.
    std::string rows(std::size_t dim, std::int64_t place, std::int64_t indent) const {
        const std::size_t left = tensor_.sizes().size() - dim;
        if (left == 0) return padded(place);
        std::vector<std::string> parts;
        for (const std::int64_t i : shown(dim)) {
            if (i < 0) {
                parts.push_back(left == 1 ? " ..." : "...");
            } else {
                const std::int64_t at = place + i * tensor_.strides()[dim];
                parts.push_back(left == 1 ? padded(at) : rows(dim + 1, at, indent + 1));
            }
        }
        const std::int64_t element_length = format_.width() + 2;
        const std::int64_t fitting = (linewidth_ - indent) / element_length;
        const std::size_t per_line =
            left > 1 ? 1 : static_cast<std::size_t>(std::max<std::int64_t>(1, fitting));
        const std::string line_end =
            detail::concat(',', std::string(std::max<std::size_t>(left - 1, 1), '\n'), spaces(indent + 1));
        std::string out = "[";
        for (std::size_t i = 0; i < parts.size(); ++i) {
            if (i > 0) out += i % per_line == 0 ? line_end : ", ";
            out += parts[i];
        }
        return out + "]";
    }

private:
    template <class T>
    T element(std::int64_t place) const {
        return dispatch(tensor_.dtype(), [&](auto zero) {
            return convert_element<T>(reinterpret_cast<const decltype(zero)*>(tensor_.raw())[place]);
        });
    }

    std::string padded(std::int64_t place) const {
        const std::string number = text(place);
        return spaces(format_.width() - static_cast<std::int64_t>(number.size())) + number;
    }

    /// Whether a dimension of this size is shown by its edges alone.
    bool has_gap(std::int64_t size) const { return summarise_ && size - edgeitems_ > edgeitems_; }

    /// Whether no more elements are shown than a summary should.
    bool is_summary() const {
        std::int64_t count = 1;
        for (const std::int64_t size : tensor_.sizes()) {
            const std::int64_t shown = has_gap(size) ? 2 * edgeitems_ : size;
            if (shown > kMostSummarised / count) return false;
            count *= std::max<std::int64_t>(shown, 1);
        }
        return true;
    }

    /// The indices that are shown of a dimension; -1 for the gap.
    std::vector<std::int64_t> shown(std::size_t dim) const {
        const std::int64_t size = tensor_.sizes()[dim];
        const bool gap = has_gap(size);
        std::vector<std::int64_t> indices;
        for (std::int64_t i = 0; i < (gap ? edgeitems_ : size); ++i) indices.push_back(i);
        if (!gap) return indices;
        indices.push_back(-1);
        for (std::int64_t i = size - edgeitems_; i < size; ++i) indices.push_back(i);
        return indices;
    }

    void visit(std::size_t dim, std::int64_t place, const auto& f) const {
        if (dim == tensor_.sizes().size()) return f(place);
        for (const std::int64_t i : shown(dim)) {
            if (i >= 0) visit(dim + 1, place + i * tensor_.strides()[dim], f);
        }
    }

    const Tensor& tensor_;
    std::int64_t linewidth_;
    bool summarise_;
    std::int64_t edgeitems_;
    Format format_{1};
};

/// What is after the elements: what they do not show.
std::vector<std::string> suffixes(const Tensor& tensor) {
    std::vector<std::string> result;
    const bool empty = tensor.numel() == 0;
    if (empty && tensor.dim() != 1) {
        std::string size = detail::concat(tensor.sizes());
        size.front() = '(';
        size.back() = ')';
        result.push_back("size=" + size);
    }
    const DType dtype = tensor.dtype();
    const bool evident = dtype == kFloat32 || (!empty && (dtype == kInt64 || dtype == kBool));
    if (!evident) result.push_back(detail::concat("dtype=", dtype));
    if (const char* operation = tensor.grad_fn()) {
        result.push_back(detail::concat("grad_fn=<", operation, ">"));
    } else if (tensor.requires_grad()) {
        result.push_back("requires_grad=True");
    }
    return result;
}

}  // namespace

void set_printoptions(const PrintOptions& options) {
    if (options.precision && *options.precision > kMostDigits)
        fail<Error>("set_printoptions: a precision of ", *options.precision, "; a double has at most ",
                    kMostDigits, " digits after the point");
    for (const auto& [name, value, least] : kOptions) {
        const auto given = options.*value;
        if (given && *given < least)
            fail<Error>("set_printoptions: a ", name, " of ", *given, "; at least ", least, " is needed");
    }
    const std::lock_guard lock(settings_mutex);
    for (const Option& option : kOptions) {
        if (options.*option.value) settings.*option.value = options.*option.value;
    }
}

PrintOptions printoptions() {
    const std::lock_guard lock(settings_mutex);
    return settings;
}

std::ostream& operator<<(std::ostream& out, const Tensor& tensor) {
    if (!tensor.defined()) return out << "tensor(undefined)";
    const std::string prefix = "tensor(";
    const auto indent = static_cast<std::int64_t>(prefix.size());
    const PrintOptions options = printoptions();
    std::string text = prefix + (tensor.numel() == 0 ? "[]" : Writer(tensor, options).rows(0, 0, indent));
    // A suffix goes to a line of its own where it would pass the width. (PyTorch counts two columns
    // too many there; so do we.)
    const auto last_break = static_cast<std::int64_t>(text.rfind('\n'));  // -1 where there is none
    std::int64_t column = static_cast<std::int64_t>(text.size()) - last_break + 1;
    for (const std::string& suffix : suffixes(tensor)) {
        const auto length = static_cast<std::int64_t>(suffix.size());
        if (column + length + 2 > *options.linewidth) {
            text += ",\n" + spaces(indent) + suffix;
            column = indent + length;
        } else {
            text += ", " + suffix;
            column += length + 2;
        }
    }
    return out << text << ')';
}

}  // namespace reel
