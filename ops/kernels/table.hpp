/// \file
/// The kernels by name: raw loops over dense memory. They are compiled once per instruction set; `kernels()`
/// is the table of the best set that this machine has. No kernel knows a tensor or the tape; nothing outside
/// `ops/` calls one.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "tensor/dtype.hpp"
#include "tensor/transpose.hpp"

namespace reel::kernels {

/// Pointwise functions. Those that take parameters find them in `parameters`.
enum class Fn : std::uint8_t {
    kIdentity,
    // one operand
    kNeg,
    kAbs,
    kSign,
    kExp,
    kExpm1,
    kLog,
    kLog1p,
    kSqrt,
    kRsqrt,
    kSquare,
    kCube,
    kReciprocal,
    kSin,
    kCos,
    kTan,
    kTanh,
    kErf,
    kSigmoid,
    kRelu,
    kLeakyRelu,
    kElu,
    kGelu,
    kGeluTanh,
    kSilu,
    kSoftplus,
    kLogSigmoid,
    kFloor,
    kCeil,
    kRound,
    kTrunc,
    kNanToNum,
    kClampTo,
    // one operand → bool
    kIsNan,
    kIsInf,
    kIsFinite,
    kLogicalNot,
    // two operands
    kAdd,
    kSub,
    kMul,
    kDiv,
    kPow,
    kMaximum,
    kMinimum,
    kFmod,
    kRemainder,
    kAtan2,
    kLogAddExp,
    kXlogy,
    kAxpy,
    kSquaredDistance,
    kHuber,
    // two operands → bool
    kEq,
    kNe,
    kLt,
    kLe,
    kGt,
    kGe,
    kLogicalAnd,
    kLogicalOr,
    kLogicalXor,
    // bool, then two operands
    kWhere,
    // three operands
    kClamp,
    kLerp,
    kBinaryCrossEntropy,
    kBinaryCrossEntropyBackward,
    // fused backward passes: ȳ, then y or x
    kTanhBackward,
    kSigmoidBackward,
    kReluBackward,
    kLeakyReluBackward,
    kGeluBackward,
    kGeluTanhBackward,
    kSiluBackward,
    // the same of losses: ȳ, x, target
    kSquaredDistanceBackward,
    kHuberBackward,
    kCount
};
/// Whether the results are bool.
constexpr bool gives_bool(Fn fn) {
    return (fn >= Fn::kIsNan && fn <= Fn::kLogicalNot) || (fn >= Fn::kEq && fn <= Fn::kLogicalXor);
}
/// Whether computing takes about as long as bringing the operands: what has an exponential in it, or the like.
constexpr bool takes_long(Fn fn) {
    return (fn >= Fn::kExp && fn <= Fn::kLog1p) || (fn >= Fn::kSin && fn <= Fn::kSigmoid) ||
           (fn >= Fn::kElu && fn <= Fn::kLogSigmoid) || fn == Fn::kPow ||
           (fn >= Fn::kAtan2 && fn <= Fn::kXlogy) ||
           (fn >= Fn::kBinaryCrossEntropy && fn <= Fn::kBinaryCrossEntropyBackward) ||
           (fn >= Fn::kGeluBackward && fn <= Fn::kSiluBackward);
}

/// y[i] = f(x₀[i], x₁[i], …) for i < n. All memory is dense; y may be one of the x.
using Loop = void (*)(std::int64_t n, void* y, const void* const* x, const double* parameters);

/// The same of two operands for each of `rows` rows of n elements: row r begins at x_k + r · stride_k.
using RowsLoop = void (*)(std::int64_t rows, std::int64_t n, void* y, std::int64_t y_stride,
                          const void* const* x, const std::int64_t* stride);

/// to[i] = from[i], converted as `convert_element` does.
using Convert = void (*)(std::int64_t n, const void* from, void* to);

/// Ways to reduce many numbers to one. What the numbers seen so far come to is a *state*: a number of the
/// same type for the first five, an `Extreme` for the next two, a `Moments` for the last.
enum class ReduceOp : std::uint8_t {
    kSum,
    kSumSquares,
    kProd,
    kMax,
    kMin,
    kArgMax,
    kArgMin,
    kMoments,
    kCount
};

/// The winner so far, and where it stood first.
template <class T>
struct Extreme {
    T value;
    std::int64_t index;
};

/// n, the mean and Σ (x − mean)². Sums of squares alone would cancel where the mean is large.
struct Moments {
    double count;
    double mean;
    double squares;
};

/// Reduces a matrix x whose rows are dense and `stride` elements apart, along its rows or its columns. `first`
/// is the index of the first element along what is reduced.
using ReduceMatrix = void (*)(std::int64_t rows, std::int64_t columns, const void* x, std::int64_t stride,
                              std::int64_t first, void* states);

/// Whether vectors are made of elements that are `step` apart.
constexpr bool is_short_step(std::int64_t step) { return step >= 2 && step <= 4; }

/// The same along rows whose elements are a short step apart.
using ReduceApart = void (*)(std::int64_t rows, std::int64_t columns, const void* x, std::int64_t stride,
                             std::int64_t step, void* states);

struct Reduction {
    std::int64_t state = 0;          ///< bytes of a state
    ReduceMatrix rows = nullptr;     ///< states[i] = reduction over j of x[i][j]
    ReduceMatrix columns = nullptr;  ///< states[j] = reduction over i of x[i][j]
    ReduceMatrix merge = nullptr;    ///< as `columns`, of a matrix of states
    ReduceApart apart = nullptr;     ///< as `rows`, with the same bits; null where rows have to be dense
};

/// The first of `n` elements that an order with NaN at its end may put beyond `limit`; n where there is none.
using Beyond = std::int64_t (*)(std::int64_t n, const void* x, const void* limit);

inline constexpr std::int64_t kFewFirst = 8;

/// Ways to reduce numbers one after the other and keep every state: sᵢ = sᵢ₋₁ + xᵢ, sᵢ₋₁ xᵢ, xᵢ + aᵢ sᵢ₋₁.
enum class Scan : std::uint8_t { kSum, kProd, kLinear, kCount };

/// `lanes` scans of `n` elements each: element i of scan k is at x[i · along + k · across].
using ScanLanes = void (*)(std::int64_t n, std::int64_t lanes, std::int64_t along, std::int64_t across,
                           const void* x, const void* a, void* y);

/// The index of a copy's loop for elements of `bytes` (1, 2, 4 or 8) bytes.
constexpr std::size_t unit_of(std::size_t bytes) { return bytes == 8 ? 3 : bytes / 2; }

/// Places along one dimension: element i < `length` of row r < `rows` is at first + r · row_step + i · step + stride · index[r ·
/// length + i].
struct IndexedRows {
    const std::int64_t* index;
    std::int64_t rows, length;
    std::int64_t first, row_step, step, stride;
};

/// Rows of `row` elements at listed offsets; those on the other side are one `step` after the other.
struct Indexing {
    using Move = void (*)(std::int64_t n, std::int64_t row, std::int64_t step, const void* from,
                          const std::int64_t* offsets, void* to);
    /// offsets[i] = first + i · step + stride · index[i] for i < n, where negative indices count from `end`
    /// (`size`, or 0 where they are refused). Returns the first i whose index is out of range, or n.
    std::int64_t (*locate)(std::int64_t n, const std::int64_t* index, std::int64_t size, std::int64_t end,
                           std::int64_t stride, std::int64_t first, std::int64_t step,
                           std::int64_t* offsets) = nullptr;
    /// The same of another index: offsets[i] += stride · index[i].
    std::int64_t (*move_on)(std::int64_t n, const std::int64_t* index, std::int64_t size, std::int64_t end,
                            std::int64_t stride, std::int64_t* offsets) = nullptr;
    Move take[4] = {};  ///< to[i · step] = from[offsets[i]]
    Move put[4] = {};   ///< to[offsets[i]] = from[i · step], one after the other
    Move add[6] = {};   ///< to[offsets[i]] += from[i · step], one after the other, by type
    /// Whether `n` indices are all in [0, size).
    bool (*in_range)(std::int64_t n, const std::int64_t* index, std::int64_t size) = nullptr;
    /// The same of single elements whose places need not be listed; what is taken is dense.
    void (*take_each[4])(const IndexedRows& at, const void* from, void* to) = {};
    using MoveEach = void (*)(const IndexedRows& at, std::int64_t step, const void* from, void* to);
    MoveEach put_each[4] = {};
    MoveEach add_each[6] = {};
    /// How many of `n` are true.
    std::int64_t (*count)(std::int64_t n, const Bool* mask) = nullptr;
    /// The first `wanted` elements for which the mask holds.
    void (*compact[4])(std::int64_t wanted, const Bool* mask, const void* from, void* to) = {};
    /// Their positions, counted from `first`.
    void (*positions)(std::int64_t wanted, const Bool* mask, std::int64_t first, std::int64_t* to) = nullptr;
};

/// The rules by which an optimizer changes a parameter.
enum class Rule : std::uint8_t { kSgd, kMomentum, kAdam, kCount };

/// What the rules take; `optim/optimizer.hpp` has the formulas.
struct UpdateNumbers {
    double lr = 0;
    double weight_decay = 0;
    double beta1 = 0;  ///< or the momentum
    double beta2 = 0;
    double eps = 0;
    double correction1 = 1;  ///< 1 − β₁ᵗ
    double correction2 = 1;  ///< 1 − β₂ᵗ
    bool fresh = false;      ///< the momentum starts here
    bool nesterov = false;
    bool decoupled = false;  ///< weight decay beside the gradient
};

/// Changes p[0..n) by g[0..n), with the rule's state in dense arrays beside them.
using Update = void (*)(std::int64_t n, void* p, const void* g, void* const* state,
                        const UpdateNumbers& numbers);

/// Dense memory of a group of fibres along one dimension. In a group of rows fibre f is dense and begins at
/// data[f · stride]; in a group of lanes the fibres lie side by side, and element c of them begins at
/// data[c · stride].
struct ConstPanel {
    const void* data;
    std::int64_t stride;
};
struct Panel {
    void* data;
    std::int64_t stride;
    bool streams = false;  ///< rows are best written past the caches
};
enum Grouping : std::uint8_t { kRows, kLanes };

/// No vector of any instruction set has more bytes.
constexpr std::int64_t kMaxVector = 64;

/// Up to so many rows of up to so many elements are taken at once.
constexpr std::int64_t kShortRows = 8;
constexpr std::int64_t kShortRow = 1024;

/// The most fibres of a group.
constexpr std::int64_t kMaxFibres = 64;
/// Bytes of what is kept of fibres side by side, so that it stays in L1.
constexpr std::int64_t kNearLanes = 16 << 10;
/// Bytes of an element of fibres that are kept together where elements lie pages apart.
constexpr std::int64_t kLaneBytes = 128;
constexpr std::int64_t kPage = 4096;

/// Target probabilities of a group of fibres: q = weight · (share · probability + floor), and at each fibre's
/// class an excess above that.
struct SoftTargets {
    ConstPanel probability;  ///< data is null where all are 0
    const double* weight;    ///< of each class; null where all are 1
    double share;
    double floor;
    const std::int64_t* classes;  ///< null where there is no excess
    const double* excess;
};

/// One class for each fibre of a group, or none where its label is `ignored`.
struct HardTargets {
    const std::int64_t* labels;
    std::int64_t ignored;
    const double* weight;  ///< of each class; null where all are 1
};

/// Doubles that take the exponentials of a row of n, or of a vector of fibres side by side.
constexpr std::int64_t room_for_exponentials(Grouping grouping, std::int64_t n) {
    constexpr std::int64_t kVector = kMaxVector / static_cast<std::int64_t>(sizeof(double));
    return grouping == kRows ? n + kVector : n * kVector;
}

/// Kernels on groups of `count` fibres of `n` elements, by their grouping. Per fibre, max is its largest
/// element, rest = Σ e^(x - max) over all its elements but one that attains the maximum, and
/// log_sum = log(1 + rest). max and rest are of the type computed in.
struct Softmax {
    /// From how many elements on rows are taken as rows, not side by side: four vectors, and two of a gradient. Fewer where a
    /// kernel turns short rows itself, which none for target probabilities does.
    std::int64_t long_row = 0;
    std::int64_t long_backward_row = 0;
    std::int64_t long_soft_row = 0;
    std::int64_t long_soft_backward_row = 0;
    void (*statistics[2])(std::int64_t n, std::int64_t count, ConstPanel x, void* max, void* rest,
                          double* log_sum) = {};
    /// The same, computed in double precision.
    void (*wide_statistics[2])(std::int64_t n, std::int64_t count, ConstPanel x, void* max, void* rest,
                               double* log_sum) = {};
    /// loss = weight · (max - x at the label + log_sum), 0 where the weight is. A fibre without a finite maximum has a rest and
    /// a loss of NaN.
    void (*hard_losses[2])(std::int64_t n, std::int64_t count, ConstPanel x, const HardTargets& q, void* max,
                           void* rest, double* loss) = {};
    /// y = factor · e^(x - max) / (1 + rest).
    void (*exponentials[2])(std::int64_t n, std::int64_t count, ConstPanel x, const void* max,
                            const void* rest, const double* factor, Panel y) = {};
    /// The same, less the factor at each fibre's label. Factors are weighted before.
    void (*hard_gradient[2])(std::int64_t n, std::int64_t count, ConstPanel x, const HardTargets& q,
                             const void* max, const void* rest, double* factor, Panel y) = {};
    /// For target probabilities q: mass = Σ q and distance = Σ q (max - x), where 0 · inf is 0.
    void (*expectations[2])(std::int64_t n, std::int64_t count, ConstPanel x, const void* max,
                            const SoftTargets& q, double* mass, double* distance) = {};
    /// y = factor · (mass · e^(x - max) / (1 + rest) - q), computed in double precision from x on; of `rest` it is only
    /// seen how small it is. mass is null where it is Σ q without an excess. `scratch` takes `room_for_exponentials`.
    void (*residuals[2])(std::int64_t n, std::int64_t count, ConstPanel x, const void* max, const void* rest,
                         const SoftTargets& q, const double* mass, const double* factor, void* scratch,
                         Panel y) = {};
    /// y = e^(x - max) / (1 + rest), `empty` in fibres that are all -inf. `scratch` is aligned as vectors are. For lanes it takes
    /// n vectors (n times `kLaneBytes` where elements lie pages apart) and at least `kNearLanes` bytes, for rows n elements and
    /// a vector, for short ones `kShortRows` times that.
    void (*probabilities[2])(std::int64_t n, std::int64_t count, ConstPanel x, double empty, void* scratch,
                             Panel y) = {};
    /// y = (x - max) - log_sum; NaN in fibres without a finite maximum.
    void (*log_probabilities[2])(std::int64_t n, std::int64_t count, ConstPanel x, Panel y) = {};
    /// x̄ = y (ȳ - Σ ȳ y) for y = softmax(x), and x̄ = ȳ - e^y Σ ȳ for y = log softmax(x).
    void (*backward[2])(std::int64_t n, std::int64_t count, ConstPanel y_bar, ConstPanel y, Panel x_bar) = {};
    void (*log_backward[2])(std::int64_t n, std::int64_t count, ConstPanel y_bar, ConstPanel y,
                            Panel x_bar) = {};
};

/// Normalization of dense rows of n elements. A mean is two numbers, the second what rounding the first has lost:
/// beside a large mean it would show in x̂. Null: no weight, no bias, no mean (μ = 0); a gradient that is not wanted. w̄ and b̄ are sums over these rows; x is read for x̄ and w̄ only.
struct Norm {
    void (*forward)(std::int64_t rows, std::int64_t n, const void* x, const void* weight, const void* bias,
                    double eps, void* y, void* means, void* rstds) = nullptr;
    void (*backward)(std::int64_t rows, std::int64_t n, const void* y_bar, const void* x, const void* weight,
                     const void* means, const void* rstds, void* x_bar, void* w_bar, void* b_bar) = nullptr;
};

/// A window that slides over planes of height × width: where it stands for each of out_height × out_width
/// results.
struct Sliding {
    std::int64_t height, width;
    std::int64_t out_height, out_width;
    std::int64_t kernel_height, kernel_width;
    std::int64_t stride_height, stride_width;
    std::int64_t padding_height, padding_width;
    std::int64_t dilation_height, dilation_width;
};

/// What windows do to dense planes.
struct Window {
    /// columns[c · kernel + place][result] = what the window over plane c shows at `place` for the results of
    /// output rows [begin, end); 0 outside the plane.
    void (*unfold)(const Sliding& s, std::int64_t planes, std::int64_t begin, std::int64_t end, const void* x,
                   void* columns) = nullptr;
    /// The adjoint: adds the columns to the planes.
    void (*fold)(const Sliding& s, std::int64_t planes, std::int64_t begin, std::int64_t end,
                 const void* columns, void* x) = nullptr;
    /// The largest element under the window, the first of several, or a NaN; and its place in the plane. Where
    /// all is padding: -inf, and -1.
    void (*max)(const Sliding& s, std::int64_t planes, const void* x, void* y,
                std::int64_t* indices) = nullptr;
    /// x[indices[i]] += y[i], plane by plane, but for indices of -1.
    void (*max_backward)(const Sliding& s, std::int64_t planes, const void* y, const std::int64_t* indices,
                         void* x) = nullptr;
    /// The sum under the window times `scale` of the result.
    void (*sum)(const Sliding& s, std::int64_t planes, const void* x, const void* scale, void* y) = nullptr;
    /// The adjoint: adds every result times its scale to what is under the window.
    void (*sum_backward)(const Sliding& s, std::int64_t planes, const void* y, const void* scale,
                         void* x) = nullptr;
};

/// Planes of lines: what they hold, and how far it is from one plane and one line to the next, on both sides
/// of a copy; elements are dense on the side that is written.
struct Lines {
    std::int64_t planes, height, width;
    std::int64_t from_plane, from_line, from_step;
    std::int64_t to_plane, to_line;
};

/// Sums over shifted reads of one dense array: a convolution. Positions p run over [0, n),
/// rounded up to a multiple of `step`, a vector: so far x must be readable from each of its places, and y writable.
struct Correlate {
    std::int64_t step = 1;
    /// Writes the weights w[o · terms + k] in the order in which `sums` reads them.
    void (*pack)(std::int64_t outputs, std::int64_t terms, const void* w, void* packed) = nullptr;
    /// y[o · y_stride + p] = start[o] + Σ_k w[o · terms + k] x[taps[k] + p], w packed. Null: no start.
    void (*sums)(std::int64_t outputs, std::int64_t n, std::int64_t terms, const void* x,
                 const std::int64_t* taps, const void* w, const void* start, void* y,
                 std::int64_t y_stride) = nullptr;
    /// w[o · terms + k] += Σ_p y[o · y_stride + p] x[taps[k] + p].
    void (*products)(std::int64_t outputs, std::int64_t n, std::int64_t terms, const void* y,
                     std::int64_t y_stride, const void* x, const std::int64_t* taps, void* w) = nullptr;
    /// Copies lines.
    void (*copy)(const Lines& lines, const void* from, void* to) = nullptr;
};

/// A block of a product, C = start + A B, whose operands are in cache. A and B are made of panels: of `rows`
/// rows of A, of the tile's columns of B; the last ones may be narrower. Strides count elements.
struct GemmBlock {
    std::int64_t m, n, k;
    std::int64_t rows;  ///< of a panel of A, at most those of the tile
    const void* a;
    std::int64_t a_panel, a_row, a_step;  ///< from panel to panel; inside one along m and along k
    const std::int64_t* a_rows;           ///< or A is listed: element (i, l) is at a_rows[i] + a_terms[l]
    const std::int64_t* a_terms;
    const void* b;
    std::int64_t b_panel, b_step;  ///< a row of a panel is dense
    const void* start;             ///< null: 0
    std::int64_t start_row;
    void* c;  ///< may be `start`
    std::int64_t c_row;
};

/// So many rows and terms are few. (Four rows of 512 × 512 take 70 µs without panels, 50 with them.)
constexpr std::int64_t kFewRows = 2;
constexpr std::int64_t kFewTerms = 4;

/// Products of matrices; operands of 16 bits are packed first.
struct Gemm {
    std::int64_t rows = 0;  ///< the tile of C whose sums stay in registers
    std::int64_t columns = 0;
    void (*multiply)(const GemmBlock& block) = nullptr;
    /// The same of an A that is listed; of floating types.
    void (*multiply_listed)(const GemmBlock& block) = nullptr;
    /// The same without panels, where B's rows are dense: for one row, or few terms.
    void (*multiply_rows)(const GemmBlock& block) = nullptr;
    /// The same where B's columns are dense, a tile of them `b_panel` long: for few rows.
    void (*multiply_columns)(const GemmBlock& block) = nullptr;
    /// Panels of `width` of n columns, of k rows each:
    /// to[(p k + l) width + j] = from[l · along + (p width + j) · across], in the type that is computed in, with
    /// anything after column n − 1. Writes up to a vector beyond the last panel.
    void (*pack)(std::int64_t k, std::int64_t n, const void* from, std::int64_t along, std::int64_t across,
                 std::int64_t width, void* to) = nullptr;
    /// y[i] = Σ_l a[i · row + l · step] x[i · x_row + l] for i < m, where step is 1, or row is and x_row 0.
    void (*dots)(std::int64_t m, std::int64_t k, const void* a, std::int64_t row, std::int64_t step,
                 const void* x, std::int64_t x_row, void* y) = nullptr;
};

/// No operand of a row is one number for all elements.
constexpr int kNoneSame = 2;
constexpr std::size_t kFns = static_cast<std::size_t>(Fn::kCount);
constexpr std::size_t kReduceOps = static_cast<std::size_t>(ReduceOp::kCount);
constexpr std::size_t kScans = static_cast<std::size_t>(Scan::kCount);
constexpr std::size_t kDTypes = 6;

struct Table {
    const char* instruction_set = "";
    Loop pointwise[kFns][kDTypes] = {};    ///< by the type computed in; null where there is none
    Loop spread[2][kFns][kDTypes] = {};    ///< the same where this operand is one number for all elements
    RowsLoop rows[3][kFns][kDTypes] = {};  ///< where it is one number for each row, or none is (`kNoneSame`)
    Convert convert[kDTypes][kDTypes] = {};  ///< from, to
    Reduction reduce[kReduceOps][kDTypes] = {};
    Indexing indexing;
    Update update[static_cast<std::size_t>(Rule::kCount)][kDTypes] = {};
    Softmax softmax[kDTypes] = {};
    ScanLanes scan[kScans][kDTypes] = {};
    Norm norm[kDTypes] = {};
    Window window[kDTypes] = {};
    Correlate correlate[kDTypes] = {};
    Gemm gemm[kDTypes] = {};         ///< by the operands' type
    Beyond beyond[2][kDTypes] = {};  ///< not at least `limit`, and not at most
    /// Where the k ≤ kFewFirst first elements of each dense row of n stand, in order: the smallest first, NaN last, and the first
    /// of equals first, or `descending` the other way round but for equals.
    void (*few_first)(std::int64_t rows, std::int64_t n, std::int64_t k, bool descending, const float* x,
                      std::int64_t* indices) = nullptr;
    std::int64_t few_first_row = 0;  ///< elements of a row up to which that is faster than row by row
    /// to[i] = from[i · step] for i < n and a short step, of four or eight bytes.
    void (*read_every[2])(std::int64_t n, const void* from, std::int64_t step, void* to) = {};
    /// Of elements of four bytes: see below.
    void (*transpose)(const std::uint32_t* from, std::int64_t step, std::int64_t rows, std::int64_t columns,
                      std::uint32_t* to, std::int64_t to_step) = nullptr;
};

/// The kernels of the best instruction set that this machine has; the environment variable `REEL_ARCH` (sse2,
/// avx2, avx512, neon) names another one.
/// The table, once it is chosen.
extern constinit std::atomic<const Table*> chosen;
const Table& choose_kernels();
inline const Table& kernels() {
    const Table* table = chosen.load(std::memory_order_acquire);
    return table ? *table : choose_kernels();
}

inline Loop loop(Fn fn, DType dtype) {
    return kernels().pointwise[static_cast<std::size_t>(fn)][static_cast<std::size_t>(dtype)];
}
/// Of two operands, number `same` of which is one number for all elements; null for most functions.
inline Loop spread_loop(Fn fn, DType dtype, std::size_t same) {
    return kernels().spread[same][static_cast<std::size_t>(fn)][static_cast<std::size_t>(dtype)];
}
/// The same for rows of two operands, or `kNoneSame`.
inline RowsLoop rows_loop(Fn fn, DType dtype, std::size_t same) {
    return kernels().rows[same][static_cast<std::size_t>(fn)][static_cast<std::size_t>(dtype)];
}
inline Convert convert(DType from, DType to) {
    return kernels().convert[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)];
}
inline Update update(Rule rule, DType dtype) {
    return kernels().update[static_cast<std::size_t>(rule)][static_cast<std::size_t>(dtype)];
}
inline const Reduction& reduction(ReduceOp op, DType dtype) {
    return kernels().reduce[static_cast<std::size_t>(op)][static_cast<std::size_t>(dtype)];
}
/// to[r · to_step + c] = from[r + c · step] for what is in cache on both sides.
template <class Unit>
void transpose(const Unit* from, std::int64_t step, std::int64_t rows, std::int64_t columns, Unit* to,
               std::int64_t to_step) {
    if constexpr (sizeof(Unit) == 4) return kernels().transpose(from, step, rows, columns, to, to_step);
    transpose_near(from, step, rows, columns, to, to_step);
}
inline Beyond beyond(bool above, DType dtype) {
    return kernels().beyond[above ? 1 : 0][static_cast<std::size_t>(dtype)];
}
inline const Softmax& softmax(DType dtype) { return kernels().softmax[static_cast<std::size_t>(dtype)]; }
inline ScanLanes scan(Scan scan, DType dtype) {
    return kernels().scan[static_cast<std::size_t>(scan)][static_cast<std::size_t>(dtype)];
}

}  // namespace reel::kernels
