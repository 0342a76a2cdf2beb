#pragma once

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "common/launch/shared_ranks.hpp"
#include "tests/kernels/nccl/fake_nccl.hpp"

namespace rackwright::kernels::testing {

class Nccl : public ::testing::Test {
 protected:
  void SetUp() override { FakeNccl::reset(); }

  /// A thread for each rank; failures of any are kept by rank.
  std::vector<std::string> on_ranks(int ranks,
                                    const std::function<void(launch::Communicator&)>& body) {
    launch::SharedMemory memory(ranks);
    std::vector<std::string> failures(static_cast<std::size_t>(ranks));
    std::vector<std::thread> threads;
    for (int rank = 0; rank < ranks; ++rank) {
      threads.emplace_back([&, rank] {
        try {
          body(*launch::shared_rank(memory, rank));
        } catch (const std::exception& error) {
          failures[static_cast<std::size_t>(rank)] = error.what();
        }
      });
    }
    for (auto& thread : threads) thread.join();
    return failures;
  }
};

}  // namespace rackwright::kernels::testing
