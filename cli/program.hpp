#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace rackwright::cli {

/// Runs one command line (without the program's name) and returns its exit code. Never throws:
/// errors are printed on `err` as `rackwright: file:line: field: expected …, found …`.
[[nodiscard]] int run_program(const std::vector<std::string>& arguments, std::ostream& out,
                              std::ostream& err, bool err_is_terminal);

}  // namespace rackwright::cli
