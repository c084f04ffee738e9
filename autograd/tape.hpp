/// \file
/// The tape: a Wengert list. Operations append nodes to it in the order of execution; the rewind
/// (`rewind.cpp`) walks it from the end to the front. An operation puts itself on the tape by `record`, and
/// by nothing else. What it gives `record` is in `pullback.hpp`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include "pullback.hpp"

#pragma GCC visibility push(default)
namespace reel {

/// Puts an operation on this thread's tape and returns `output` as its result. Without a living tape, under a
/// `NoGradGuard`, or where no input wants a gradient it returns `output` and keeps nothing.
///
/// `name` must be a string literal (a `std::string` is kept for good). Each edge is `{input, pullback}`,
/// where `pullback(y_bar)` or `pullback(y_bar, y)` returns the gradient for that input, in the shape of the
/// input or of anything that the input was broadcast to: the rewind sums it down. Edges to undefined tensors
/// and to constants are dropped, with what they would have kept.
///
/// Note [Zero is a gradient]
/// An operation whose derivative vanishes is recorded like any other, with `zero_gradient` (an empty
/// `Pullback`) in the place of a pullback: the rewind reaches its inputs, and what it reaches by zeros alone
/// gets zeros. No pullback is called on the way, so that this costs nothing and 0 · ∞ makes no NaN. (A
/// pullback that returns an undefined tensor sends nothing.)
///
/// Note [First all that can fail]
/// An operation that throws leaves every tensor and tape as before. So it checks first, then makes its result
/// or, in place, puts itself on the tape, then writes; what is left after the write cannot fail. `record` and
/// `InPlaceWrite` take back all that they have put on the tape when they do not come to their end.
///
/// Note [What a pullback keeps]
/// A kept closure is copied to the tape once, while a `CopyObserver` watches: every tensor handle copied in
/// that moment is one that the closure captured. Its version is noted, so that the rewind can refuse values
/// overwritten since, and its bytes are counted. So a pullback simply captures what it needs, and is called
/// with the *recorded* output `y`. What is computed off the tape from the result (a slope, a cast, a clone)
/// has no history when it is captured, which passes a first-order check and is silently wrong at the second
/// order. Never capture by reference, `[&]`: the pullback outlives the call.
Tensor record(const char* name, Tensor output, std::initializer_list<Edge> edges);
Tensor record(const char* name, Tensor output, const std::vector<OwnedEdge>& edges);
Tensor record(const std::string& name, Tensor output, std::initializer_list<Edge> edges);

/// The same for an operation that overwrites `self`; made before the write, committed after it:
///
///     InPlaceWrite write("mul_", self, {{self, …}, {other, …}});
///     …                                                          // the memory of `self` is written
///     write.commit();
///
/// Throws, before anything is changed, unless `self` may be overwritten: no leaf that wants a gradient while
/// a tape records, no expanded memory, no value of an outer tape. The edge to the old value of `self`, if
/// any, must name `self` as its input; pullbacks take ȳ alone. What a pullback captured of the memory that is
/// written is refused by the rewind. A write that is not committed has not been.
class InPlaceWrite {
public:
    InPlaceWrite(const char* name, const Tensor& self, std::initializer_list<Edge> edges);
    InPlaceWrite(const InPlaceWrite&) = delete;
    InPlaceWrite& operator=(const InPlaceWrite&) = delete;
    ~InPlaceWrite();
    /// `self`, and the tensor that it is a view of, get their new version and history. Throws only what
    /// anomaly detection finds, with the old value put back.
    void commit();

private:
    struct Recording;
    const char* name_;
    const Tensor& self_;
    std::unique_ptr<Recording> recording_;  ///< none where nothing is put on a tape
};
/// The checks of an `InPlaceWrite` alone.
void check_in_place(const char* name, const Tensor& self);

/// How much there is on a tape.
struct TapeMark {
    std::size_t nodes = 0, edges = 0, blocks = 0, leaves = 0;
};

/// Lives in an operation that is composed of recorded ones: if it throws, what it has put on the tape is
/// taken back.
class Composite {
public:
    Composite();
    Composite(const Composite&) = delete;
    Composite& operator=(const Composite&) = delete;
    ~Composite();

private:
    std::uint64_t tape_ = 0;  ///< 0: nothing is recorded
    int exceptions_;
    TapeMark mark_;
};

/// A number that an operation writes to its result, as one of its inputs. It wants no gradient, so that its
/// pullback is never called; anomaly detection sees by it that an infinity was asked for. Undefined, and so
/// no edge at all, where the number is finite.
Tensor nonfinite_input(Scalar number);

/// Gives `to`, a copy of `from`, its place on the tape.
void copy_history(const Tensor& from, const Tensor& to);
/// Whether operations are recorded now.
bool is_recording();
/// Whether `record` would keep anything for an operation on `input`.
bool is_recorded(const Tensor& input);
/// Throws where `record` would keep something for an operation on `input`, which is a constant of the operation.
void check_constant(const char* name, const char* what, const Tensor& input);

struct TapeOptions {
    bool detect_anomaly = false;  ///< throw at the first NaN or Inf made out of finite numbers
    bool watch = false;           ///< note the numbers that pass, for `to_html`
};

/// One node of a tape as a reader sees it.
struct TapeNode {
    struct Input {
        std::int64_t node;  ///< the number of the node that made it, or -1 for a leaf
        Shape shape;
    };
    std::int64_t number;
    std::string operation;
    std::vector<Input> inputs;
    Shape shape;
    DType dtype;
    std::int64_t bytes_kept;  ///< by its pullbacks, each storage counted once
    bool freed;               ///< a rewind has used it
};

struct PageOptions;

/// While one lives, this thread's operations are recorded on it. Tapes nest: the innermost records, and its
/// end restores the outer one. It ends on the thread that made it, and not in a hook or pullback of a rewind
/// over it: the thread would go on with memory that is gone, so the program is aborted with a message instead.
class Tape {
public:
    explicit Tape(TapeOptions options = {});
    Tape(const Tape&) = delete;
    Tape& operator=(const Tape&) = delete;
    ~Tape();

