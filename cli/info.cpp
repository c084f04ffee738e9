// `reel info`: what a report of a problem should begin with.
#include <ostream>

#include "cli/commands.hpp"
#include "cli/table.hpp"
#include "ops/kernels/table.hpp"

namespace reel::cli {

int info(std::ostream& out) {
    print_table(out, {{"version", version()},
                      {"instruction set", kernels::kernels().instruction_set},
                      {"threads", std::to_string(num_threads())}});
    return 0;
}

}  // namespace reel::cli
