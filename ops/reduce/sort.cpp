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
#include <vector>

#include "autograd/tape.hpp"
#include "ops/indexing/indexing.hpp"
#include "ops/kernels/table.hpp"
#include "ops/pointwise/dense_driver.hpp"
#include "tensor/factory.hpp"
#include "tensor/parallel.hpp"

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

/// By bytes of the key, the lowest first: each pass keeps the order of the ones before.
template <class Key>
void radix_sort(std::vector<Item<Key>>& items, std::vector<Item<Key>>& other) {
    other.resize(items.size());
    for (std::size_t shift = 0; shift < 8 * sizeof(Key); shift += 8) {
        const auto byte = [shift](const Item<Key>& item) {
            return static_cast<std::size_t>(item.key() >> shift & 255);
        };
        std::size_t starts[257] = {};
        for (const Item<Key>& item : items) ++starts[byte(item) + 1];
        if (std::find(starts, starts + 257, items.size()) != starts + 257)
            continue;  // all have the same byte
        for (std::size_t i = 1; i < 257; ++i) starts[i] += starts[i - 1];
        for (const Item<Key>& item : items) other[starts[byte(item)]++] = item;
        items.swap(other);
    }
}

/// Puts the first `k` items in order; they come in the order of their indices.
template <class Key>
void order_first(std::vector<Item<Key>>& items, std::vector<Item<Key>>& other, int64_t k) {
    constexpr int64_t kFew = 512;
    const auto n = static_cast<int64_t>(items.size());
    if (n > kFew && k > n / 8) return radix_sort(items, other);
    if (k < n) std::nth_element(items.begin(), items.begin() + k, items.end());
    std::sort(items.begin(), items.begin() + k);
}

template <class T>
using KeyOf = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;

constexpr int64_t kFewest = 8;  // are kept in order while a row is read

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
    void read_all(std::vector<Item<Key>>& items, int64_t count) const {
        items.resize(static_cast<std::size_t>(count));
        for (int64_t i = 0; i < count; ++i) items[static_cast<std::size_t>(i)] = item(i);
    }
    /// The next element, from number i on, that may come before `last`; n where there is none.
    int64_t next(int64_t i, const Item<Key>& last) const {
        return i + kernels::beyond(descending, dtype_of<T>())(n - i, x + i, x + last.index());
    }
    /// The first `k`, few, in order: each that comes before the last of them takes its place.
    void insert(std::vector<Item<Key>>& items, int64_t k) const {
        read_all(items, k);
        std::sort(items.begin(), items.end());
        for (int64_t i = next(k, items.back()); i < n; i = next(i + 1, items.back())) {
            const Item<Key> found = item(i);  // goes where it belongs, and the last one out, without a branch
            Item<Key> before = items[0];
            items[0] = found < before ? found : before;
            for (auto place = items.begin() + 1; place != items.end(); ++place) {
                const Item<Key> least = found < before ? before : found;
                before = *place;
                *place = least < before ? least : before;
            }
        }
    }
    /// Candidates for the first `k`: the best of those read are known whenever there are twice as many, and of what follows only
    /// what may come before the last of these counts.
    void select(std::vector<Item<Key>>& items, int64_t k) const {
        const int64_t most = 2 * k;
        read_all(items, most);
        for (int64_t i = most; i < n;) {
            std::nth_element(items.begin(), items.begin() + (k - 1), items.end());
            items.resize(static_cast<std::size_t>(k));
            const Item<Key> last = items.back();
            for (i = next(i, last); i < n && static_cast<int64_t>(items.size()) < most; i = next(i + 1, last))
                items.push_back(item(i));
        }
    }
};

/// The first `k` of each dense row of `n` elements, and where they stood.
template <class T>
void sort_rows(int64_t rows, int64_t n, int64_t k, bool descending, const T* x, T* values, int64_t* indices) {
    parallel_for(rows, 1, 8 * n, [&](int64_t begin, int64_t end) {
        std::vector<Item<KeyOf<T>>> items;
        std::vector<Item<KeyOf<T>>> other;
        for (int64_t r = begin; r < end; ++r) {
            const Row<T> row{x + r * n, n, descending};
            if (k > n / 8) {
                row.read_all(items, n);
            } else if (k <= kFewest) {
                row.insert(items, k);
            } else {
                row.select(items, k);
            }
            order_first(items, other, k);
            for (int64_t i = 0; i < k; ++i) {
                const auto index = static_cast<int64_t>(items[static_cast<std::size_t>(i)].index());
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
