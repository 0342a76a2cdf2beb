#include <iostream>
#include <string>
#include <vector>

#include <unistd.h>

#include "cli/program.hpp"
#include "common/progress.hpp"

int main(int argc, char** argv) {
  const rackwright::InterruptGuard guard;
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  return rackwright::cli::run_program(arguments, std::cout, std::cerr, isatty(STDERR_FILENO) != 0);
}
