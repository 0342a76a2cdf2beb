#pragma once

#include <string>

#include "workloads/operator.hpp"

/// Backends that measure run near shapes once: a serving run has thousands of steps that differ by
/// a few tokens.
namespace rackwright::kernels {

/// `op` with the sizes that change from step to step at the nearest power of sqrt(2); those of the
/// model stay. Attention gets whole sequences of equal length.
[[nodiscard]] workloads::Operator with_rounded_shape(const workloads::Operator& op);

/// What time is scaled with: FLOP where there are any, else bytes.
[[nodiscard]] double amount_of_work(const workloads::Operator& op);

/// The same for operators of one name, kind and work.
[[nodiscard]] std::string shape_key(const workloads::Operator& op);

/// Relative error of a time that was scaled: time is not quite proportional to work, and a tenth of
/// the way is taken as its error.
[[nodiscard]] double error_of_scaling(double scale);

}  // namespace rackwright::kernels
