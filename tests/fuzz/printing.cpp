// Printing: any elements, any layout and any options give a text, and not too long a one.
#include <cstring>
#include <sstream>

#include "tests/fuzz/fuzz.hpp"

namespace reel::fuzz {

void printing(Bytes bytes) {
    const PrintOptions before = printoptions();
    const auto option = [&] { return bytes.byte() < 64 ? std::optional(bytes.number()) : std::nullopt; };
    static_cast<void>(answers([&] {
        set_printoptions(
            {.precision = option(), .threshold = option(), .edgeitems = option(), .linewidth = option()});
    }));
    const DType dtype = bytes.dtype();
    Tensor x = zeros(bytes.small_shape(4), dtype);
    std::string bits = bytes.rest();
    bits.resize(static_cast<std::size_t>(x.numel() * x.itemsize()));
    std::memcpy(x.raw(), bits.data(), bits.size());
    const auto length = [](const Tensor& tensor) {
        std::ostringstream text;
        text << tensor;
        return text.str().size();
    };
    const auto check = [&](const Tensor& tensor) {
        const auto most = static_cast<std::size_t>(printoptions().precision.value_or(0) + 2000);
        expect(length(tensor) <= most * static_cast<std::size_t>(tensor.numel() + 1), "a text of ",
               length(tensor), " for shape ", tensor.sizes());
    };
    check(x);
    if (x.dim() > 0) check(x.flip({0}).transpose(0, -1));
    set_printoptions(before);
}

}  // namespace reel::fuzz
