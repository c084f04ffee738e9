// Every misuse throws its kind, with a message that names what is at fault, and leaves every tensor and tape
// as before the call. One row of the table is one misuse.
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <sstream>

#include "reel.hpp"

using namespace reel;

namespace {

/// The tensors that a misuse may play with.
struct World {
    Tensor f = arange(0, 6, kFloat32).view({2, 3});
    Tensor d = arange(0, 6, kFloat64).view({2, 3});
    Tensor g = ones({4, 5});
    Tensor v = ones({3});
    Tensor i = arange(6).view({2, 3});
    Tensor b = f > 2;
    Tensor classes = tensor({0, 2});
    Tensor leaf = ones({2, 3}).set_requires_grad();
    Tensor spare = ones({2, 3}).set_requires_grad();

    std::vector<Tensor> all() const { return {f, d, g, v, i, b, classes, leaf, spare}; }
};

/// Everything that can be seen of the world.
std::string snapshot(const World& world, const Tape* tape) {
    std::ostringstream out;
    for (const Tensor& t : world.all()) {
        out << t.sizes() << t.strides() << t.storage_offset() << t.dtype() << t.impl().requires_grad
            << t.impl().storage->version << (t.impl().requires_grad && t.grad().defined()) << ':';
        for (double x : t.to_vector<double>()) out << x << ' ';
        out << '\n';
    }
    if (tape) out << tape->size() << ' ' << tape->bytes_kept();
    return out.str();
}

struct Misuse {
    const char* what;
    const char* kind;
    std::vector<std::string> words;  ///< that the message must contain
    std::function<void(World&)> act;
};

std::string kind_of(const Error& error) {
    if (dynamic_cast<const ShapeError*>(&error)) return "ShapeError";
    if (dynamic_cast<const IndexError*>(&error)) return "IndexError";
    if (dynamic_cast<const DTypeError*>(&error)) return "DTypeError";
    if (dynamic_cast<const AutogradError*>(&error)) return "AutogradError";
    if (dynamic_cast<const IoError*>(&error)) return "IoError";
    return "Error";
}

void check(const Misuse& misuse, bool with_tape) {
    CAPTURE(misuse.what);
    World world;
    std::optional<Tape> tape;
    if (with_tape) tape.emplace();
    const std::string before = snapshot(world, with_tape ? &*tape : nullptr);
    bool thrown = false;
    try {
        misuse.act(world);
    } catch (const Error& error) {
        thrown = true;
        const std::string message = error.what();
        CAPTURE(message);
        CHECK(kind_of(error) == misuse.kind);
        for (const std::string& word : misuse.words) {
            CAPTURE(word);
            CHECK(message.find(word) != std::string::npos);
        }
    }
    CHECK(thrown);
    CHECK(snapshot(world, with_tape ? &*tape : nullptr) == before);
}

/// Rows of more than one call, the first of which are right and stay on the tape.
const std::vector<std::string> kSeveralCalls = {"a mean without keepdim",     "view of a transposed tensor",
                                                "view of a column",           "t of three dimensions",
                                                "a write to expanded memory", "a product of unequal types"};

/// The same with values that are recorded: what a call has put on the tape before it threw is taken back.
void check_recorded(const Misuse& misuse) {
    if (std::find(kSeveralCalls.begin(), kSeveralCalls.end(), misuse.what) != kSeveralCalls.end()) return;
    CAPTURE(std::string(misuse.what));
    World world;
    Tape tape;
    for (Tensor* t : {&world.f, &world.d, &world.g, &world.v}) *t = t->set_requires_grad() * 1;
    const std::string before = snapshot(world, &tape);
    try {
        misuse.act(world);
    } catch (const Error&) {
        CHECK(snapshot(world, &tape) == before);
    }
}

/// The same with views whose base was written since: what the call has brought up to date is taken back, and
/// the views' gradients are right afterwards, whatever takes the place on the tape.
void check_stale(const Misuse& misuse) {
    if (std::find(kSeveralCalls.begin(), kSeveralCalls.end(), misuse.what) != kSeveralCalls.end()) return;
    CAPTURE(std::string(misuse.what));
    World world;
    const World leaves;
    Tape tape;
    const auto stale = [](const Tensor& leaf) {
        const Tensor base = leaf.set_requires_grad() * 1;
        const Tensor view = base.view(leaf.sizes());
        base.mul_(3);
        return view;
    };
    world.f = stale(leaves.f), world.d = stale(leaves.d), world.g = stale(leaves.g),
    world.v = stale(leaves.v);
    const std::string before = snapshot(world, &tape);
    try {
        misuse.act(world);
        return;
    } catch (const Error&) {
        CHECK(snapshot(world, &tape) == before);
    }
    const Tensor other = leaves.spare * 2;
    (world.f.sum() + world.d.sum() + world.g.sum() + world.v.sum() + other.sum()).backward();
    for (const Tensor& leaf : {leaves.f, leaves.d, leaves.g, leaves.v}) {
        REQUIRE(leaf.grad().defined());
        CHECK(leaf.grad().equal(full_like(leaf, 3)));
    }
    CHECK(leaves.spare.grad().equal(full_like(other, 2)));
}

const std::vector<Misuse> kShapes = {
    {"shapes that do not broadcast", "ShapeError", {"add", "[2, 3]", "[4, 5]"}, [](World& w) { w.f + w.g; }},
    {"a mean without keepdim", "ShapeError", {"sub", "[2, 3]", "[2]"}, [](World& w) { w.f - w.f.mean(1); }},
    {"comparison of misfits",
     "ShapeError",
     {"lt", "[2, 3]", "[4, 5]"},
     [](World& w) { static_cast<void>(w.f < w.g); }},
    {"where of misfits", "ShapeError", {"where", "[4, 5]"}, [](World& w) { where(w.b, w.f, w.g); }},
    {"view of another count",
     "ShapeError",
     {"view", "[2, 2]", "6"},
     [](World& w) {
         w.f.view({2, 2});
     }},
    {"view with two -1",
     "ShapeError",
     {"view", "-1"},
     [](World& w) {
         w.f.view({-1, -1});
     }},
    {"view with a size below -1",
     "ShapeError",
     {"view", "-2"},
     [](World& w) {
         w.f.view({-2, 3});
     }},
    {"view that -1 cannot fill",
     "ShapeError",
     {"view", "[4, -1]", "6"},
     [](World& w) {
         w.f.view({4, -1});
     }},
    {"view of an ambiguous -1",
     "ShapeError",
     {"ambiguous"},
     [](World&) {
         zeros({0}).view({0, -1});
     }},
    {"view of a transposed tensor",
     "ShapeError",
     {"view", "[3, 2]", "[1, 3]", "reshape"},
     [](World& w) { w.f.t().view(-1); }},
    {"view of a column", "ShapeError", {"reshape"}, [](World& w) { w.f(Slice(), Slice(1)).view(-1); }},
    {"reshape of another count", "ShapeError", {"reshape", "[7]"}, [](World& w) { w.f.reshape({7}); }},
    {"flatten backwards", "ShapeError", {"flatten"}, [](World& w) { w.f.flatten(1, 0); }},
    {"unflatten that does not fit",
     "ShapeError",
     {"unflatten", "[2, 2]"},
     [](World& w) {
         w.f.unflatten(1, {2, 2});
     }},
    {"expand of a size that is not 1",
     "ShapeError",
     {"expand", "[2, 3]", "[4, 3]"},
     [](World& w) {
         w.f.expand({4, 3});
     }},
    {"expand to fewer dimensions", "ShapeError", {"expand"}, [](World& w) { w.f.expand({3}); }},
    {"expand of a new dimension by -1",
     "ShapeError",
     {"expand"},
     [](World& w) {
         w.f.expand({-1, 2, 3});
     }},
    {"permute with too few dims", "ShapeError", {"permute", "[0]"}, [](World& w) { w.f.permute({0}); }},
    {"permute with a dim twice",
     "ShapeError",
     {"permute", "twice"},
     [](World& w) {
         w.f.permute({0, 0});
     }},
    {"movedim of unequal lists",
     "ShapeError",
     {"movedim"},
     [](World& w) {
         w.f.movedim({0, 1}, {0});
     }},
    {"t of three dimensions",
     "ShapeError",
     {"t:", "[1, 2, 3]"},
     [](World& w) {
         w.f.view({1, 2, 3}).t();
     }},
    {"split into nothing", "ShapeError", {"split", "0"}, [](World& w) { w.f.split(0); }},
    {"split sizes that do not add up",
     "ShapeError",
     {"split", "[1, 3]", "4", "3"},
     [](World& w) {
         w.f.split({1, 3}, 1);
     }},
    {"chunk into nothing", "ShapeError", {"chunk", "0"}, [](World& w) { w.f.chunk(0); }},
    {"unfold larger than the dimension",
     "ShapeError",
     {"unfold", "4"},
     [](World& w) { w.f.unfold(1, 4, 1); }},
    {"unfold without a step", "ShapeError", {"unfold", "0"}, [](World& w) { w.f.unfold(1, 2, 0); }},
    {"as_strided beyond the storage",
     "ShapeError",
     {"as_strided", "6"},
     [](World& w) { w.f.as_strided({7}, {1}); }},
    {"as_strided before the storage",
     "ShapeError",
     {"as_strided", "-1"},
     [](World& w) { w.f.as_strided({2}, {-1}); }},
    {"as_strided of unequal lists",
     "ShapeError",
     {"as_strided"},
     [](World& w) {
         w.f.as_strided({2, 2}, {1});
     }},
    {"diagonal of one dimension", "ShapeError", {"diagonal"}, [](World& w) { w.f.diagonal(0, 1, 1); }},
    {"a dim reduced twice",
     "ShapeError",
     {"sum", "twice"},
     [](World& w) {
         w.f.sum({0, -2});
     }},
    {"the largest of nothing",
     "ShapeError",
     {"amax"},
     [](World&) {
         zeros({2, 0}).amax(1);
     }},
    {"item of many", "ShapeError", {"item", "[2, 3]", "6"}, [](World& w) { w.f.item<float>(); }},
    {"ragged braces",
     "ShapeError",
     {"tensor", "ragged"},
     [](World&) {
         tensor({{1, 2}, {3}});
     }},
    {"a negative size", "ShapeError", {"-1"}, [](World&) { zeros({-1}); }},
    {"more elements than memory has",
     "ShapeError",
     {"[4611686018427387904, 4]"},
     [](World&) {
         empty({std::int64_t{1} << 62, 4});
     }},
    {"matmul of misfits", "ShapeError", {"matmul", "[2, 3]", "[4, 5]"}, [](World& w) { w.f.matmul(w.g); }},
    {"mm of a vector", "ShapeError", {"mm", "[3]"}, [](World& w) { w.f.mm(w.v); }},
    {"dot of matrices", "ShapeError", {"dot"}, [](World& w) { w.f.dot(w.f); }},
    {"matmul of a 0-d tensor", "ShapeError", {"matmul"}, [](World& w) { w.f.matmul(tensor(1.0)); }},
    {"linear with a weight that does not fit",
     "ShapeError",
     {"linear", "[4, 5]"},
     [](World& w) { linear(w.f, w.g); }},
    {"cat of misfits",
     "ShapeError",
     {"cat", "[2, 3]", "[4, 5]"},
     [](World& w) {
         cat({w.f, w.g});
     }},
    {"cat of nothing", "ShapeError", {"cat"}, [](World&) { cat({}); }},
    {"stack of unequal shapes",
     "ShapeError",
     {"stack", "[2, 3]", "[4, 5]"},
     [](World& w) {
         stack({w.f, w.g});
     }},
    {"targets of another shape",
     "ShapeError",
     {"cross_entropy", "[2, 3]", "[3]"},
     [](World& w) {
         cross_entropy(w.f, tensor({0, 1, 2}));
     }},
    {"soft targets of another shape",
     "ShapeError",
     {"cross_entropy", "[4, 5]"},
     [](World& w) { cross_entropy(w.f, w.g); }},
    {"class weights of another length",
     "ShapeError",
     {"cross_entropy", "weight", "3"},
     [](World& w) { cross_entropy(w.f, w.classes, {.weight = ones({4})}); }},
    {"a mask of another shape",
     "ShapeError",
     {"masked_softmax"},
     [](World& w) { masked_softmax(w.f, w.g > 0, 1); }},
    {"a copy that does not broadcast",
     "ShapeError",
     {"copy_", "[4, 5]", "[2, 3]"},
     [](World& w) { w.f.copy_(w.g); }},
    {"an in-place sum that would grow", "ShapeError", {"add_", "[3]"}, [](World& w) { w.v.add_(w.f); }},
    {"a write to expanded memory",
     "ShapeError",
     {"add_", "clone"},
     [](World& w) {
         w.v.expand({2, 3}).add_(1);
     }},
    {"fill_ with a vector", "ShapeError", {"fill_"}, [](World& w) { w.f.fill_(w.v); }},
    {"from_blob of unequal lists",
     "ShapeError",
     {"from_blob"},
     [](World&) {
         float x = 0;
         from_blob(&x, {1}, Shape{1, 1});
     }},
    {"embedding in a vector", "ShapeError", {"embedding"}, [](World& w) { embedding(w.classes, w.v); }},
};

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
const char* const kMostText = "9223372036854775807";

/// Sizes and offsets that no int64 holds, or no memory.
const std::vector<Misuse> kSizes = {
    {"pads that go round",
     "ShapeError",
     {"pad", kMostText},
     [](World& w) {
         pad(w.i, {kMost, kMost});
     }},
    {"pads that crop for ever",
     "ShapeError",
     {"pad", "-9223372036854775808"},
     [](World& w) {
         pad(w.i, {kLeast, kLeast});
     }},
    {"a crop and a pad that meet",
     "ShapeError",
     {"pad"},
     [](World& w) {
         pad(w.i, {kLeast, kMost});
     }},
    {"pads that are too long",
     "ShapeError",
     {"pad"},
     [](World& w) {
         pad(w.f, {kMost, 0}, "replicate");
     }},
    {"chunks of nothing without number",
     "ShapeError",
     {"chunk", kMostText},
     [](World&) { zeros({0}).chunk(kMost); }},
    {"sizes of parts that go round",
     "ShapeError",
     {"split", kMostText},
     [](World& w) {
         w.v.split({kMost, kMost, 5});
     }},
    {"strides of a blob that go round",
     "ShapeError",
     {"from_blob", kMostText},
     [](World&) {
         float x = 0;
         from_blob(&x, {3, 3}, Shape{kMost, 1});
     }},
    {"strides of a blob that go round in bytes",
     "ShapeError",
     {"from_blob"},
     [](World&) {
         float x = 0;
         from_blob(&x, {2}, Shape{kMost / 2});
     }},
    {"expanded sizes that go round in a join",
     "ShapeError",
     {"cat", kMostText},
     [](World& w) {
         const Tensor far = w.f.sum().expand({kMost});
         cat({far, far});
     }},
    {"a repetition that goes round",
     "ShapeError",
     {"repeat", kMostText},
     [](World& w) { w.v.repeat({kMost}); }},
    {"slices repeated without end",
     "ShapeError",
     {"repeat_interleave", kMostText},
     [](World& w) { w.v.repeat_interleave(kMost, 0); }},
    {"slices repeated without end, each by its number",
     "ShapeError",
     {"repeat_interleave", kMostText},
     [](World& w) { w.v.repeat_interleave(tensor({kMost})); }},
    {"one slice repeated beyond memory",
     "ShapeError",
     {kMostText},
     [](World& w) { w.f.sum().repeat_interleave(tensor({kMost})); }},
    {"classes that go round", "ShapeError", {"one_hot"}, [](World&) { one_hot(tensor({kMost})); }},
    {"an expansion that goes round",
     "ShapeError",
     {kMostText},
     [](World& w) {
         w.f.sum().expand({kMost, 3});
     }},
    {"as_strided beyond everything",
     "ShapeError",
     {"as_strided", kMostText},
     [](World& w) {
         w.f.as_strided({2, 2}, {kMost, kMost});
     }},
    {"digits without end",
     "Error",
     {"set_printoptions", kMostText},
     [](World&) { set_printoptions({.precision = kMost}); }},
};

const std::vector<Misuse> kIndices = {
    {"a dimension that is not there", "IndexError", {"sum", "2", "[-2, 1]"}, [](World& w) { w.f.sum(2); }},
    {"a dimension of softmax", "IndexError", {"softmax", "5"}, [](World& w) { w.f.softmax(5); }},
    {"a size that is not there", "IndexError", {"size", "-3"}, [](World& w) { w.f.size(-3); }},
    {"a transpose that is not there",
     "IndexError",
     {"transpose", "2"},
     [](World& w) { w.f.transpose(0, 2); }},
    {"squeeze of what is not there", "IndexError", {"squeeze", "3"}, [](World& w) { w.f.squeeze(3); }},
    {"select behind the end", "IndexError", {"select", "2", "[2, 3]"}, [](World& w) { w.f.select(0, 2); }},
    {"t[i] behind the end", "IndexError", {"2"}, [](World& w) { w.f[2]; }},
    {"t[i] of a 0-d tensor", "IndexError", {"0-d"}, [](World&) { tensor(1.0)[0]; }},
    {"narrow behind the end", "IndexError", {"narrow", "2"}, [](World& w) { w.f.narrow(1, 2, 2); }},
    {"a slice that does not move", "IndexError", {"slice", "0"}, [](World& w) { w.f.slice(0, 0, 2, 0); }},
    {"too many indices",
     "IndexError",
     {"index", "3"},
     [](World& w) {
         w.f.index({0, 0, 0});
     }},
    {"two ellipses",
     "IndexError",
     {"index", "llipsis"},
     [](World& w) {
         w.f.index({Ellipsis, Ellipsis});
     }},
    {"an index that is text", "IndexError", {"index", "row"}, [](World& w) { w.f.index({"row"}); }},
    {"an index tensor behind the end",
     "IndexError",
     {"index", "7", "3"},
     [](World& w) {
         w.f.index({Slice(), tensor({7})});
     }},
    {"a mask of another shape", "IndexError", {"index", "[2, 3]"}, [](World& w) { w.g.index({w.b}); }},
    {"index tensors that do not broadcast",
     "ShapeError",
     {"index", "[2]", "[3]"},
     [](World& w) {
         w.f.index({tensor({0, 1}), tensor({0, 1, 2})});
     }},
    {"a floating index", "DTypeError", {"index", "float32"}, [](World& w) { w.f.index({w.v}); }},
    {"index_select of empty rows behind the end",
     "IndexError",
     {"index_select", "3", "size 3"},
     [](World&) {
         zeros({3, 0}).index_select(0, tensor({3}));
     }},
    {"embedding in rows of no numbers",
     "IndexError",
     {"embedding", "3", "size 3"},
     [](World&) {
         embedding(tensor({3}), zeros({3, 0}));
     }},
    {"an index into nothing",
     "IndexError",
     {"index", "0", "size 0"},
     [](World&) {
         zeros({0, 0}).index({tensor({0})});
     }},
    {"index_select behind the end",
     "IndexError",
     {"index_select", "5"},
     [](World& w) { w.f.index_select(0, tensor({5})); }},
    {"gather behind the end", "IndexError", {"gather", "9"}, [](World& w) { w.f.gather(1, tensor({{9}})); }},
    {"scatter behind the end",
     "IndexError",
     {"scatter_add", "9"},
     [](World& w) {
         w.f.scatter_add(1, tensor({{9}}), ones({1, 1}));
     }},
    {"a write behind the end",
     "IndexError",
     {"index_put_", "4"},
     [](World& w) { w.f.index_put_({tensor({4})}, w.v); }},
    {"an embedding behind the end",
     "IndexError",
     {"embedding", "2"},
     [](World& w) { embedding(tensor({2}), w.f); }},
    {"a class that is not there",
     "IndexError",
     {"cross_entropy", "row 1", "3"},
     [](World& w) {
         cross_entropy(w.f, tensor({0, 3}));
     }},
    {"a negative class",
     "IndexError",
     {"cross_entropy", "row 0", "-1"},
     [](World& w) {
         cross_entropy(w.f, tensor({-1, 0}));
     }},
    {"a class of nll_loss",
     "IndexError",
     {"nll_loss", "5"},
     [](World& w) {
         nll_loss(w.f, tensor({0, 5}));
     }},
    {"one_hot of too large a class", "IndexError", {"one_hot", "2"}, [](World& w) { one_hot(w.classes, 2); }},
};

const std::vector<Misuse> kDTypes = {
    {"the mean of integers", "DTypeError", {"mean", "int64"}, [](World& w) { w.i.mean(); }},
    {"the largest of bools", "DTypeError", {"argmax", "bool"}, [](World& w) { w.b.argmax(); }},
    {"a loss of integers", "DTypeError", {"mse_loss", "int64"}, [](World& w) { mse_loss(w.i, w.i); }},
    {"softmax of integers", "DTypeError", {"softmax", "int64"}, [](World& w) { w.i.softmax(1); }},
    {"bools subtracted", "DTypeError", {"sub", "bool"}, [](World& w) { w.b - w.b; }},
    {"bools negated", "DTypeError", {"neg", "bool"}, [](World& w) { -w.b; }},
    {"a floating alpha for integers", "DTypeError", {"add", "alpha"}, [](World& w) { w.i.add(w.i, 0.5); }},
    {"a bool alpha for numbers",
     "DTypeError",
     {"sub", "alpha", "true"},
     [](World& w) { w.f.sub(w.f, true); }},
    {"a bool alpha in place", "DTypeError", {"add_", "alpha", "true"}, [](World& w) { w.i.add_(w.i, true); }},
    {"floats written to integers",
     "DTypeError",
     {"add_", "float32", "int64"},
     [](World& w) { w.i.add_(0.5); }},
    {"a quotient written to integers", "DTypeError", {"div_", "int64"}, [](World& w) { w.i.div_(2); }},
    {"a pointer of another type",
     "DTypeError",
     {"data_ptr", "float32", "float64"},
     [](World& w) { w.f.data_ptr<double>(); }},
    {"a condition that is no bool",
     "DTypeError",
     {"where", "float32"},
     [](World& w) { where(w.f, w.f, w.f); }},
    {"a product of unequal types",
     "DTypeError",
     {"matmul", "float32", "float64"},
     [](World& w) { w.f.matmul(w.d.t()); }},
    {"logits that are integers",
     "DTypeError",
     {"cross_entropy", "int64"},
     [](World& w) { cross_entropy(w.i, w.classes); }},
    {"floating indices of gather", "DTypeError", {"gather", "float32"}, [](World& w) { w.f.gather(0, w.f); }},
    {"floating indices of embedding",
     "DTypeError",
     {"embedding", "float32"},
     [](World& w) { embedding(w.v, w.f); }},
    {"one_hot of floats", "DTypeError", {"one_hot", "float32"}, [](World& w) { one_hot(w.v); }},
    {"a mask that is no bool",
     "DTypeError",
     {"masked_fill", "float32"},
     [](World& w) { w.f.masked_fill(w.f, 0); }},
    {"gradcheck of integers",
     "DTypeError",
     {"gradcheck", "1 inputs", "float64"},
     [](World& w) { gradcheck([](const std::vector<Tensor>& x) { return x[0] * x[0]; }, {w.f.to(kInt64)}); }},
};

const std::vector<Misuse> kAutograd = {
    {"integers that want a gradient", "AutogradError", {"int64"}, [](World& w) { w.i.set_requires_grad(); }},
    {"backward of a constant",
     "AutogradError",
     {"backward", "require"},
     [](World& w) { w.f.sum().backward(); }},
    {"backward of many elements",
     "AutogradError",
     {"backward", "[2, 3]"},
     [](World& w) { w.leaf.backward(); }},
    {"a cotangent of another shape",
     "ShapeError",
     {"backward", "[4, 5]", "[2, 3]"},
     [](World& w) { w.leaf.backward(w.g); }},
    {"grad for a constant",
     "AutogradError",
     {"grad"},
     [](World& w) { grad({w.leaf}, {w.f}, {.grad_outputs = {w.f}}); }},
    {"grad for an unused input",
     "AutogradError",
     {"grad", "allow_unused"},
     [](World& w) { grad({w.leaf}, {w.spare}, {.grad_outputs = {w.f}}); }},
    {"too few cotangents",
     "AutogradError",
     {"grad", "1", "2"},
     [](World& w) {
         grad({w.leaf, w.spare}, {w.leaf}, {.grad_outputs = {w.f}});
     }},
    {"a leaf that is overwritten", "AutogradError", {"add_", "leaf"}, [](World& w) { w.leaf.add_(1); }},
    {"a view of a leaf that is overwritten",
     "AutogradError",
     {"fill_", "leaf"},
     [](World& w) {
         Tensor row;
         {
             NoGradGuard quiet;
             row = w.leaf[0];
         }
         row.fill_(0);
     }},
    {"a leaf that is indexed and written",
     "AutogradError",
     {"index_put_", "leaf"},
     [](World& w) { w.leaf.index_put_({0}, w.v); }},
    {"a hook on a constant",
     "AutogradError",
     {"register_hook"},
     [](World& w) { w.f.register_hook([](const Tensor&) {}); }},
    {"retain_grad of a constant", "AutogradError", {"retain_grad"}, [](World& w) { w.f.retain_grad(); }},
    {"a gradient of another shape",
     "AutogradError",
     {"set_grad", "[4, 5]"},
     [](World& w) { w.leaf.set_grad(w.g); }},
};

const std::vector<Misuse> kWithoutTape = {
    {"backward without a tape",
     "AutogradError",
     {"backward", "tape"},
     [](World& w) { w.leaf.sum().backward(); }},
    {"grad without a tape", "AutogradError", {"grad", "tape"}, [](World& w) { grad({w.leaf}, {w.leaf}); }},
    {"backward of a value whose tape has ended",
     "AutogradError",
     {"backward"},
     [](World& w) {
         Tensor y;
         {
             Tape inner;
             y = w.leaf.sum();
         }
         Tape tape;
         y.backward();
     }},
    {"a second rewind",
     "AutogradError",
     {"sum", "retain_graph"},
     [](World& w) {
         Tape tape;
         const Tensor y = w.leaf.detach().set_requires_grad().sum();
         y.backward();
         y.backward();
     }},
    {"a saved value that was overwritten",
     "AutogradError",
     {"exp", "mul_"},
     [](World& w) {
         Tape tape;
         const Tensor y = (w.leaf * 1).exp();
         const Tensor z = y * 2;
         y.mul_(2);
         z.sum().backward();
     }},
    {"the gradient of a non-leaf",
     "AutogradError",
     {"retain_grad"},
     [](World& w) {
         Tape tape;
         (w.leaf * 2).grad();
     }},
    {"a recorded value told that it is a leaf",
     "AutogradError",
     {"set_requires_grad"},
     [](World& w) {
         Tape tape;
         (w.leaf * 2).set_requires_grad(false);
     }},
    {"a pullback of another shape",
     "AutogradError",
     {"mine", "[4, 5]", "[2, 3]"},
     [](World& w) {
         Tape tape;
         record("mine", w.f * 1, {{w.leaf, [g = w.g](const Tensor&) { return g; }}}).sum().backward();
     }},
    {"an anomaly forward",
     "AutogradError",
     {"log"},
     [](World& w) {
         Tape tape({.detect_anomaly = true});
         (w.leaf - 1).log();
     }},
    {"an anomaly backward",
     "AutogradError",
     {"sqrt"},
     [](World& w) {
         Tape tape({.detect_anomaly = true});
         (w.leaf - 1).sqrt().sum().backward();
     }},
};

/// Mistakes of a first evening: the message says what was done, and the way out.
const std::vector<Misuse> kFirstHour = {
    {"losses of two shapes that stretch each other",
     "ShapeError",
     {"mse_loss", "[5, 1]", "[5]", "[5, 5]", "squeeze()"},
     [](World&) {
         mse_loss(ones({5, 1}), ones({5}));
     }},
    {"l1_loss of the same",
     "ShapeError",
     {"l1_loss"},
     [](World&) {
         l1_loss(ones({5, 1}), ones({5}));
     }},
    {"huber_loss of the same",
     "ShapeError",
     {"huber_loss"},
     [](World&) {
         huber_loss(ones({5, 1}), ones({5}));
     }},
    {"kl_div of the same",
     "ShapeError",
     {"kl_div"},
     [](World&) {
         kl_div(ones({5, 1}), ones({5}));
     }},
    {"binary cross-entropy of the same",
     "ShapeError",
     {"binary_cross_entropy_with_logits"},
     [](World&) {
         binary_cross_entropy_with_logits(ones({5, 1}), ones({5}));
     }},
    {"an optimizer of a constant",
     "AutogradError",
     {"Adam", "[4, 5]", "does not require grad", "set_requires_grad()"},
     [](World& w) {
         Adam({w.leaf, w.g});
     }},
    {"a parameter given twice",
     "Error",
     {"SGD", "[2, 3]", "twice"},
     [](World& w) {
         SGD({w.leaf, w.spare, w.leaf});
     }},
    {"gradients clipped to less than nothing",
     "Error",
     {"clip_grad_norm_", "max_norm", "-1"},
     [](World& w) { clip_grad_norm_({w.leaf}, -1); }},
    {"a step without a gradient",
     "AutogradError",
     {"SGD", "no parameter has a gradient", "backward()"},
     [](World& w) { SGD({w.leaf}).step(); }},
    {"targets in libtorch's layout",
     "ShapeError",
     {"[2, 5]", "[2, 3, 5]", "{.dim = 1}"},
     [](World&) {
         cross_entropy(ones({2, 3, 5}), zeros({2, 5}, kInt64));
     }},
    {"one-hot targets of whole numbers",
     "ShapeError",
     {"class probabilities must be floating", "to(kFloat32)"},
     [](World& w) { cross_entropy(w.f, w.i); }},
    {"labels of floating numbers",
     "ShapeError",
     {"float32", "[2]", "class labels are int64", "to(kInt64)"},
     [](World& w) { cross_entropy(w.f, ones({2})); }},
    {"a product of two types",
     "DTypeError",
     {"float32", "[2, 3]", "float64", "[3, 2]", "right.to(left.dtype())"},
     [](World& w) { w.f.matmul(w.d.t()); }},
    {"the gradient before backward",
     "Error",
     {"undefined", "grad()", "no rewind"},
     [](World& w) { w.leaf.grad().sum(); }},
    {"a size left open",
     "ShapeError",
     {"[2, -1]", "view and reshape"},
     [](World&) {
         zeros({2, -1});
     }},
    {"a difference of misfits",
     "ShapeError",
     {"a - b (sub)", "[2, 3]", "[4, 5]"},
     [](World& w) { w.f - w.g; }},
};

/// The same without a tape of the table's.
const std::vector<Misuse> kFirstTape = {
    {"a tape made too late",
     "AutogradError",
     {"nothing is recorded", "since the tape was made", "set_requires_grad()", "w.sub_(...)"},
     [](World& w) {
         const Tensor loss = w.leaf.sum();
         Tape tape;
         loss.backward();
     }},
    {"a value of constants beside a tape in use",
     "AutogradError",
     {"before the tape was made", "NoGradGuard"},
     [](World& w) {
         Tape tape;
         const Tensor used = w.leaf.sum();
         w.f.sum().backward();
     }},
    {"backward once the tape has ended",
     "AutogradError",
     {"the tape that recorded it has ended", "while it lives"},
     [](World& w) {
         Tensor loss;
         {
             Tape tape;
             loss = w.leaf.sum();
         }
         loss.backward();
     }},
    {"backward beside another tape",
     "AutogradError",
     {"the tape that recorded it has ended"},
     [](World& w) {
         Tensor loss;
         {
             Tape tape;
             loss = w.leaf.sum();
         }
         Tape tape;
         loss.backward();
     }},
};

const std::vector<Misuse> kOthers = {
    {"an undefined tensor", "Error", {"undefined"}, [](World& w) { w.f + Tensor(); }},
    {"the shape of an undefined tensor", "Error", {"undefined"}, [](World&) { Tensor().sizes(); }},
    {"arange that does not arrive", "Error", {"arange", "-1"}, [](World&) { arange(0, 5, -1); }},
    {"arange without a step", "Error", {"arange", "0"}, [](World&) { arange(0, 5, 0); }},
    {"linspace of fewer than no steps", "ShapeError", {"linspace", "-1"}, [](World&) { linspace(0, 1, -1); }},
    {"a tolerance below 0", "Error", {"isclose", "-0.4"}, [](World& w) { isclose(w.f, w.f, -0.4); }},
    {"a number that int64 does not hold",
     "Error",
     {"masked_fill", "inf", "int64"},
     [](World& w) { w.i.masked_fill_(w.b, std::numeric_limits<double>::infinity()); }},
    {"a number that float32 does not hold",
     "Error",
     {"mul_", "1e+300", "float32"},
     [](World& w) { w.f.mul_(1e300); }},
    {"an element that int does not hold",
     "Error",
     {"item", "int32"},
     [](World&) { tensor(kMost).item<int>(); }},
    {"no threads", "Error", {"set_num_threads", "0"}, [](World&) { set_num_threads(0); }},
    {"from_blob of nothing", "Error", {"from_blob", "null"}, [](World&) { from_blob(nullptr, {2}); }},
    {"a file that is not there", "IoError", {"no-such-file"}, [](World&) { load_npy("/no-such-file.npy"); }},
    {"a folder that is not there",
     "IoError",
     {"no-such-folder"},
     [](World& w) { save_npy("/no-such-folder/x.npy", w.f); }},
    {"samples of negative weights",
     "Error",
     {"multinomial"},
     [](World&) {
         multinomial(tensor({-1.0, 2.0}), 1);
     }},
    {"more samples than weights",
     "Error",
     {"multinomial", "3"},
     [](World&) {
         multinomial(tensor({1.0, 2.0}), 3);
     }},
    {"a probability above one", "Error", {"bernoulli"}, [](World&) { bernoulli(tensor({1.5})); }},
    {"an empty range of integers", "Error", {"randint", "5"}, [](World&) { randint(5, 5, {2}); }},
};

}  // namespace

