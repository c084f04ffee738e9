// Runs the checker on an exercise:  exercises 4       on all, one line each:  exercises all
#include <cstdlib>
#include <functional>
#include <map>

#include "exercise.hpp"

namespace {

const std::map<int, Exercise (*)()> kExercises = {
    {1, exercise_1},   {2, exercise_2},   {3, exercise_3},   {4, exercise_4},   {5, exercise_5},
    {6, exercise_6},   {7, exercise_7},   {8, exercise_8},   {9, exercise_9},   {10, exercise_10},
    {11, exercise_11}, {12, exercise_12}, {13, exercise_13}, {14, exercise_14}, {15, exercise_15},
    {16, exercise_16}, {17, exercise_17}, {18, exercise_18}, {19, exercise_19}};

/// The verdict, or that it threw.
std::string verdict(const std::function<GradcheckReport()>& check) {
    try {
        std::ostringstream text;
        text << check().verdict();
        return text.str();
    } catch (const Error&) {
        return "throws";
    }
}

void print(const std::function<GradcheckReport()>& check) {
    try {
        std::cout << check() << "\n";
    } catch (const Error& error) {
        std::cout << "throws: " << error.what() << "\n";
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::string wanted = argc == 2 ? argv[1] : "";
    bool found = false;
    for (const auto& [number, make] : kExercises) {
        if (wanted != "all" && wanted != std::to_string(number)) continue;
        found = true;
        manual_seed(1);
        const Exercise exercise = make();
        const auto first = [&] { return gradcheck(exercise.f, exercise.inputs, {.name = "the gradient"}); };
        const auto second = [&] {
            return gradgradcheck(exercise.f, exercise.inputs, {.name = "the gradient's gradient"});
        };
        if (wanted == "all") {
            std::cout << number << ": " << verdict(first) << ", " << verdict(second) << "\n";
        } else {
            print(first);
            print(second);
        }
    }
    if (!found) std::cout << "which exercise? exercises 1 … " << kExercises.size() << "\n";
    return found ? 0 : 1;
}
