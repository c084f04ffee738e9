// Sorting rows by keys. See Note [Keys].
//
// Note [Keys]
// An element becomes an unsigned integer whose order is the element's: of a floating number the bits, with
// the sign bit flipped where it is positive and all bits where it is negative; NaN is the greatest, -0 is 0.
// In descending order the bits are inverted. An item is a key followed by its index: no two items are equal,
// so that every way to sort them is stable, and ties come in the order of their indices.
#include "ops/reduce/sort.hpp"

#include <algorithm>
#include <bit>
#include <numeric>
#include <vector>

#include "autograd/tape.hpp"
#include "ops/indexing/indexing.hpp"
#include "ops/kernels/table.hpp"
#include "ops/pointwise/dense_driver.hpp"
#include "tensor/factory.hpp"
#include "tensor/parallel.hpp"
#include "tensor/scratch.hpp"

namespace reel {

namespace {

using std::int64_t;

template <class Key>
class Item {
public:
    Item() = default;
    Item(Key key, Key index) : key_(key), index_(index) {}
    Key key() const { return key_; }
    Key index() const { return index_; }
    friend bool operator<(const Item& a, const Item& b) {
        return a.key_ != b.key_ ? a.key_ < b.key_ : a.index_ < b.index_;
    }

private:
    Key key_, index_;
};
/// In one number, which is compared without a branch: how keys compare cannot be foreseen.
template <>
class Item<std::uint32_t> {
public:
    Item() = default;
    Item(std::uint32_t key, std::uint32_t index) : both_(std::uint64_t{key} << 32 | index) {}
    std::uint32_t key() const { return static_cast<std::uint32_t>(both_ >> 32); }
    std::uint32_t index() const { return static_cast<std::uint32_t>(both_); }
    friend bool operator<(Item a, Item b) { return a.both_ < b.both_; }

private:
    std::uint64_t both_;
};

std::uint8_t key_of(Bool x) { return x ? 1 : 0; }
std::uint64_t key_of(int64_t x) { return static_cast<std::uint64_t>(x) ^ (std::uint64_t{1} << 63); }

template <class T, class Key = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>
requires std::is_floating_point_v<T> Key key_of(T x) {
    constexpr int kSignBit = 8 * sizeof(Key) - 1;
    const Key bits = std::bit_cast<Key>(x + T(0));  // −0 becomes 0
    const Key key =
        bits ^ ((Key{0} - (bits >> kSignBit)) | Key{1} << kSignBit);  // no branch: vectors of keys
    return x == x ? key : ~Key{0};
}

/// By digits of `kBits` bits of the key, the lowest first: each pass keeps the order of the ones before. Where the items are in
/// the end: in one of the two arrays.
template <int kBits, class Key>
Item<Key>* radix_sort(Item<Key>* items, Item<Key>* other, int64_t n) {
    constexpr std::size_t kDigits = std::size_t{1} << kBits;
    constexpr int kPasses = (8 * static_cast<int>(sizeof(Key)) + kBits - 1) / kBits;
    const auto digit = [](const Item<Key>& item, int pass) {
        return static_cast<std::size_t>(item.key() >> (kBits * pass)) % kDigits;
    };
    std::vector<Key> counts(kPasses * kDigits);
    for (int64_t i = 0; i < n; ++i) {
        for (int pass = 0; pass < kPasses; ++pass)
            ++counts[static_cast<std::size_t>(pass) * kDigits + digit(items[i], pass)];
    }
    for (int pass = 0; pass < kPasses; ++pass) {
        Key* const starts = counts.data() + static_cast<std::size_t>(pass) * kDigits;
        if (starts[digit(items[0], pass)] == static_cast<Key>(n)) continue;  // all have the same digit
        std::exclusive_scan(starts, starts + kDigits, starts, Key{0});
        for (int64_t i = 0; i < n; ++i) other[starts[digit(items[i], pass)]++] = items[i];
        std::swap(items, other);
    }
    return items;
}

/// Puts the first `k` items in order; they come in the order of their indices.
template <class Key>
Item<Key>* order_first(Item<Key>* items, Item<Key>* other, int64_t n, int64_t k) {
    constexpr int64_t kFew = 512;
    constexpr int64_t kMany = 1 << 15;  // longer digits, of which there are fewer, take longer to count
    if (n > kFew && k > n / 8)
        return n < kMany ? radix_sort<8>(items, other, n) : radix_sort<11>(items, other, n);
    if (k < n) std::nth_element(items, items + k, items + n);
    std::sort(items, items + k);
    return items;
}

template <class T>
using KeyOf = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;

constexpr int64_t kFewest = kernels::kFewFirst;  // are kept in order while a row is read
constexpr int64_t kSomeRows = 8;                 // at least are read side by side

/// A dense row of `n` elements whose items are made as they are asked for.
template <class T>
struct Row {
    using Key = KeyOf<T>;
    const T* x;
    int64_t n;
    bool descending;

