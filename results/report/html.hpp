#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/estimate.hpp"
#include "results/review.hpp"

namespace rackwright::results {

/// `text` for element content and quoted attributes: & < > " ' become references.
[[nodiscard]] std::string escape(std::string_view text);
/// An identifier made of letters, digits and `-`, for ids of elements.
[[nodiscard]] std::string element_id(std::string_view text);
/// `text` cut to at most `characters` (UTF-8 code points), the last one an ellipsis.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t characters);
/// First letter as a capital, for the start of a sentence or a table row.
[[nodiscard]] std::string capitalised(std::string text);
/// "one" … "twelve", then digits; for titles. `capital` starts a sentence.
[[nodiscard]] std::string number_word(std::size_t n, bool capital = false);
/// "1 limit", "3 limits" with the number as a word.
[[nodiscard]] std::string counted(std::size_t n, std::string_view one, std::string_view many,
                                  bool capital = false);

/// Hidden SVG symbols that the glyphs below refer to; once a page.
[[nodiscard]] std::string symbol_sprite();
/// Origin before a number: filled, half, square, dashed triangle, with a text alternative.
[[nodiscard]] std::string origin_glyph(Origin origin);
[[nodiscard]] std::string state_glyph(topology::LimitState state);
/// Symbol and words of a verdict.
[[nodiscard]] std::string verdict_html(const Candidate& candidate);
/// The dashed box of an unknown value.
[[nodiscard]] std::string blank_box();

/// Column of a table. Numbers are right-aligned.
struct Column {
  std::string head;  ///< HTML
  bool number = false;
};
/// Table head with `scope="col"` and the caption (HTML), open `<tbody>`.
[[nodiscard]] std::string table_open(std::string_view css_class, std::string_view caption,
                                     const std::vector<Column>& columns);
[[nodiscard]] std::string table_close();

/// `<section>` with the finding as h2 and a note (HTML) below it.
[[nodiscard]] std::string section_open(std::string_view id, std::string_view title,
                                       std::string_view note);

}  // namespace rackwright::results