TEST_CASE("misuse: shapes") {
    for (const Misuse& misuse : kShapes) check(misuse, true);
}
TEST_CASE("misuse: sizes and offsets") {
    for (const Misuse& misuse : kSizes) check(misuse, true);
}
TEST_CASE("misuse: indices") {
    for (const Misuse& misuse : kIndices) check(misuse, true);
}
TEST_CASE("misuse: element types") {
    for (const Misuse& misuse : kDTypes) check(misuse, true);
}
TEST_CASE("misuse: autograd on a living tape") {
    for (const Misuse& misuse : kAutograd) check(misuse, true);
}
TEST_CASE("misuse: autograd, each on a tape of its own") {
    for (const Misuse& misuse : kWithoutTape) check(misuse, false);
}
TEST_CASE("misuse: the first hour") {
    for (const Misuse& misuse : kFirstHour) check(misuse, true);
    for (const Misuse& misuse : kFirstTape) check(misuse, false);
}
TEST_CASE("misuse: values and files") {
    for (const Misuse& misuse : kOthers) check(misuse, true);
}
TEST_CASE("misuse: on recorded values") {
    for (const auto& table : {kShapes, kIndices, kDTypes, kOthers}) {
        for (const Misuse& misuse : table) check_recorded(misuse);
    }
}
TEST_CASE("misuse: on views whose base was written") {
    for (const auto& table : {kShapes, kIndices, kDTypes, kOthers}) {
        for (const Misuse& misuse : table) check_stale(misuse);
    }
}
TEST_CASE("misuse: the table holds at least 80 rows") {
    CHECK(kShapes.size() + kIndices.size() + kDTypes.size() + kAutograd.size() + kWithoutTape.size() +
              kOthers.size() >=
          80);
}