    Item<Key> item(int64_t i) const {
        const auto key = static_cast<Key>(key_of(x[i]));
        return {descending ? static_cast<Key>(~key) : key, static_cast<Key>(i)};
    }
    void read_all(Item<Key>* items, int64_t count) const {
        for (int64_t i = 0; i < count; ++i) items[i] = item(i);
    }
    /// The next element, from number i on, that may come before `last`; n where there is none.
    int64_t next(int64_t i, const Item<Key>& last) const {
        return i + kernels::beyond(descending, dtype_of<T>())(n - i, x + i, x + last.index());
    }
    /// The first `k`, few, in order: each that comes before the last of them takes its place.
    void insert(Item<Key>* items, int64_t k) const {
        read_all(items, k);
        std::sort(items, items + k);
        for (int64_t i = next(k, items[k - 1]); i < n; i = next(i + 1, items[k - 1])) {
            const Item<Key> found = item(i);  // goes where it belongs, and the last one out, without a branch
            Item<Key> before = items[0];
            items[0] = found < before ? found : before;
            for (int64_t j = 1; j < k; ++j) {
                const Item<Key> least = found < before ? before : found;
                before = items[j];
                items[j] = least < before ? least : before;
            }
        }
    }
    /// Candidates for the first `k`, and how many: the best of those read are known whenever there are twice as many, and of what
    /// follows only what may come before the last of these counts.
    int64_t select(Item<Key>* items, int64_t k) const {
        const int64_t most = 2 * k;
        read_all(items, most);
        int64_t count = most;
        for (int64_t i = most; i < n;) {
            std::nth_element(items, items + (k - 1), items + count);
            const Item<Key> last = items[k - 1];
            count = k;
            for (i = next(i, last); i < n && count < most; i = next(i + 1, last)) items[count++] = item(i);
        }
        return count;
    }
    /// Whether so few are wanted that not all become items.
    static bool chooses(int64_t n, int64_t k) { return k <= n / 8; }
    /// The first `k` in order, in one of two arrays that follow each other, each with room for twice as many, or for all.
    const Item<Key>* first(Item<Key>* items, Item<Key>* other, int64_t k) const {
        if (!chooses(n, k)) {
            read_all(items, n);
            return order_first(items, other, n, k);
        }
        if (k > kFewest) return order_first(items, other, select(items, k), k);
        insert(items, k);
        return items;
    }
};

/// The first `k` of each dense row of `n` elements, and where they stood.
template <class T>
void sort_rows(int64_t rows, int64_t n, int64_t k, bool descending, const T* x, T* values, int64_t* indices) {
    using Items = Item<KeyOf<T>>;
    parallel_for(rows, 1, 8 * n, [&](int64_t begin, int64_t end) {
        if constexpr (std::is_same_v<T, float>) {
            const kernels::Table& table = kernels::kernels();
            if (k <= kFewest && n <= table.few_first_row && end - begin >= kSomeRows) {
                table.few_first(end - begin, n, k, descending, x + begin * n, indices + begin * k);
                for (int64_t r = begin; r < end; ++r) {
                    for (int64_t i = r * k; i < (r + 1) * k; ++i) values[i] = x[r * n + indices[i]];
                }
                return;
            }
        }
        const int64_t room = Row<T>::chooses(n, k) ? 2 * k : n;
        const Scratch memory(2 * room * static_cast<int64_t>(sizeof(Items)));
        auto* const items = reinterpret_cast<Items*>(memory.data());
        for (int64_t r = begin; r < end; ++r) {
            const Row<T> row{x + r * n, n, descending};
            const Items* const first = row.first(items, items + room, k);
            for (int64_t i = 0; i < k; ++i) {
                const auto index = static_cast<int64_t>(first[i].index());
                values[r * k + i] = row.x[index];
                indices[r * k + i] = index;
            }
        }
    });
}

/// The first `k` along `dim`. The result's fibres are sorted as dense rows and turned back.
ValuesIndices ordered(const char* name, const Tensor& x, int64_t k, int64_t dim, bool descending) {
    if (x.dim() == 0) {
        auto [value, index] = ordered(name, x.reshape({1}), 1, 0, descending);
        return {value.reshape({}), index.reshape({})};
    }
    const Tensor rows = dense(x.detach().movedim(dim, -1), compute_dtype(x.dtype()));
    Shape sizes = rows.sizes();
    const int64_t n = sizes.back();
    sizes.back() = k;
    const Tensor values = Tensor::empty(sizes, rows.dtype());
    const Tensor indices = Tensor::empty(sizes, kInt64);
    dispatch(rows.dtype(), [&](auto zero) {
        using T = decltype(zero);
        if constexpr (!kIs16Bit<T>) {
            if (values.numel() == 0) return;
            sort_rows(rows.numel() / n, n, k, descending, rows.data_ptr<T>(), values.data_ptr<T>(),
                      indices.data_ptr<int64_t>());
        }
    });
    const Tensor places = dense(indices.movedim(-1, dim));
    return {record(name, dense(values.movedim(-1, dim), x.dtype()),
                   {{x,
                     [places, dim, from = x.sizes()](const Tensor& y_bar) {
                         return scatter(zeros(from, y_bar.dtype()), dim, places, y_bar);
                     }}}),
            places};
}

}  // namespace

ValuesIndices sort(const Tensor& x, int64_t dim, bool descending) {
    const int64_t d = wrap_dim(dim, x.dim(), "sort");
    return ordered("sort", x, x.dim() == 0 ? 1 : x.size(d), d, descending);
}

Tensor argsort(const Tensor& x, int64_t dim, bool descending) {
    return sort(x.detach(), dim, descending).indices;
}

ValuesIndices topk(const Tensor& x, int64_t k, int64_t dim, bool largest, bool) {
    const int64_t d = wrap_dim(dim, x.dim(), "topk");
    const int64_t size = x.dim() == 0 ? 1 : x.size(d);
    if (k < 0 || k > size) {
        fail<IndexError>("topk: k is ", k, ", and dimension ", dim, " of shape ", x.sizes(), " has ", size,
                         " elements");
    }
    return ordered("topk", x, k, d, largest);
}

}  // namespace reel
