/// \file
/// What a page needs of Ipopt: the signatures of the constraints, as <coin/IpTNLP.hpp> has them.
#pragma once

namespace Ipopt {

using Number = double;
using Index = int;

class TNLP {
public:
    virtual ~TNLP() = default;
    virtual bool eval_g(Index n, const Number* x, bool new_x, Index m, Number* g) = 0;
    virtual bool eval_jac_g(Index n, const Number* x, bool new_x, Index m, Index nele_jac, Index* iRow,
                            Index* jCol, Number* values) = 0;
};

}  // namespace Ipopt

using Ipopt::Index;
using Ipopt::Number;
using Problem = Ipopt::TNLP;
