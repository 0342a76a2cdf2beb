#include <cstdio>
#include <filesystem>

#include "common/data_locator.hpp"
#include "common/units.hpp"
#include "topology/catalog.hpp"

// Uses the installed headers, libraries and data: argv[1] is PREFIX/share/rackwright.
int main(int, char** argv) {
  using namespace rackwright;
  const auto catalog = topology::Catalog::load(DataLocator({std::filesystem::path(argv[1])}));
  std::printf("%zu parts, %.1f kW\n", catalog.parts().size(), (40.8_kW).in(kilowatt));
  return catalog.parts().empty() ? 1 : 0;
}
