#include "results/report/html.hpp"

#include <array>

#include <fmt/format.h>

namespace rackwright::results {

namespace {

std::string use_symbol(std::string_view symbol, std::string_view words, std::string_view css) {
  return fmt::format(
      R"(<svg class="{}" role="img" aria-label="{}" viewBox="0 0 12 12"><use href="#{}"/></svg>)",
      css, words, symbol);
}

}  // namespace

std::string escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string element_id(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    out += plain ? c : '-';
  }
  return out;
}

std::string shortened(std::string_view text, std::size_t characters) {
  std::size_t count = 0;
  std::size_t cut = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0U) == 0x80U) continue;
    if (count + 1 == characters) cut = i;
    if (++count > characters) return std::string(text.substr(0, cut)) + "…";
  }
  return std::string(text);
}

std::string capitalised(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') {
    text[0] = static_cast<char>(text[0] - 'a' + 'A');
  }
  return text;
}

std::string number_word(std::size_t n, bool capital) {
  static constexpr std::array<std::string_view, 13> kWords{
      "no",    "one",   "two",  "three", "four",   "five",  "six",
      "seven", "eight", "nine", "ten",   "eleven", "twelve"};
  if (n >= kWords.size()) return std::to_string(n);
  return capital ? capitalised(std::string(kWords[n])) : std::string(kWords[n]);
}

std::string counted(std::size_t n, std::string_view one, std::string_view many, bool capital) {
  return fmt::format("{} {}", number_word(n, capital), n == 1 ? one : many);
}

std::string symbol_sprite() {
  return R"svg(<svg width="0" height="0" class="sprite" aria-hidden="true" focusable="false"><defs>
<symbol id="o-measured" viewBox="0 0 12 12"><circle cx="6" cy="6" r="4.5" fill="currentColor"/></symbol>
<symbol id="o-modelled" viewBox="0 0 12 12"><circle cx="6" cy="6" r="4.2" fill="none" stroke="currentColor" stroke-width="1.2"/><path d="M6 1.8a4.2 4.2 0 0 0 0 8.4z" fill="currentColor"/></symbol>
<symbol id="o-catalogue" viewBox="0 0 12 12"><rect x="2" y="2" width="8" height="8" fill="none" stroke="currentColor" stroke-width="1.4"/></symbol>
<symbol id="o-assumed" viewBox="0 0 12 12"><path d="M6 1.6 11 10.4H1z" fill="none" stroke="currentColor" stroke-width="1.2" stroke-dasharray="2 1.2"/></symbol>
<symbol id="s-violated" viewBox="0 0 12 12"><rect x=".5" y=".5" width="11" height="11" rx="1" fill="var(--cat4)"/><path d="M3.4 3.4l5.2 5.2M8.6 3.4 3.4 8.6" stroke="var(--on-cat4)" stroke-width="1.6"/></symbol>
<symbol id="s-near" viewBox="0 0 12 12"><path d="M6 1 11.4 11H.6z" fill="none" stroke="currentColor" stroke-width="1.3" stroke-linejoin="round"/><path d="M6 4.4v3.2M6 8.6v1.2" stroke="currentColor" stroke-width="1.3"/></symbol>
<symbol id="s-met" viewBox="0 0 12 12"><circle cx="6" cy="6" r="5.2" fill="none" stroke="currentColor" stroke-width="1.2"/><path d="M3.4 6.2l1.9 1.9 3.4-3.9" fill="none" stroke="currentColor" stroke-width="1.3"/></symbol>
<symbol id="s-blank" viewBox="0 0 12 12"><circle cx="6" cy="6" r="5" fill="none" stroke="currentColor" stroke-width="1.3" stroke-dasharray="2 1.6"/></symbol>
</defs></svg>
)svg";
}

std::string origin_glyph(Origin origin) {
  const std::string_view words = to_string(origin);
  return use_symbol(fmt::format("o-{}", words), words, "o");
}

std::string state_glyph(topology::LimitState state) {
  switch (state) {
    case topology::LimitState::violated:
      return use_symbol("s-violated", "violated", "s violated");
    case topology::LimitState::near:
      return use_symbol("s-near", "near", "s near");
    case topology::LimitState::met:
      return use_symbol("s-met", "met", "s met");
    case topology::LimitState::blank:
      break;
  }
  return use_symbol("s-blank", "blank", "s undecided");
}

std::string verdict_html(const Candidate& candidate) {
  const auto words = [&](std::string_view symbol, std::string_view css, std::string text) {
    return fmt::format(
        R"(<span class="v"><svg class="s {}" aria-hidden="true" viewBox="0 0 12 12"><use href="#{}"/></svg> {}</span>)",
        css, symbol, text);
  };
  switch (candidate.verdict) {
    case Verdict::feasible:
      return words("s-met", "met", "Feasible");
    case Verdict::feasible_after_change:
      return words("s-near", "near",
                   candidate.changes > 1
                       ? fmt::format("Feasible after {} changes", number_word(candidate.changes))
                       : "Feasible after one change");
    case Verdict::not_feasible:
      return words("s-violated", "violated", "Not feasible");
    case Verdict::undecided:
      break;
  }
  return words("s-blank", "undecided", "Undecided");
}

std::string blank_box() {
  return R"(<span class="blank">blank</span>)";
}

std::string table_open(std::string_view css_class, std::string_view caption,
                       const std::vector<Column>& columns) {
  std::string out =
      fmt::format(R"(<table class="{}"><caption>{}</caption><thead><tr>)", css_class, caption);
  for (const Column& column : columns) {
    out += fmt::format(R"(<th scope="col"{}>{}</th>)", column.number ? R"( class="num")" : "",
                       column.head);
  }
  return out + "</tr></thead><tbody>\n";
}

std::string table_close() {
  return "</tbody></table>\n";
}

std::string section_open(std::string_view id, std::string_view title, std::string_view note) {
  return fmt::format(
      "<section id=\"{0}\" aria-labelledby=\"{0}-t\">\n<h2 id=\"{0}-t\">{1}</h2>\n"
      "<p class=\"note\">{2}</p>\n",
      id, escape(title), note);
}

}  // namespace rackwright::results
