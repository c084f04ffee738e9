/// \file
/// reel: a minimal tensor library with a tape-based reverse-mode autograd engine. This one header is all that
/// a program includes. Start reading at `TOUR.md`.
#pragma once

#include <iostream>

#include "autograd/checkpoint.hpp"
#include "autograd/derivatives.hpp"
#include "autograd/gradcheck.hpp"
#include "autograd/tape.hpp"
#include "ops/activations.hpp"
#include "ops/attention.hpp"
#include "ops/compare.hpp"
#include "ops/conv.hpp"
#include "ops/einsum.hpp"
#include "ops/indexing.hpp"
#include "ops/join.hpp"
#include "ops/layers.hpp"
#include "ops/losses.hpp"
#include "ops/matmul.hpp"
#include "ops/pointwise.hpp"
#include "ops/pool.hpp"
#include "ops/reduce.hpp"
#include "ops/scan.hpp"
#include "ops/softmax.hpp"
#include "ops/sort.hpp"
#include "ops/views.hpp"
#include "optim/checkpoint.hpp"
#include "optim/optimizer.hpp"
#include "optim/schedule.hpp"
#include "tensor/factory.hpp"
#include "tensor/npy.hpp"
#include "tensor/print.hpp"
#include "tensor/random.hpp"
#include "tensor/safetensors.hpp"
#include "tensor/tensor.hpp"
#include "tensor/threads.hpp"
