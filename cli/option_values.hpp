#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Numbers of options, read strictly: the option is named in the InputError.
namespace rackwright::cli {

/// A whole number >= `min`.
[[nodiscard]] std::uint64_t parse_count(std::string_view text, std::string_view option,
                                        std::uint64_t min = 0);
/// A finite number > 0.
[[nodiscard]] double parse_positive(std::string_view text, std::string_view option);
/// "a,b,c"; empty parts are an error.
[[nodiscard]] std::vector<std::string> parse_list(std::string_view text, std::string_view option);

}  // namespace rackwright::cli
