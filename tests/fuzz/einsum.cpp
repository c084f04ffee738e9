// einsum: any equation over any operands has the shape that its letters say, or is refused.
#include <algorithm>
#include <array>
#include <map>

#include "tests/fuzz/fuzz.hpp"

namespace reel::fuzz {

namespace {

constexpr std::string_view kLetters = "abcABz";

/// An equation whose letters fit the operands, which it makes; then some of its characters changed.
std::string equation_for(Bytes& bytes, std::vector<Tensor>& operands) {
    std::array<std::int64_t, kLetters.size()> sizes{};
    for (std::int64_t& size : sizes) size = bytes.between(0, 3);
    std::string text;
    const std::int64_t count = bytes.between(1, 3);
    for (std::int64_t k = 0; k < count; ++k) {
        if (k > 0) text += ',';
        Shape shape;
        const std::int64_t dims = bytes.between(0, 4);
        for (std::int64_t i = 0; i < dims; ++i) {
            const std::size_t letter = bytes.byte() % kLetters.size();
            text += kLetters[letter];
            shape.push_back(bytes.byte() < 32 ? 1 : sizes[letter]);
        }
        if (bytes.byte() < 64) {
            text += "...";
            const Shape more = bytes.small_shape(2);
            for (const std::int64_t size : more) shape.push_back(size);
        }
        operands.push_back(counted(shape));
    }
    if (bytes.flag()) {
        text += "->";
        const std::int64_t dims = bytes.between(0, 4);
        for (std::int64_t i = 0; i < dims; ++i) text += kLetters[bytes.byte() % kLetters.size()];
    }
    constexpr std::string_view kCharacters = "abcABz,->. 1";
    for (std::int64_t changes = bytes.between(0, 2); changes > 0 && !text.empty(); --changes) {
        const std::size_t place = bytes.byte() % text.size();
        const char with = kCharacters[bytes.byte() % kCharacters.size()];
        if (bytes.flag()) {
            text[place] = with;
        } else {
            text.insert(place, 1, with);
        }
    }
    return text;
}

/// A term of an equation: letters in front of the ellipsis and behind it.
struct Term {
    std::string front;
    std::string back;
    bool has_ellipsis = false;

    explicit Term(const std::string& text) {
        const std::size_t dots = text.find("...");
        has_ellipsis = dots != std::string::npos;
        front = text.substr(0, dots);
        if (has_ellipsis) back = text.substr(dots + 3);
    }
    std::string letters() const { return front + back; }
};

void widen(std::int64_t& known, std::int64_t size) {
    if (known == 1) known = size;
}

/// The shape of an equation that einsum has accepted.
std::vector<Wide> shape_of(std::string text, const std::vector<Tensor>& operands) {
    std::erase(text, ' ');
    const std::size_t arrow = text.find("->");
    std::string inputs = text.substr(0, arrow) + ',';
    std::map<char, std::int64_t> sizes;
    std::map<char, int> uses;
    std::vector<std::int64_t> middle;  // sizes under the ellipsis, the last first
    for (const Tensor& operand : operands) {
        const Term term(inputs.substr(0, inputs.find(',')));
        inputs.erase(0, inputs.find(',') + 1);
        const std::size_t letters = term.letters().size();
        const std::size_t dots = operand.sizes().size() - letters;
        for (std::size_t i = 0; i < letters; ++i) {
            const std::size_t dim = i < term.front.size() ? i : i + dots;
            const char letter = term.letters()[i];
            widen(sizes.try_emplace(letter, 1).first->second, operand.sizes()[dim]);
            ++uses[letter];
        }
        for (std::size_t i = 0; i < dots; ++i) {
            if (middle.size() <= i) middle.push_back(1);
            widen(middle[i], operand.sizes()[term.front.size() + dots - 1 - i]);
        }
    }
    std::string implicit = "...";
    for (const auto& [letter, count] : uses) {
        if (count == 1) implicit += letter;
    }
    const Term result(arrow == std::string::npos ? implicit : text.substr(arrow + 2));
    std::vector<Wide> shape;
    for (const char letter : result.front) shape.push_back(sizes.at(letter));
    if (result.has_ellipsis) shape.insert(shape.end(), middle.rbegin(), middle.rend());
    for (const char letter : result.back) shape.push_back(sizes.at(letter));
    return shape;
}

}  // namespace

void einsums(Bytes bytes) {
    std::vector<Tensor> operands;
    const std::string equation = equation_for(bytes, operands);
    Tensor result;
    if (!answers([&] { result = einsum(equation, operands); })) return;
    expect_sizes(equation.c_str(), result, shape_of(equation, operands));
    touch(result);
}

}  // namespace reel::fuzz
