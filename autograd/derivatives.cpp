#include "autograd/derivatives.hpp"

#include "autograd/tape_state.hpp"
#include "tensor/factory.hpp"

namespace reel {

namespace {

using Tensors = std::vector<Tensor>;

/// A function at leaves of its own, on a tape of its own. The thread's tapes are out of sight meanwhile.
class Evaluation {
public:
    Evaluation(const char* operation, const TensorFunction& f, const Tensors& inputs) {
        for (const Tensor& input : inputs) {
            if (!input.is_floating_point()) {
                fail<DTypeError>(operation, ": an input is ", input.dtype(),
                                 "; only functions of floating tensors have derivatives");
            }
            leaves_.push_back(input.detach().set_requires_grad());
        }
        Tensors outputs = f(leaves_);
        if (outputs.size() != 1) {
            fail<Error>(operation, ": the function returns ", outputs.size(), " tensors; one is needed");
        }
        output_ = std::move(outputs[0]);
    }

    const Tensor& output() const { return output_; }
    /// Throws unless the function returns one element.
    const Tensor& scalar(const char* operation) const {
        if (output_.numel() == 1) return output_;
        fail<ShapeError>(operation, ": the function returns shape ", output_.sizes(),
                         "; it must return one element");
    }
    /// Σ v · ∂ys/∂inputs, zeros where nothing depends on an input.
    Tensors gradients(const Tensors& ys, const Tensors& v, bool create_graph = false) const {
        Tensors found = detail::grad_of_recorded(ys, v, leaves_, create_graph);
        for (std::size_t i = 0; i < found.size(); ++i) {
            if (!found[i].defined()) found[i] = zeros_like(leaves_[i]);
        }
        return found;
    }
    /// ∂y/∂inputs.
    Tensors jacobians(const Tensor& y) const {
        Tensors rows;
        for (const Tensor& leaf : leaves_) rows.push_back(zeros({y.numel(), leaf.numel()}, y.dtype()));
        const Tensor one_hot = zeros({y.numel()}, y.dtype());
        for (std::int64_t element = 0; element < y.numel(); ++element) {
            one_hot.zero_().select(0, element).fill_(1);
            const Tensors row = gradients({y}, {one_hot.clone().view(y.sizes())});
            for (std::size_t i = 0; i < row.size(); ++i) rows[i].select(0, element).copy_(row[i].flatten());
        }
        for (std::size_t i = 0; i < rows.size(); ++i) {
            Shape sizes = y.sizes();
            for (const std::int64_t size : leaves_[i].sizes()) sizes.push_back(size);
            rows[i] = rows[i].view(sizes);
        }
        return rows;
    }

private:
    detail::Swap<Tape::State*> hidden_{detail::innermost, nullptr};
    detail::Swap<bool> recording_{detail::paused, false};
    Tape tape_;
    Tensors leaves_;
    Tensor output_;
};

/// `v`, or the 1 that it stands for.
Tensor cotangent(const char* operation, const Tensor& output, const Tensor& v) {
    if (!v.defined() && output.numel() == 1) return ones_like(output);
    if (v.defined() && v.sizes() == output.sizes()) return v;
    fail<ShapeError>(operation, ": the function returns shape ", output.sizes(), ", and v ",
                     v.defined() ? "has another" : "is missing");
}

}  // namespace

Tensors jacobian(const TensorFunction& f, const Tensors& inputs) {
    const Evaluation at("jacobian", f, inputs);
    return at.jacobians(at.output());
}

std::vector<Tensors> hessian(const TensorFunction& f, const Tensors& inputs) {
    const Evaluation at("hessian", f, inputs);
    const Tensor& y = at.scalar("hessian");
    std::vector<Tensors> blocks;
    for (const Tensor& gradient : at.gradients({y}, {ones_like(y)}, true)) {
        blocks.push_back(at.jacobians(gradient));
    }
    return blocks;
}

std::pair<Tensor, Tensors> hvp(const TensorFunction& f, const Tensors& inputs, const Tensors& v) {
    const Evaluation at("hvp", f, inputs);
    const Tensor& y = at.scalar("hvp");
    if (v.size() != inputs.size()) {
        fail<Error>("hvp: ", v.size(), " vectors for ", inputs.size(), " inputs");
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (v[i].sizes() == inputs[i].sizes()) continue;
        fail<ShapeError>("hvp: v of shape ", v[i].sizes(), " for an input of shape ", inputs[i].sizes());
    }
    return {y.detach(), at.gradients(at.gradients({y}, {ones_like(y)}, true), v)};
}

std::pair<Tensor, Tensors> vjp(const TensorFunction& f, const Tensors& inputs, const Tensor& v) {
    const Evaluation at("vjp", f, inputs);
    const Tensor& y = at.output();
    return {y.detach(), at.gradients({y}, {cotangent("vjp", y, v)})};
}

Tensor jacobian(const TensorFunction& f, const Tensor& x) { return jacobian(f, Tensors{x})[0]; }

Tensor hessian(const TensorFunction& f, const Tensor& x) { return hessian(f, Tensors{x})[0][0]; }

std::pair<Tensor, Tensor> hvp(const TensorFunction& f, const Tensor& x, const Tensor& v) {
    auto [y, products] = hvp(f, Tensors{x}, Tensors{v});
    return {std::move(y), std::move(products[0])};
}

std::pair<Tensor, Tensor> vjp(const TensorFunction& f, const Tensor& x, const Tensor& v) {
    auto [y, products] = vjp(f, Tensors{x}, v);
    return {std::move(y), std::move(products[0])};
}

}  // namespace reel
