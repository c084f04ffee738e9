/// \file
/// reel: a minimal tensor library with a tape-based reverse-mode autograd engine. This one header is all that
/// a program includes. Start reading at `TOUR.md`.
#pragma once

#if __cplusplus < 202002L
#error "reel needs C++20: compile with -std=c++20 or newer"
#else

#include <iostream>

#include "autograd/checkpoint.hpp"
#include "autograd/derivatives.hpp"
#include "autograd/gradcheck.hpp"
#include "autograd/tape.hpp"
#include "autograd/tape_page.hpp"
#include "ops/conv/conv.hpp"
#include "ops/conv/pool.hpp"
#include "ops/indexing/indexing.hpp"
#include "ops/linalg/einsum.hpp"
#include "ops/linalg/matmul.hpp"
#include "ops/nn/attention.hpp"
#include "ops/nn/layers.hpp"
#include "ops/nn/losses.hpp"
#include "ops/pointwise/activations.hpp"
#include "ops/pointwise/compare.hpp"
#include "ops/pointwise/transcendental.hpp"
#include "ops/reduce/reduce.hpp"
#include "ops/reduce/scan.hpp"
#include "ops/reduce/sort.hpp"
#include "ops/shape/join.hpp"
#include "ops/shape/views.hpp"
#include "ops/softmax/cross_entropy.hpp"
#include "ops/softmax/softmax.hpp"
#include "optim/checkpoint.hpp"
#include "optim/optimizer.hpp"
#include "optim/parameters.hpp"
#include "optim/schedule.hpp"
#include "tensor/factory.hpp"
#include "tensor/io/npy.hpp"
#include "tensor/io/safetensors.hpp"
#include "tensor/print.hpp"
#include "tensor/random.hpp"
#include "tensor/tensor.hpp"
#include "tensor/threads.hpp"
#include "tensor/version.hpp"

#endif
