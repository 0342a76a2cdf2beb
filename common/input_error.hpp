#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace rackwright {

/// One thing that is wrong with an input.
struct InputProblem {
  std::string file;
  /// 1-based; 0 when the problem is not at a line.
  std::size_t line = 0;
  /// JSON pointer, column name or option; may be empty.
  std::string field;
  std::string expected;
  std::string found;

  /// `catalog/trays.json:7: /trays/1/tdp_w: expected a number of watts, found "10.2 kW"`.
  [[nodiscard]] std::string text() const;
};

/// Bad input. Carries all problems of a file; `what()` has one per line. Exit code 2.
class InputError : public std::runtime_error {
 public:
  explicit InputError(InputProblem problem);
  /// Throws std::invalid_argument when `problems` is empty.
  explicit InputError(std::vector<InputProblem> problems);
  [[nodiscard]] const std::vector<InputProblem>& problems() const { return problems_; }

 private:
  std::vector<InputProblem> problems_;
};

/// The backend asked for cannot be used here. Exit code 3.
class BackendUnavailable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Stopped by the user (Ctrl-C, SIGTERM). Exit code 4: what was recorded so far is kept.
class Interrupted : public std::runtime_error {
 public:
  Interrupted() : std::runtime_error("interrupted") {}
};

/// The member of `known` nearest to `word` by edit distance, or "" when none is near; a member that
/// begins with `word` is as near as one edit.
[[nodiscard]] std::string nearest_word(std::string_view word,
                                       const std::vector<std::string>& known);

}  // namespace rackwright