    /// The number of nodes.
    std::size_t size() const;
    TapeNode operator[](std::size_t number) const;

    class Iterator {
    public:
        using value_type = TapeNode;
        using difference_type = std::ptrdiff_t;
        Iterator() = default;
        Iterator(const Tape* tape, std::size_t number) : tape_(tape), number_(number) {}
        TapeNode operator*() const { return (*tape_)[number_]; }
        Iterator& operator++() {
            ++number_;
            return *this;
        }
        Iterator operator++(int) { return {tape_, number_++}; }
        bool operator==(const Iterator& other) const { return number_ == other.number_; }

    private:
        const Tape* tape_ = nullptr;
        std::size_t number_ = 0;
    };
    Iterator begin() const { return {this, 0}; }
    Iterator end() const { return {this, size()}; }

    /// All bytes that the nodes keep, each storage counted once.
    std::int64_t bytes_kept() const;
    /// The graph in Graphviz's language.
    std::string to_dot() const;
    /// Writes one page, for a browser, that needs nothing else: the graph, which can be stepped through
    /// forward and backward, with what is known of every node and the formula of its pullback. It has
    /// numbers if the tape was made with `watch`: of each value as it was recorded and of each gradient as
    /// the last rewind left it. Throws an `IoError` when the file cannot be written.
    void to_html(const std::string& path) const;
    /// The same with a title, names, and a comparison with float64 (`tape_page.hpp`).
    void to_html(const std::string& path, const PageOptions& options) const;

    struct State;
    State& state() const { return *state_; }

private:
    std::unique_ptr<State> state_;
};

/// A table of the nodes: number, operation, inputs, shape, bytes kept.
std::ostream& operator<<(std::ostream& out, const Tape& tape);

/// Pauses recording on this thread while it lives. It ends there, too: elsewhere the program is aborted.
class NoGradGuard {
public:
    NoGradGuard();
    NoGradGuard(const NoGradGuard&) = delete;
    NoGradGuard& operator=(const NoGradGuard&) = delete;
    ~NoGradGuard();

private:
    bool& place_;
    bool before_;
};

struct GradOptions {
    std::vector<Tensor> grad_outputs = {};  ///< cotangents; ones for one-element outputs where not given
    std::optional<bool> retain_graph =
        None;                   ///< keep what the rewind uses; as `create_graph` where not given
    bool create_graph = false;  ///< record the rewind itself, on the same tape
    bool allow_unused = false;  ///< give an undefined tensor for an input that no output depends on
};

/// Σ grad_outputs · ∂outputs / ∂inputs, one tensor for each input; accumulates nothing.
std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                         const GradOptions& options = {});

}  // namespace reel
#pragma GCC visibility pop
