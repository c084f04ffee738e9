/// \file
/// What a page needs of Ceres: the signature of a cost function, as <ceres/cost_function.h> has it.
#pragma once

namespace ceres {

class CostFunction {
public:
    virtual ~CostFunction() = default;
    virtual bool Evaluate(double const* const* parameters, double* residuals, double** jacobians) const = 0;
};

}  // namespace ceres
