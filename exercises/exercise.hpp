// An exercise: a function with one wrong line, and where it is looked at.
#pragma once

#include <numbers>
#include <reel.hpp>

using namespace reel;

struct Exercise {
    TensorFunction f;
    std::vector<Tensor> inputs;
};

/// A function of two tensors as one of a list.
auto pair(const auto& f) {
    return [f](const std::vector<Tensor>& t) { return f(t[0], t[1]); };
}

Exercise exercise_1();
Exercise exercise_2();
Exercise exercise_3();
Exercise exercise_4();
Exercise exercise_5();
Exercise exercise_6();
Exercise exercise_7();
Exercise exercise_8();
Exercise exercise_9();
Exercise exercise_10();
Exercise exercise_11();
Exercise exercise_12();
Exercise exercise_13();
Exercise exercise_14();
Exercise exercise_15();
Exercise exercise_16();
Exercise exercise_17();
Exercise exercise_18();
Exercise exercise_19();
